/**
 * What the network answers, large: the map of the output, or of the neuron that is looked at, with the points over it,
 * axes and a colour bar. Points are painted, erased and dragged here.
 *
 * @typedef {import("./model.js").Live} Live
 * @typedef {import("./model.js").Neuron} Neuron
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../../kit/html.js";
import { everyFrame, sized } from "../../kit/canvas.js";
import { classColour, classRGB, colourOf, groundRGB, mixed, table } from "../../kit/colour.js";
import { Segmented, Toggle, Button, short } from "../../kit/controls.js";
import { theme, token } from "../../kit/theme.js";
import { t } from "../../i18n.js";
import { isOutput, mapIndex, neuronName } from "./model.js";
import { hides } from "./fields.js";

const SIDE = 100, CELLS = SIDE * SIDE;
const LEFT = 30, BOTTOM = 24, TOP = 8, RIGHT = 10;
const SOFT = 0.66;
const ENOUGH = 6; // points of a new set, before it is learnt: every fifth is for the test
const REACH = 11; // CSS pixels from a point at which it is taken

/** Whether the outputs are one a class. @param {any} state */
const severalClasses = (state) => state.layers.at(-1).units > 1;

/** The colour of a target, or of a class. @param {any} state @param {number} target */
export function targetColour(state, target) {
  if (!state.classes.length) return colourOf(target);
  return state.classes.length > 2 || severalClasses(state) ? classColour(target) : colourOf(target >= 0.5 ? 1 : -1);
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
    let best = 0, top = -1, second = -1;
    for (let k = 0; k < count; k++) {
      const v = maps[(first + k) * CELLS + i];
      if (v > top) { second = top; top = v; best = k; } else if (v > second) second = v;
    }
    pixels[i] = ramps[best][discrete ? 52 : Math.min(63, (top - second) >> 2)];
  }
}

/** @param {Uint32Array} pixels @param {Uint8Array} maps @param {number} n @param {boolean} discrete */
function paintNumbers(pixels, maps, n, discrete) {
  const colours = table(), from = n * CELLS;
  for (let i = 0; i < CELLS; i++) {
    const v = maps[from + i];
    pixels[i] = colours[discrete ? (v >= 128 ? 235 : 20) : v];
  }
}

/** Draws the large map. */
class Picture {
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

  /** Where the map lies on the canvas, in CSS pixels. */
  get area() {
    const side = Math.max(60, this.canvas.clientWidth - LEFT - RIGHT);
    return { left: LEFT, top: TOP, side };
  }

