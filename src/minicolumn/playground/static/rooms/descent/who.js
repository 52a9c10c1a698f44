/** Who races: optimizers with a name, a colour and a mark of their own, so that none is told by colour alone. */
import { classColour } from "../../kit/colour.js";
import { t } from "../../i18n.js";

/** Who may be chosen. */
export const WHO = [
  "sgd",
  "sgd:momentum=0.9",
  "sgd:momentum=0.9,nesterov=true",
  "rmsprop",
  "adam",
  "adagrad",
  "rprop",
  "nadam",
  "lion",
];
/** Of each, which colour and mark it has. */
const LOOKS = [0, 3, 4, 2, 1, 5, 6, 7, 8];
export const MOST = 6;
const NAMES = {
  "sgd:momentum=0.9": "descent.momentum",
  "sgd:momentum=0.9,nesterov=true": "descent.nesterov",
};

/** @param {string} optimizer */
export const nameOf = (optimizer) =>
  t(NAMES[/** @type {keyof typeof NAMES} */ (optimizer)] ?? `network.choice.${optimizer}`);

/** @param {string} optimizer */
const lookOf = (optimizer) => LOOKS[Math.max(0, WHO.indexOf(optimizer))];

/** @param {string} optimizer @param {number} [alpha] */
export const colourOf = (optimizer, alpha = 1) => classColour(lookOf(optimizer), alpha);

/** Corners of marks of radius 1; a circle has none. @type {number[][][]} */
const SHAPES = [
  [],
  [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
  [[0, -1.15], [1.05, 0.75], [-1.05, 0.75]],
  [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]],
  [[0, 1.15], [1.05, -0.75], [-1.05, -0.75]],
  [[-0.4, -1.1], [0.4, -1.1], [0.4, -0.4], [1.1, -0.4], [1.1, 0.4], [0.4, 0.4], [0.4, 1.1], [-0.4, 1.1], [-0.4, 0.4], [-1.1, 0.4], [-1.1, -0.4], [-0.4, -0.4]],
  [[0, -1.15], [1.1, -0.35], [0.7, 0.95], [-0.7, 0.95], [-1.1, -0.35]],
  [[1.15, 0], [-0.75, 1.05], [-0.75, -1.05]],
  [[-1.15, 0], [0.75, 1.05], [0.75, -1.05]],
]; // prettier-ignore

/** Trace an optimizer's mark. @param {CanvasRenderingContext2D | Path2D} path @param {string} optimizer @param {number} x @param {number} y @param {number} r */
export function trace(path, optimizer, x, y, r) {
  const shape = SHAPES[lookOf(optimizer)];
  if (!shape.length) {
    path.moveTo(x + r, y);
    path.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  shape.forEach(([dx, dy], i) =>
    i ? path.lineTo(x + r * dx, y + r * dy) : path.moveTo(x + r * dx, y + r * dy),
  );
  path.closePath();
}

/** A mark as the `d` of an SVG path in a box of 16. @param {string} optimizer */
export function markPath(optimizer) {
  const shape = SHAPES[lookOf(optimizer)];
  if (!shape.length) return "M13 8a5 5 0 1 1-10 0a5 5 0 1 1 10 0z";
  return `M${shape.map(([x, y]) => `${8 + 5.2 * x} ${8 + 5.2 * y}`).join("L")}z`;
}
