/**
 * The large map as it is drawn: the output, or the neuron that is looked at, with the points over it and axes.
 *
 * @typedef {import("./model.js").Live} Live
 * @typedef {import("./model.js").Neuron} Neuron
 */
import { sized } from "../../kit/canvas.js";
import { classColour, classRGB, colourOf, groundRGB, mixed, table } from "../../kit/colour.js";
import { short } from "../../kit/controls.js";
import { pixelRatio } from "../../kit/scale.js";
import { theme, token } from "../../kit/theme.js";
import { columnName, isOutput, mapIndex } from "./model.js";
import { ticks, unitOf } from "./units.js";

export const SIDE = 100,
  CELLS = SIDE * SIDE;
const LEFT = 30,
  BOTTOM = 24,
  TOP = 8,
  RIGHT = 10,
  NAME = 16;
const SOFT = 0.66; // of the map's colours, so that points of the same colour stand out
const REACH = 11; // CSS pixels from a point at which it is taken

/** Whether the outputs are one a class. @param {any} state */
export const severalClasses = (state) => state.layers.at(-1).units > 1;

/** The colour of a target, or of a class. @param {any} state @param {number} target */
export function targetColour(state, target) {
  if (!state.classes.length) return colourOf(target);
  return state.classes.length > 2 || severalClasses(state)
    ? classColour(target)
    : colourOf(target >= 0.5 ? 1 : -1);
}

/** @type {Map<string, Uint32Array>} */
const ramps = new Map();

/** From the ground to a class's colour, in 64 steps, as pixels. @param {number} index @returns {Uint32Array} */
function ramp(index) {
  const key = `${theme()}${index}`;
  let found = ramps.get(key);
  if (!found) {
    found = Uint32Array.from({ length: 64 }, (_, i) => {
      const [r, g, b] = mixed(groundRGB(), classRGB(index), 0.12 + 0.88 * (i / 63));
      return (255 << 24) | (b << 16) | (g << 8) | r;
    });
    ramps.set(key, found);
  }
  return found;
}

/** The map of several outputs: the colour of the largest, the stronger the further it is ahead. @param {Uint32Array} pixels @param {Uint8Array} maps @param {number} first @param {number} count @param {boolean} discrete */
function paintClasses(pixels, maps, first, count, discrete) {
  const ramps = Array.from({ length: count }, (_, k) => ramp(k));
  for (let i = 0; i < CELLS; i++) {
    let best = 0,
      top = -1,
      second = -1;
    for (let k = 0; k < count; k++) {
      const v = maps[(first + k) * CELLS + i];
      if (v > top) {
        second = top;
        top = v;
        best = k;
      } else if (v > second) second = v;
    }
    pixels[i] = ramps[best][discrete ? 52 : Math.min(63, (top - second) >> 2)];
  }
}

/** @param {Uint32Array} pixels @param {Uint8Array} maps @param {number} n @param {boolean} discrete */
function paintNumbers(pixels, maps, n, discrete) {
  const colours = table(),
    from = n * CELLS;
  for (let i = 0; i < CELLS; i++) {
    const v = maps[from + i];
    pixels[i] = colours[discrete ? (v >= 128 ? 235 : 20) : v];
  }
}

/** Draws the large map. */
export class Picture {
  /** @param {Live} live @param {HTMLCanvasElement} canvas */
  constructor(live, canvas) {
    this.live = live;
    this.canvas = canvas;
    this.small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
    this.points = document.createElement("canvas");
    this.drawn = "";
    this.pointsDrawn = "";
    /** @type {number[][] | null} points of a new set, until there are enough for it to be learnt */
    this.pending = null;
  }

  /** Whether the axes are columns with names, for which there is room then. */
  get named() {
    return this.live.state?.setup.dataset === "table" || (this.live.state?.columns?.length ?? 2) > 2;
  }

  /** Where the map lies on the canvas, in CSS pixels. */
  get area() {
    const left = LEFT + (this.named ? NAME : 0);
    return { left, top: TOP, side: Math.max(60, this.canvas.clientWidth - left - RIGHT) };
  }

  /** From the plane to the canvas. @param {number} u @param {number} v */
  toCanvas(u, v) {
    const { left, top, side } = this.area,
      [[u0, u1], [v0, v1]] = /** @type {any} */ (this.live.state).range;
    return [left + ((u - u0) / (u1 - u0)) * side, top + ((v1 - v) / (v1 - v0)) * side];
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  toPlane(x, y) {
    const { left, top, side } = this.area,
      [[u0, u1], [v0, v1]] = /** @type {any} */ (this.live.state).range;
    return [u0 + ((x - left) / side) * (u1 - u0), v1 - ((y - top) / side) * (v1 - v0)];
  }

  /** The point nearest to a place, if one is near. @param {number} x @param {number} y */
  pointAt(x, y) {
    const state = /** @type {any} */ (this.live.state),
      { points, held } = state.arrays;
    let best = REACH,
      found = -1;
    for (let i = 0; i < held.length; i++) {
      if (held[i] && !state.setup.show_test) continue;
      const [px, py] = this.toCanvas(points[2 * i], points[2 * i + 1]);
      const distance = Math.hypot(px - x, py - y);
      if (distance < best) {
        best = distance;
        found = i;
      }
    }
    return found;
  }

  frame() {
    const { live, canvas } = this,
      { state } = live;
    const wide = canvas.clientWidth;
    if (!state || !wide) return;
    const neuron = live.hovered ?? live.selected;
    const now = `${live.version}/${this.pending?.length}/${wide}/${neuron?.layer},${neuron?.unit}/${theme()}/${pixelRatio()}`;
    if (now === this.drawn) return;
    this.drawn = now;
    const { left, top, side } = this.area,
      tall = top + side + BOTTOM + (this.named ? NAME : 0);
    canvas.style.height = `${tall}px`;
    const context = sized(canvas, wide, tall);
    context.clearRect(0, 0, wide, tall);
    this.drawMap(context, neuron);
    this.drawPoints(context, wide, tall);
    this.drawAxes(context);
    context.strokeStyle = token("--line-strong");
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, top + 0.5, side - 1, side - 1);
  }