  /** From the plane to the canvas. @param {number} u @param {number} v */
  toCanvas(u, v) {
    const { left, top, side } = this.area, [[u0, u1], [v0, v1]] = /** @type {any} */ (this.live.state).range;
    return [left + ((u - u0) / (u1 - u0)) * side, top + ((v1 - v) / (v1 - v0)) * side];
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  toPlane(x, y) {
    const { left, top, side } = this.area, [[u0, u1], [v0, v1]] = /** @type {any} */ (this.live.state).range;
    return [u0 + ((x - left) / side) * (u1 - u0), v1 - ((y - top) / side) * (v1 - v0)];
  }

  /** The point nearest to a place, if one is near. @param {number} x @param {number} y */
  pointAt(x, y) {
    const state = /** @type {any} */ (this.live.state), { points, held } = state.arrays;
    let best = REACH, found = -1;
    for (let i = 0; i < held.length; i++) {
      if (held[i] && !state.setup.show_test) continue;
      const [px, py] = this.toCanvas(points[2 * i], points[2 * i + 1]);
      const distance = Math.hypot(px - x, py - y);
      if (distance < best) { best = distance; found = i; }
    }
    return found;
  }

  frame() {
    const { live, canvas } = this, { state } = live;
    const wide = canvas.clientWidth;
    if (!state || !wide) return;
    const neuron = live.hovered ?? live.selected;
    const now = `${live.version}/${this.pending?.length}/${wide}/${neuron?.layer},${neuron?.unit}/${theme()}/${devicePixelRatio}`;
    if (now === this.drawn) return;
    this.drawn = now;
    const { left, top, side } = this.area, tall = top + side + BOTTOM;
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
    const { live } = this, state = /** @type {any} */ (live.state), maps = /** @type {Uint8Array | undefined} */ (live.tick?.arrays.maps);
    if (!maps) return;
    const image = new ImageData(SIDE, SIDE), pixels = new Uint32Array(image.data.buffer);
    const last = state.layers.length - 1, discrete = state.setup.discretize && (!neuron || isOutput(state, neuron.layer));
    if (!neuron && severalClasses(state)) paintClasses(pixels, maps, mapIndex(state, { layer: last, unit: 0 }), state.layers[last].units, discrete);
    else paintNumbers(pixels, maps, mapIndex(state, neuron ?? { layer: last, unit: 0 }), discrete);
    /** @type {CanvasRenderingContext2D} */ (this.small.getContext("2d")).putImageData(image, 0, 0);
    const { left, top, side } = this.area;
    context.imageSmoothingEnabled = !discrete;
    context.imageSmoothingQuality = "high";
    const [r, g, b] = groundRGB();
    context.fillStyle = `rgb(${r} ${g} ${b})`;
    context.fillRect(left, top, side, side);
    context.globalAlpha = SOFT; // so that points of the same colour stand out
    context.drawImage(this.small, left, top, side, side);
    context.globalAlpha = 1;
  }

  /** Points change seldom: they are kept as a picture. @param {CanvasRenderingContext2D} context @param {number} wide @param {number} tall */
  drawPoints(context, wide, tall) {
    const state = /** @type {any} */ (this.live.state), { points, targets, held } = state.arrays;
    const ratio = Math.min(3, devicePixelRatio || 1);
    const now = `${wide}/${theme()}/${ratio}/${state.setup.show_test}/${this.pending?.length}`;
    if (now !== this.pointsDrawn || this.pointsOf !== points) {
      this.pointsDrawn = now;
      this.pointsOf = points;
      const own = sized(this.points, wide, tall);
      own.clearRect(0, 0, wide, tall);
      const { left, top, side } = this.area, radius = Math.max(2.2, Math.min(3.6, side / 88)) * (held.length > 1_500 ? 0.75 : 1);
      own.save();
      own.beginPath();
      own.rect(left, top, side, side);
      own.clip();
      const dot = (/** @type {number} */ u, /** @type {number} */ v, /** @type {number} */ target, /** @type {boolean} */ test) => {
        const [x, y] = this.toCanvas(u, v);
        own.beginPath();
        own.arc(x, y, radius, 0, 7);
        own.fillStyle = targetColour(state, target);
        own.fill();
        own.lineWidth = test ? 1.4 : state.classes.length ? 0.9 : 0.6;
        own.strokeStyle = test ? token("--ink") : !state.classes.length ? token("--control-line") : theme() === "dark" ? "rgb(12 14 17 / 0.85)" : "rgb(255 255 255 / 0.9)";
        own.stroke();
      };
      if (this.pending) for (const [u, v, target] of this.pending) dot(u, v, target, false);
      else for (let i = 0; i < held.length; i++) if (!held[i] || state.setup.show_test) dot(points[2 * i], points[2 * i + 1], targets[i], Boolean(held[i]));
      own.restore();
    }
    context.drawImage(this.points, 0, 0, wide, tall);
  }

  /** @param {CanvasRenderingContext2D} context */
  drawAxes(context) {
    const state = /** @type {any} */ (this.live.state), { left, top, side } = this.area;
    context.fillStyle = token("--muted");
    context.font = `11px ${token("--sans")}`;
    const [[u0, u1], [v0, v1]] = state.range;
    context.textBaseline = "top";
    for (const u of ticks(u0, u1)) {
      const [x] = this.toCanvas(u, v0);
      context.textAlign = x > left + side - 10 ? "right" : x < left + 10 ? "left" : "center";
      context.fillText(short(u), x, top + side + 6);
    }
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const v of ticks(v0, v1)) {
      const [, y] = this.toCanvas(u0, v);
      context.fillText(short(v), left - 6, Math.max(top + 6, Math.min(top + side - 6, y)));
    }
  }
}

/** Round numbers along an axis, about five. @param {number} low @param {number} high */
function ticks(low, high) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 3, 5, 10].find((m) => m * power >= rough) ?? 10);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(Number((i * step).toPrecision(6)));
  return found;
}

/**
 * @param {{live: Live, state: any, set: (changes: object) => void, paint: (fields: object) => Promise<any>, selected: Neuron | null,
 *   onPoint: (point: [number, number] | null) => void}} props
 */
