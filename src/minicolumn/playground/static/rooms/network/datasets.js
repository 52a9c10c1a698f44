/**
 * Pictures of the data sets for their buttons: few points by the formulas of playground/data/generators.py, laid out
 * evenly in place of drawn at random.
 *
 * @typedef {{name: string, task: "classification" | "regression", classes?: number, points: number[][]}} Picture
 */
const { PI, sin, cos, sqrt, floor, max, abs, hypot } = Math;

/** Evenly spread numbers in [0, 1): multiples of the golden ratio. @param {number} i */
const even = (i) => (i * 0.6180339887498949) % 1;

/** A lattice of points over the plane, with targets. @param {number} side @param {(x: number, y: number) => number} target */
function lattice(side, target) {
  return Array.from({ length: side * side }, (_, i) => {
    const x = -5.4 + (10.8 * (i % side)) / (side - 1),
      y = -5.4 + (10.8 * floor(i / side)) / (side - 1);
    return [x, y, target(x, y)];
  });
}

/** Points of a disc around a middle. @param {number} count @param {number} x @param {number} y @param {number} spread @param {number} target */
const cloud = (count, x, y, spread, target) =>
  Array.from({ length: count }, (_, i) => {
    const radius = spread * sqrt((i + 0.5) / count),
      angle = i * 2.399963;
    return [x + radius * cos(angle), y + radius * sin(angle), target];
  });

/** A band of a ring. @param {number} count @param {number} low @param {number} high @param {number} target */
const ring = (count, low, high, target) =>
  Array.from({ length: count }, (_, i) => {
    const radius = low + (high - low) * even(i * 7 + 1),
      angle = (2 * PI * i) / count;
    return [radius * sin(angle), radius * cos(angle), target];
  });

/** @param {number} turn @param {number} target */
const arm = (turn, target) =>
  Array.from({ length: 46 }, (_, i) => {
    const radius = (5.4 * (i + 2)) / 48,
      angle = 1.75 * 2 * PI * (i / 46) + turn;
    return [radius * sin(angle), radius * cos(angle), target];
  });

const BUMPS = [
  [-4, 2.5, 1],
  [0, 2.5, -1],
  [4, 2.5, 1],
  [-4, -2.5, -1],
  [0, -2.5, 1],
  [4, -2.5, -1],
];
const bumps = (/** @type {number} */ x, /** @type {number} */ y) =>
  BUMPS.reduce((best, [a, b, sign]) => {
    const value = sign * max(0, 1 - hypot(x - a, y - b) / 2);
    return abs(value) > abs(best) ? value : best;
  }, 0);

/** @type {Picture[]} */
export const DATASETS = [
  { name: "circle", task: "classification", points: [...cloud(60, 0, 0, 2.5, 1), ...ring(90, 3.6, 5.2, 0)] },
  { name: "xor", task: "classification", points: lattice(12, (x, y) => (x * y >= 0 ? 1 : 0)) },
  {
    name: "gauss",
    task: "classification",
    points: [...cloud(60, 2.2, 2.2, 2.4, 1), ...cloud(60, -2.2, -2.2, 2.4, 0)],
  },
  { name: "spiral", task: "classification", points: [...arm(0, 1), ...arm(PI, 0)] },
  {
    name: "moons",
    task: "classification",
    points: [...Array(44)].flatMap((_, i) => [
      [-1.6 + 3.4 * cos((PI * i) / 43), -0.9 + 3.6 * sin((PI * i) / 43), 0],
      [1.6 - 3.4 * cos((PI * i) / 43), 0.9 - 3.6 * sin((PI * i) / 43), 1],
    ]),
  },
  {
    name: "checkerboard",
    task: "classification",
    points: lattice(14, (x, y) => ((floor(x / 3) + floor(y / 3)) & 1 ? 0 : 1)),
  },
  {
    name: "rings",
    task: "classification",
    classes: 3,
    points: [...cloud(30, 0, 0, 1.2, 0), ...ring(54, 2.3, 3.1, 1), ...ring(80, 4.3, 5.2, 2)],
  },
  {
    name: "blobs",
    task: "classification",
    classes: 4,
    points: [
      [3, 2.6],
      [-3, 3],
      [-2.6, -3],
      [3, -2.6],
    ].flatMap(([x, y], k) => cloud(34, x, y, 1.7, k)),
  },
  { name: "plane", task: "regression", points: lattice(13, (x, y) => (x + y) / 10) },
  { name: "multi_gauss", task: "regression", points: lattice(15, bumps) },
  { name: "waves", task: "regression", points: lattice(14, (x, y) => sin(x) * cos(y)) },
  {
    name: "curve",
    task: "regression",
    points: Array.from({ length: 64 }, (_, i) => {
      const x = -5.6 + (11.2 * i) / 63;
      return [x, 3.4 * sin(x), sin(x)];
    }),
  },
];

/** @param {string} task */
export const datasetsOf = (task) => DATASETS.filter((dataset) => dataset.task === task);