  /** @param {CanvasRenderingContext2D} context @param {Neuron | null} neuron */
  drawMap(context, neuron) {
    const { live } = this,
      state = /** @type {any} */ (live.state),
      maps = /** @type {Uint8Array | undefined} */ (live.tick?.arrays.maps);
    if (!maps) return;
    const image = new ImageData(SIDE, SIDE),
      pixels = new Uint32Array(image.data.buffer);
    const last = state.layers.length - 1,
      discrete = state.setup.discretize && (!neuron || isOutput(state, neuron.layer));
    if (!neuron && severalClasses(state))
      paintClasses(
        pixels,
        maps,
        mapIndex(state, { layer: last, unit: 0 }),
        state.layers[last].units,
        discrete,
      );
    else paintNumbers(pixels, maps, mapIndex(state, neuron ?? { layer: last, unit: 0 }), discrete);
    /** @type {CanvasRenderingContext2D} */ (this.small.getContext("2d")).putImageData(image, 0, 0);
    const { left, top, side } = this.area;
    context.imageSmoothingEnabled = !discrete;
    context.imageSmoothingQuality = "high";
    const [r, g, b] = groundRGB();
    context.fillStyle = `rgb(${r} ${g} ${b})`;
    context.fillRect(left, top, side, side);
    context.globalAlpha = SOFT;
    context.drawImage(this.small, left, top, side, side);
    context.globalAlpha = 1;
  }

  /** Points change seldom: they are kept as a picture. @param {CanvasRenderingContext2D} context @param {number} wide @param {number} tall */
  drawPoints(context, wide, tall) {
    const state = /** @type {any} */ (this.live.state),
      { points, targets, held } = state.arrays;
    const ratio = pixelRatio();
    const now = `${wide}/${theme()}/${ratio}/${state.setup.show_test}/${this.pending?.length}`;
    if (now !== this.pointsDrawn || this.pointsOf !== points) {
      this.pointsDrawn = now;
      this.pointsOf = points;
      const own = sized(this.points, wide, tall);
      own.clearRect(0, 0, wide, tall);
      const { left, top, side } = this.area,
        radius = Math.max(2.2, Math.min(3.6, side / 88)) * (held.length > 1_500 ? 0.75 : 1);
      own.save();
      own.beginPath();
      own.rect(left, top, side, side);
      own.clip();
      const dot = (
        /** @type {number} */ u,
        /** @type {number} */ v,
        /** @type {number} */ target,
        /** @type {boolean} */ test,
      ) => {
        const [x, y] = this.toCanvas(u, v);
        own.beginPath();
        own.arc(x, y, radius, 0, 7);
        own.fillStyle = targetColour(state, target);
        own.fill();
        own.lineWidth = test ? 1.4 : state.classes.length ? 0.9 : 0.6;
        own.strokeStyle = test
          ? token("--ink")
          : !state.classes.length
            ? token("--control-line")
            : theme() === "dark"
              ? "rgb(12 14 17 / 0.85)"
              : "rgb(255 255 255 / 0.9)";
        own.stroke();
      };
      if (this.pending) for (const [u, v, target] of this.pending) dot(u, v, target, false);
      else
        for (let i = 0; i < held.length; i++)
          if (!held[i] || state.setup.show_test)
            dot(points[2 * i], points[2 * i + 1], targets[i], Boolean(held[i]));
      own.restore();
    }
    context.drawImage(this.points, 0, 0, wide, tall);
  }

  /** @param {CanvasRenderingContext2D} context */
  drawAxes(context) {
    const state = /** @type {any} */ (this.live.state),
      { left, top, side } = this.area;
    context.fillStyle = token("--muted");
    context.font = `11px ${token("--sans")}`;
    const [[u0, u1], [v0, v1]] = state.range;
    context.textBaseline = "top";
    const [across, up] = state.axes.map((/** @type {string} */ name) => unitOf(state, name));
    for (const { at, value } of ticks(across, u0, u1)) {
      const [x] = this.toCanvas(at, v0);
      context.textAlign = x > left + side - 10 ? "right" : x < left + 10 ? "left" : "center";
      context.fillText(short(value), x, top + side + 6);
    }
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const { at, value } of ticks(up, v0, v1)) {
      const [, y] = this.toCanvas(u0, at);
      context.fillText(short(value), left - 6, Math.max(top + 6, Math.min(top + side - 6, y)));
    }
    if (this.named) this.nameAxes(context);
  }

  /** @param {CanvasRenderingContext2D} context */
  nameAxes(context) {
    const { left, top, side } = this.area,
      state = /** @type {any} */ (this.live.state);
    const [across, up] = state.axes.map((/** @type {string} */ name) => columnName(state, name));
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.fillStyle = token("--ink");
    context.fillText(across, left + side / 2, top + side + BOTTOM + NAME - 5, side);
    context.save();
    context.translate(11, top + side / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(up, 0, 0, side);
    context.restore();
  }
}