export function Output({ live, state, set, paint, selected, onPoint }) {
  const canvas = useRef(/** @type {any} */ (null)), picture = useRef(/** @type {Picture | null} */ (null));
  const [tool, setTool] = useState("look");
  const [brush, setBrush] = useState(0);
  const read = useRef(/** @type {HTMLElement | null} */ (null)), caption = useRef(/** @type {HTMLElement | null} */ (null));
  const now = useRef(state);
  now.current = state;

  useLayoutEffect(() => {
    const drawn = (picture.current = new Picture(live, canvas.current));
    return everyFrame(() => drawn.frame());
  }, []);
  const name = () => {
    const neuron = live.hovered ?? live.selected;
    if (caption.current) caption.current.textContent = neuron ? neuronName(now.current, neuron) : t("network.outputMap");
  };
  useEffect(() => { name(); return live.watch(name); });

  const classes = state.classes.length ? state.classes : null;
  return html`<section class="panel output-panel" aria-label=${t("network.outputPanel")}>
    <div class="panel-head"><h2 ref=${caption}>${t("network.outputMap")}</h2><span class="map-read" ref=${read} /></div>
    <canvas class=${`map tool-${tool}`} ref=${canvas} role="img" aria-label=${t("network.mapLabel", { x: state.axes[0], y: state.axes[1] })}
      ...${pointerTools({ picture, live, now, tool, brush, paint, read, onPoint })} />
    <${Legend} state=${state} selected=${selected} />
    <div class="map-controls">
      ${!hides(state, "show_test") && html`<${Toggle} label=${t("network.showTest")} value=${state.setup.show_test} onChange=${(/** @type {boolean} */ on) => set({ show_test: on })} />`}
      ${!hides(state, "discretize") && html`<${Toggle} label=${t("network.discretize")} value=${state.setup.discretize} onChange=${(/** @type {boolean} */ on) => set({ discretize: on })} />`}
    </div>
    <div class="paint-row">
      <${Segmented} label=${t("network.tool")} value=${tool} onChange=${setTool} options=${[
        { value: "look", label: t("network.toolLook") }, { value: "brush", label: t("network.toolBrush"), icon: "brush" },
        { value: "move", label: t("network.toolMove"), icon: "move" }, { value: "erase", label: t("network.toolErase"), icon: "erase" }]} />
      ${tool === "brush" && html`<${Swatches} state=${state} classes=${classes} brush=${brush} onBrush=${setBrush} />`}
      ${tool !== "look" && html`<${Button} kind="quiet" icon="trash" onClick=${() => { if (picture.current) picture.current.pending = []; setTool("brush"); }}>${t("network.clearPoints")}<//>`}
    </div>
  </section>`;
}

/** Which class, or which number, the brush paints. @param {any} props */
function Swatches({ state, classes, brush, onBrush }) {
  const values = classes ? classes.map((/** @type {string} */ _, /** @type {number} */ i) => i) : [-1, -0.5, 0, 0.5, 1];
  return html`<div class="swatches" role="radiogroup" aria-label=${t("network.brushOf")}>${values.map((/** @type {number} */ value) => html`<button type="button" key=${value}
    role="radio" aria-checked=${String(value === brush)} aria-label=${classes ? classes[value] : String(value)} title=${classes ? classes[value] : String(value)}
    style=${{ background: targetColour(state, value) }} onClick=${() => onBrush(value)} />`)}</div>`;
}

/** @param {any} props */
function Legend({ state, selected }) {
  const ref = useRef(/** @type {any} */ (null));
  const several = severalClasses(state) && !selected;
  useEffect(() => {
    if (!ref.current) return;
    const context = sized(ref.current, ref.current.clientWidth, 8);
    const wide = ref.current.clientWidth;
    for (let x = 0; x < wide; x++) { context.fillStyle = colourOf((2 * x) / wide - 1); context.fillRect(x, 0, 1.5, 8); }
  });
  if (several) {
    return html`<ul class="class-legend">${state.classes.map((/** @type {string} */ name, /** @type {number} */ i) => html`<li key=${name}><span style=${{ background: classColour(i) }} />${name}</li>`)}</ul>`;
  }
  const [low, high] = state.classes.length === 2 && !selected ? state.classes : ["−1", "1"];
  return html`<div class="colour-bar"><canvas ref=${ref} aria-hidden="true" /><div><span>${low}</span><span>0</span><span>${high}</span></div></div>`;
}

/**
 * What the pointer does on the map: looks, paints, moves or erases. The next move is sent once the last was answered.
 * @param {any} props
 */
function pointerTools({ picture, live, now, tool, brush, paint, read, onPoint }) {
  const held = useRef(-1), down = useRef(false), busy = useRef(false), last = useRef([-1e9, -1e9]);
  /** @type {(fields: object) => Promise<void>} */
  const send = async (fields) => {
    if (busy.current) return;
    busy.current = true;
    await paint(fields);
    busy.current = false;
  };
  /** Points of a new set are gathered until there are enough of both kinds. @param {number[]} point */
  const add = (point) => {
    const shown = picture.current;
    if (!shown.pending) { send({ add: [point] }); return; }
    shown.pending = [...shown.pending, point];
  };
  const begin = () => {
    const shown = picture.current, targets = new Set(shown.pending?.map((/** @type {number[]} */ p) => p[2]));
    if (!shown.pending || shown.pending.length < ENOUGH || targets.size < 2) return;
    const points = shown.pending;
    paint({ clear: true, add: points }).then(() => { shown.pending = null; shown.pointsDrawn = ""; });
  };
  /** @param {PointerEvent} e @returns {[number, number]} */
  const where = (e) => {
    const area = /** @type {HTMLElement} */ (e.currentTarget).getBoundingClientRect();
    return [e.clientX - area.left, e.clientY - area.top];
  };
  /** @param {PointerEvent} e */
  const act = (e) => {
    const shown = picture.current, [x, y] = where(e), [u, v] = shown.toPlane(x, y), [[u0, u1], [v0, v1]] = now.current.range;
    const inside = u >= u0 && u <= u1 && v >= v0 && v <= v1;
    if (read.current) read.current.textContent = inside ? valueAt(live, now.current, u, v) : "";
    if (!down.current || !inside) return;
    if (tool === "brush" && Math.hypot(x - last.current[0], y - last.current[1]) > 9) { last.current = [x, y]; add([u, v, brush]); }
    if (tool === "move" && held.current >= 0) send({ move: [[held.current, u, v]] });
    if (tool === "erase") { const at = shown.pointAt(x, y); if (at >= 0) send({ remove: [at] }); }
  };
  return {
    onPointerDown: (/** @type {PointerEvent} */ e) => {
      const [x, y] = where(e);
      if (tool === "look") { onPoint(picture.current.toPlane(x, y)); return; }
      down.current = true;
      last.current = [-1e9, -1e9];
      held.current = tool === "move" ? picture.current.pointAt(x, y) : -1;
      /** @type {HTMLElement} */ (e.currentTarget).setPointerCapture(e.pointerId);
      act(e);
    },
    onPointerMove: act,
    onPointerUp: () => { down.current = false; begin(); },
    onPointerCancel: () => { down.current = false; },
    onPointerLeave: () => { if (read.current) read.current.textContent = ""; },
  };
}

/** What the map says at a place, in words. @param {Live} live @param {any} state @param {number} u @param {number} v */
function valueAt(live, state, u, v) {
  const maps = live.tick?.arrays.maps, [[u0, u1], [v0, v1]] = state.range;
  const place = `${short(u, 2)}, ${short(v, 2)}`;
  if (!maps) return place;
  const column = Math.min(SIDE - 1, Math.floor(((u - u0) / (u1 - u0)) * SIDE)), row = Math.min(SIDE - 1, Math.floor(((v1 - v) / (v1 - v0)) * SIDE));
  const neuron = live.hovered ?? live.selected ?? { layer: state.layers.length - 1, unit: 0 };
  const first = mapIndex(state, neuron), cell = row * SIDE + column;
  if (!live.selected && severalClasses(state)) {
    let best = 0;
    for (let k = 1; k < state.layers.at(-1).units; k++) if (maps[(first + k) * CELLS + cell] > maps[(first + best) * CELLS + cell]) best = k;
    return `${place} → ${state.outputs[best]}`;
  }
  return `${place} → ${short((maps[first * CELLS + cell] - 127.5) / 127.5, 2)}`;
}
