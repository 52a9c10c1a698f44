// Prints the golden values of the playground's tests, from TensorFlow Playground's own files and its libraries.
//
//   npm install seedrandom@2.4.3 d3@3.5.17 esbuild@0.21.5        in an empty folder; then, with src/ of
//   github.com/tensorflow/playground at 02469bd in it:
//   npx esbuild src/dataset.ts src/nn.ts --format=cjs --outdir=out
//   node .../make_playground.cjs seedrandom > tests/data/golden/seedrandom.json
//   node .../make_playground.cjs playground > .../playground.json
'use strict';
const { createRequire } = require('module');
const here = createRequire(process.cwd() + '/');
here('seedrandom');

const SEEDS = ['0.5', '0.77049', '', ' ', '1', 'minicolumn', '한글 äöü', '🎲', 'x'.repeat(300),
  'ab'.repeat(128) + '\u0000\uffff', '\ud800'];

function draws(seed, from, count) {
  Math.seedrandom(seed);
  for (let i = 0; i < from; i++) Math.random();
  return Array.from({ length: count }, () => Math.random());
}

function seedrandom() {
  return SEEDS.map(seed => ({ seed, first: draws(seed, 0, 4), after_1000: draws(seed, 1000, 2) }));
}

// Sums weighted by the place, so that two points that change places are seen.
function summed(points) {
  let [x, y, label] = [0, 0, 0];
  points.forEach((p, i) => { x += p.x * (i + 1); y += p.y * (i + 1); label += p.label * (i + 1); });
  return [x, y, label];
}

const GENERATORS = {
  circle: 'classifyCircleData', xor: 'classifyXORData', gauss: 'classifyTwoGaussData',
  spiral: 'classifySpiralData', plane: 'regressPlane', multi_gauss: 'regressGaussian',
};

function data(name, seed, noise) {
  const dataset = here('./out/dataset.js');
  Math.seedrandom(seed);
  const points = dataset[GENERATORS[name]](/plane|multi/.test(name) ? 1200 : 500, noise / 100);
  dataset.shuffle(points);
  return points;
}

function points() {
  const rows = [];
  for (const name in GENERATORS) for (const noise of [0, 25, 50]) for (const seed of ['0.5', '0.77049']) {
    const made = data(name, seed, noise);
    const plain = p => [p.x, p.y, p.label];
    rows.push({ name, noise, seed, first: made.slice(0, 3).map(plain), last: plain(made[made.length - 1]),
      sums: summed(made) });
  }
  return rows;
}

const NETWORKS = [[2, 4, 2, 1], [1, 1], [7, 8, 8, 8, 8, 8, 8, 1], [0, 3, 1]];

function networks() {
  const nn = here('./out/nn.js');
  return ['spiral', 'gauss', 'multi_gauss'].flatMap(name => NETWORKS.map(sizes => {
    data(name, '0.77049', 0);
    const ids = Array.from({ length: sizes[0] }, (_, i) => 'input' + i);
    const layers = nn.buildNetwork(sizes, nn.Activations.TANH, nn.Activations.TANH, null, ids, false).slice(1);
    const weights = layers.map(layer => layer.map(node => node.inputLinks.map(link => link.weight)));
    const flat = weights.flat(2);
    return { name, seed: '0.77049', sizes, first: weights[0][0], last: weights[weights.length - 1][0],
      sum: flat.reduce((total, w, i) => total + w * (i + 1), 0), count: flat.length,
      biases: [...new Set(layers.flat().map(node => node.bias))], next_seed: Math.random().toFixed(5) };
  }));
}

const FEATURES = {
  x: (x, y) => x, y: (x, y) => y, xSquared: (x, y) => x * x, ySquared: (x, y) => y * y,
  xTimesY: (x, y) => x * y, sinX: (x, y) => Math.sin(x), sinY: (x, y) => Math.sin(y),
};
const LINKS = [
  'dataset=circle&networkShape=4,2&seed=0.77049',
  'dataset=spiral&networkShape=8,6&seed=0.58835&activation=relu&regularization=L1&regularizationRate=0.01'
    + '&batchSize=7&xSquared=true&sinX=true&sinY=true',
  'dataset=xor&networkShape=&seed=0.07296&noise=25&regularization=L2&regularizationRate=0.03&xTimesY=true',
  'dataset=gauss&networkShape=3&seed=0.1&noise=50&activation=sigmoid&percTrainData=30&batchSize=30'
    + '&learningRate=0.3',
  'problem=regression&regDataset=reg-gauss&networkShape=6,6&seed=0.99828&percTrainData=10',
  'problem=regression&regDataset=reg-plane&networkShape=1&seed=0.82910&noise=10&activation=linear'
    + '&ySquared=true&learningRate=0.003',
  'dataset=circle&networkShape=3,2&seed=0.5&initZero=true',
];

// Trains by the original's own functions, as its page does, and returns [train, test] losses and the weights.
function trained(link, epochs) {
  const nn = here('./out/nn.js');
  const said = Object.fromEntries(link.split('&').map(part => part.split('=')));
  const regression = said.problem === 'regression';
  const name = regression ? { 'reg-plane': 'plane', 'reg-gauss': 'multi_gauss' }[said.regDataset] : said.dataset;
  const points = data(name, said.seed, +(said.noise || 0));
  const cut = Math.floor(points.length * +(said.percTrainData || 50) / 100);
  const [train, test] = [points.slice(0, cut), points.slice(cut)];
  const used = Object.keys(FEATURES).filter(f => said[f] === 'true' || (said[f] == null && /^[xy]$/.test(f)));
  const shape = [used.length, ...(said.networkShape ? said.networkShape.split(',').map(Number) : []), 1];
  const A = nn.Activations;
  const penalty = { L1: nn.RegularizationFunction.L1, L2: nn.RegularizationFunction.L2 }[said.regularization];
  const network = nn.buildNetwork(shape, A[(said.activation || 'tanh').toUpperCase()],
    regression ? A.LINEAR : A.TANH, penalty || null, used, said.initZero === 'true');
  const input = p => used.map(f => FEATURES[f](p.x, p.y));
  const loss = rows => rows.reduce((sum, p) =>
    sum + nn.Errors.SQUARE.error(nn.forwardProp(network, input(p)), p.label), 0) / rows.length;
  const losses = [[loss(train), loss(test)]];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    train.forEach((p, i) => {
      nn.forwardProp(network, input(p));
      nn.backProp(network, p.label, nn.Errors.SQUARE);
      if ((i + 1) % +(said.batchSize || 10) === 0) {
        nn.updateWeights(network, +(said.learningRate || 0.03), +(said.regularizationRate || 0));
      }
    });
    if (epoch === 1 || epoch === epochs) losses.push([loss(train), loss(test)]);
  }
  const layers = network.slice(1);
  return { link, epochs, losses, weights: layers.map(l => l.map(n => n.inputLinks.map(k => k.weight))),
    biases: layers.map(l => l.map(n => n.bias)) };
}

const made = { seedrandom, playground: () => ({ points: points(), networks: networks(), trained: LINKS.map(link => trained(link, 5)) }) }[process.argv[2]]();
console.log(JSON.stringify(made, null, 1).replace(/\n\s+(?=[-\d\]])/g, ' '));
