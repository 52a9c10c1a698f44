/**
 * What a frame of TensorFlow Playground computes, written anew from its description: one object a node and a link,
 * float64, one thread. Prints JSON: epochs a second of training alone, and of whole frames (training, both losses, and
 * the 100 x 100 grid of forward passes for the maps). Its clock takes one frame a screen refresh: 60 a second at most.
 */
const ROWS = 250, BATCH = 10, RATE = 0.03, SIDE = 100, SHAPE = [2, 4, 2, 1];

const tanh = { output: Math.tanh, slope: (x) => { const y = Math.tanh(x); return 1 - y * y; } };

function network() {
  const layers = SHAPE.map((count) => Array.from({ length: count }, () => ({ in: [], out: [], bias: 0.1, sum: 0, output: 0, delta: 0, gathered: 0, seen: 0 })));
  for (let l = 1; l < layers.length; l++) {
    for (const to of layers[l]) {
      for (const from of layers[l - 1]) {
        const link = { from, to, weight: Math.random() - 0.5, slope: 0, gathered: 0, seen: 0 };
        from.out.push(link);
        to.in.push(link);
      }
    }
  }
  return layers;
}

function forward(layers, x) {
  layers[0].forEach((node, k) => { node.output = x[k]; });
  for (let l = 1; l < layers.length; l++) {
    for (const node of layers[l]) {
      node.sum = node.bias;
      for (const link of node.in) node.sum += link.weight * link.from.output;
      node.output = tanh.output(node.sum);
    }
  }
  return layers[layers.length - 1][0].output;
}

function backward(layers, target) {
  const last = layers[layers.length - 1][0];
  last.outSlope = last.output - target;
  for (let l = layers.length - 1; l >= 1; l--) {
    for (const node of layers[l]) {
      node.delta = node.outSlope * tanh.slope(node.sum);
      node.gathered += node.delta;
      node.seen++;
      for (const link of node.in) {
        link.slope = node.delta * link.from.output;
        link.gathered += link.slope;
        link.seen++;
      }
    }
    if (l === 1) continue;
    for (const node of layers[l - 1]) {
      node.outSlope = 0;
      for (const link of node.out) node.outSlope += link.weight * link.to.delta;
    }
  }
}

function update(layers) {
  for (let l = 1; l < layers.length; l++) {
    for (const node of layers[l]) {
      if (node.seen > 0) {
        node.bias -= (RATE * node.gathered) / node.seen;
        node.gathered = 0;
        node.seen = 0;
      }
      for (const link of node.in) {
        if (link.seen > 0) {
          link.weight -= (RATE / link.seen) * link.gathered;
          link.gathered = 0;
          link.seen = 0;
        }
      }
    }
  }
}

const points = Array.from({ length: 2 * ROWS }, () => {
  const inside = Math.random() < 0.5, r = inside ? 2.5 * Math.random() : 3.5 + 1.5 * Math.random(), a = 2 * Math.PI * Math.random();
  return { x: [r * Math.sin(a), r * Math.cos(a)], y: inside ? 1 : -1 };
});
const train = points.slice(0, ROWS), test = points.slice(ROWS);

function epoch(layers) {
  train.forEach((point, k) => {
    forward(layers, point.x);
    backward(layers, point.y);
    if ((k + 1) % BATCH === 0) update(layers);
  });
}

const loss = (layers, rows) => rows.reduce((sum, p) => sum + 0.5 * (forward(layers, p.x) - p.y) ** 2, 0) / rows.length;

function maps(layers, grids) {
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      forward(layers, [-6 + (12 * i) / SIDE, 6 - (12 * j) / SIDE]);
      let k = 0;
      for (const layer of layers) for (const node of layer) grids[k++][i * SIDE + j] = node.output;
    }
  }
}

function rate(seconds, work) {
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < 1000 * seconds) { work(); count++; }
  return count / ((performance.now() - began) / 1000);
}

const seconds = Number(process.argv[2] ?? 2);
const net = network();
const grids = SHAPE.flatMap((count) => Array.from({ length: count }, () => new Float64Array(SIDE * SIDE)));
rate(0.5, () => epoch(net)); // so that it is compiled
const alone = rate(seconds, () => epoch(net));
const frames = rate(seconds, () => { epoch(net); loss(net, train); loss(net, test); maps(net, grids); });
console.log(JSON.stringify({ epochs_alone: alone, frames, steps_an_epoch: ROWS / BATCH, loss: loss(net, test) }));
