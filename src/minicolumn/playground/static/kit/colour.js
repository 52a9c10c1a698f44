/**
 * The colours of numbers: orange (-1), the ground (0), blue (+1), as a table of 256 for maps and as CSS for lines;
 * and of classes. Orange and blue, and the order of the classes, are told apart by readers of every colour vision.
 * Mixed in OKLab (Ottosson 2020), so that equal steps look equal.
 */
import { theme } from "./theme.js";

/** @typedef {[number, number, number]} RGB */

/** @type {Record<"light" | "dark", {negative: RGB, zero: RGB, positive: RGB}>} */
const ENDS = {
  light: { negative: [243, 135, 36], zero: [246, 245, 242], positive: [20, 114, 186] },
  dark: { negative: [247, 151, 62], zero: [31, 35, 41], positive: [74, 165, 232] },
};
/** @type {Record<"light" | "dark", RGB[]>} */
const CLASSES = {
  light: [
    [20, 114, 186],
    [243, 135, 36],
    [0, 148, 115],
    [196, 76, 146],
    [214, 176, 0],
    [112, 84, 200],
    [106, 176, 224],
    [150, 75, 30],
    [96, 106, 120],
    [170, 200, 80],
  ],
  dark: [
    [74, 165, 232],
    [247, 151, 62],
    [43, 190, 150],
    [232, 120, 184],
    [236, 204, 60],
    [158, 134, 246],
    [150, 206, 244],
    [205, 130, 84],
    [156, 166, 180],
    [190, 220, 110],
  ],
};

const linear = (/** @type {number} */ c) => (c <= 10 ? c / 3294 : ((c / 255 + 0.055) / 1.055) ** 2.4);
const gamma = (/** @type {number} */ c) =>
  255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055);

/** @param {RGB} rgb @returns {RGB} */
function lab([r, g, b]) {
  const [x, y, z] = [linear(r), linear(g), linear(b)];
  const l = Math.cbrt(0.4122214708 * x + 0.5363325363 * y + 0.0514459929 * z);
  const m = Math.cbrt(0.2119034982 * x + 0.6806995451 * y + 0.1073969566 * z);
  const s = Math.cbrt(0.0883024619 * x + 0.2817188376 * y + 0.6299787005 * z);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** @param {RGB} lab @returns {RGB} */
function unlab([L, a, b]) {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const back = (/** @type {number} */ c) => Math.round(Math.min(255, Math.max(0, gamma(Math.max(0, c)))));
  return [
    back(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    back(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    back(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** A colour between two. @param {RGB} from @param {RGB} to @param {number} share @returns {RGB} */
export function mixed(from, to, share) {
  const [a, b] = [lab(from), lab(to)];
  return unlab([a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share]);
}

/** @param {RGB} rgb @param {number} [alpha] */
export const css = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

/** @type {Map<string, Uint32Array>} */
const tables = new Map();

/** The colours of -1 (0) to +1 (255) of this theme, as pixels of an ImageData seen as Uint32Array. @returns {Uint32Array} */
export function table() {
  const now = theme();
  const known = tables.get(now);
  if (known) return known;
  const { negative, zero, positive } = ENDS[now];
  const pixels = Uint32Array.from({ length: 256 }, (_, i) => {
    const v = (i - 127.5) / 127.5;
    const [r, g, b] = mixed(zero, v < 0 ? negative : positive, Math.abs(v) ** 0.85);
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
  tables.set(now, pixels);
  return pixels;
}

/** The CSS colour of a number from -1 to +1. @param {number} value @param {number} [alpha] */
export function colourOf(value, alpha = 1) {
  const i = Math.round(127.5 + 127.5 * Math.max(-1, Math.min(1, value || 0)));
  const p = table()[i];
  return css([p & 255, (p >> 8) & 255, (p >> 16) & 255], alpha);
}

/** The colour of a sign, at full strength. @param {number} value @param {number} [alpha] */
export function signColour(value, alpha = 1) {
  const ends = ENDS[theme()];
  return css(value < 0 ? ends.negative : ends.positive, alpha);
}

/** @param {number} index @returns {RGB} */
export const classRGB = (index) => CLASSES[theme()][index % CLASSES.light.length];

/** The CSS colour of a class among several. @param {number} index @param {number} [alpha] */
export const classColour = (index, alpha = 1) => css(classRGB(index), alpha);

/** The colour of nothing: what maps have at 0. @returns {RGB} */
export const groundRGB = () => ENDS[theme()].zero;
