/** The ground as a picture: the darker the lower, with contour lines where the session has its levels. */
import { css, mixed } from "../../kit/colour.js";
import { pixelRatio } from "../../kit/scale.js";
import { sized } from "../../kit/canvas.js";
import { theme } from "../../kit/theme.js";

/** @typedef {import("../../frames.js").Frame} Frame */
/** @type {Record<"light" | "dark", {low: [number, number, number], high: [number, number, number], line: string}>} */
const LOOK = {
  light: { low: [128, 142, 160], high: [250, 249, 246], line: "rgb(28 31 38 / 0.2)" },
  dark: { low: [8, 10, 13], high: [66, 74, 87], line: "rgb(236 235 232 / 0.16)" },
};

/** Where a value lies among ascending levels, from 0 to 1. @param {number} value @param {number[]} levels */
function heightOf(value, levels) {
  let low = 0,
    high = levels.length - 1;
  if (!(value < levels[high])) return 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (value < levels[middle]) high = middle;
    else low = middle;
  }
  const share = (value - levels[low]) / (levels[high] - levels[low]);
  return (low + Math.max(0, share)) / (levels.length - 1);
}

/**
 * Contour lines by marching squares: pieces of them, x0, y0, x1, y1, in units of the grid.
 * @param {ArrayLike<number>} values @param {number} side @param {number} level
 */
function piecesOf(values, side, level) {
  /** @type {number[]} */
  const pieces = [];
  for (let row = 0; row + 1 < side; row++) {
    for (let column = 0; column + 1 < side; column++) {
      const at = row * side + column;
      const a = values[at] - level,
        b = values[at + 1] - level,
        c = values[at + side + 1] - level,
        d = values[at + side] - level;
      /** @type {number[]} */
      const crossed = [];
      if (a < 0 !== b < 0) crossed.push(column + a / (a - b), row);
      if (b < 0 !== c < 0) crossed.push(column + 1, row + b / (b - c));
      if (c < 0 !== d < 0) crossed.push(column + d / (d - c), row + 1);
      if (d < 0 !== a < 0) crossed.push(column, row + a / (a - d));
      for (let i = 0; i + 3 < crossed.length; i += 4) pieces.push(...crossed.slice(i, i + 4));
    }
  }
  return pieces;
}

/**
 * Paints a surface once, and keeps it until it, the size or the theme changes.
 */
export class Ground {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.drawn = "";
    this.lines = { surface: "", pieces: /** @type {number[]} */ ([]) };
  }

  /** @param {Frame} state @param {number} width @param {number} height @returns {HTMLCanvasElement} */
  picture(state, width, height) {
    const now = `${state.surface}/${width}/${height}/${theme()}/${pixelRatio()}`;
    if (now === this.drawn) return this.canvas;
    this.drawn = now;
    const context = sized(this.canvas, width, height),
      side = state.shapes.ground[0];
    context.imageSmoothingQuality = "high";
    const [across, down] = [width / (side - 1), height / (side - 1)]; // values lie on corners, pixels are areas
    context.drawImage(this.shades(state, side), -across / 2, -down / 2, width + across, height + down);
    context.beginPath();
    const pieces = this.contours(state, side);
    for (let i = 0; i < pieces.length; i += 4) {
      context.moveTo(pieces[i] * across, pieces[i + 1] * down);
      context.lineTo(pieces[i + 2] * across, pieces[i + 3] * down);
    }
    context.strokeStyle = LOOK[theme()].line;
    context.lineWidth = 1;
    context.stroke();
    return this.canvas;
  }

  /** The lines of all levels, found once a surface. @param {Frame} state @param {number} side @returns {number[]} */
  contours(state, side) {
    if (this.lines.surface === state.surface) return this.lines.pieces;
    const pieces = state.levels
      .slice(1, -1)
      .flatMap((/** @type {number} */ level) => piecesOf(state.arrays.ground, side, level));
    this.lines = { surface: state.surface, pieces };
    return pieces;
  }

  /** @param {Frame} state @param {number} side */
  shades(state, side) {
    const small = Object.assign(document.createElement("canvas"), { width: side, height: side }),
      image = new ImageData(side, side),
      { low, high } = LOOK[theme()];
    const ramp = Array.from({ length: 256 }, (_, i) => mixed(low, high, i / 255));
    state.arrays.ground.forEach((/** @type {number} */ value, /** @type {number} */ i) => {
      image.data.set([...ramp[Math.round(255 * heightOf(value, state.levels))], 255], 4 * i);
    });
    small.getContext("2d")?.putImageData(image, 0, 0);
    return small;
  }
}

/** The colours of the scale beside the picture, from low to high. */
export const scaleColours = () => [css(LOOK[theme()].low), css(LOOK[theme()].high)];
