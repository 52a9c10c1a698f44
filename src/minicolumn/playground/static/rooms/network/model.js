/**
 * What is known of the network that is drawn: where its weights lie in a tick, the names of its parts, its curves, and
 * the newest frames, for those who draw. It computes nothing that the session says.
 *
 * @typedef {import("../../frames.js").Frame} Frame
 * @typedef {{layer: number, unit: number}} Neuron      layer counts the layers with weights from 0, the output last
 * @typedef {{layer: number, source: number, unit: number}} Link
 */
import { t } from "../../i18n.js";

/** Where the weights of each layer begin in `weights`; nowhere, of a network that came as a whole. @param {Frame} state @returns {{fanIn: number, units: number, at: number, biases: number}[]} */
export function layout(state) {
  let fanIn = state.inputs.length,
    at = 0;
  if (state.whole) return [];
  return state.layers.map((/** @type {{units: number}} */ { units }) => {
    const place = { fanIn, units, at, biases: at + fanIn * units };
    at = place.biases + units;
    fanIn = units;
    return place;
  });
}

/** Number of a neuron among the maps. @param {Frame} state @param {Neuron} neuron */
export function mapIndex(state, { layer, unit }) {
  let before = 0;
  for (let i = 0; i < layer; i++) before += state.layers[i].units;
  return before + unit;
}

/** @param {Frame} state */
export const neuronCount = (state) =>
  state.layers.reduce((/** @type {number} */ n, /** @type {{units: number}} */ l) => n + l.units, 0);

/** @param {Frame} state @param {number} layer */
export const isOutput = (state, layer) => layer === state.layers.length - 1;

/** Whether a state has a neuron: it may have been named in one before. @param {Frame} state @param {Neuron} neuron */
export const hasNeuron = (state, { layer, unit }) => state.layers[layer]?.units > unit;

/** Whether a state has a link. @param {Frame} state @param {Link} link */
export const hasLink = (state, { layer, source, unit }) =>
  hasNeuron(state, { layer, unit }) && layout(state)[layer]?.fanIn > source;

/** What a neuron is called. @param {Frame} state @param {Neuron} neuron @returns {string} */
export function neuronName(state, { layer, unit }) {
  if (!isOutput(state, layer)) return t("network.neuron", { unit: unit + 1, layer: layer + 1 });
  return state.outputs.length > 1
    ? t("network.outputOf", { name: state.outputs[unit] })
    : t("network.output");
}

/** What feeds a layer, by name. @param {Frame} state @param {number} layer @param {number} source */
export function sourceName(state, layer, source) {
  if (layer === 0) return pretty(state.inputs[source].name);
  return neuronName(state, { layer: layer - 1, unit: source });
}

/** What a column of the points is called: a table's columns have names of their own. @param {any} state @param {string} column */
export function columnName(state, column) {
  const name = state.column_names?.[state.columns.indexOf(column)];
  return state.setup.dataset === "table" && name ? name : pretty(column);
}

const SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉";

/** A formula as it is written by hand: x1*x2 as x₁x₂, x1^2 as x₁². @param {string} formula */
export function pretty(formula) {
  return formula
    .replace(/\bx(\d)\b/g, (_, n) => `x${SUBSCRIPT[n]}`)
    .replace(/\s*(?:\^|\*\*)\s*2(?!\d)/g, "²")
    .replace(/\s*(?:\^|\*\*)\s*3(?!\d)/g, "³")
    .replace(/([₀-₉²³)])\s*\*\s*(?=[a-z(])/g, "$1 ")
    .replace(/\s*\*\s*/g, "·")
    .replace(/(?<=\S)\s*\+\s*/g, " + ")
    .replace(/^(\w+)\((x[₀-₉])\)$/, "$1 $2");
}

/** Two spellings of a feature are one. @param {string} formula */
export const normal = (formula) => formula.replace(/\s+/g, "").replace(/\*\*/g, "^").toLowerCase();

const MOST_ROWS = 3_000;

/** Rows of (step, loss train, loss test, score train, score test): those of the tick, or where it stands. @param {Frame} tick @returns {Float32Array} */
function curveOf(tick) {
  const { curve } = tick.arrays;
  if (curve instanceof Float32Array) return curve;
  const score = (/** @type {any} */ scores) => Object.values(scores ?? {})[0] ?? NaN;
  return Float32Array.of(
    tick.step,
    tick.loss?.train ?? NaN,
    tick.loss?.test ?? NaN,
    score(tick.scores?.train),
    score(tick.scores?.test),
  );
}

/** The curves of a run, thinned where they get long. */
export class Curves {
  constructor() {
    /** @type {(number | null)[][]} step, loss train, loss test, score train, score test */
    this.columns = [[], [], [], [], []];
    /** Keep each so manieth row. */
    this.every = 1;
    this.seen = 0;
  }

  clear() {
    Object.assign(this, new Curves());
  }

  /** @param {Float32Array} rows */
  add(rows) {
    const [steps] = this.columns;
    for (let i = 0; i + 5 <= rows.length; i += 5) {
      const last = steps.at(-1);
      if (last !== undefined && last !== null && rows[i] <= last) continue;
      if (this.seen++ % this.every) continue;
      this.columns.forEach((column, k) => column.push(Number.isFinite(rows[i + k]) ? rows[i + k] : null));
    }
    if (steps.length > MOST_ROWS) this.thin();
  }

  thin() {
    this.columns = this.columns.map((column) => column.filter((_, i) => i % 2 === 0));
    this.every *= 2;
  }
}

/** What those who draw look at: the newest frames, and a number that grows with each change. */
export class Live {
  constructor() {
    /** @type {Frame | null} */
    this.state = null;
    /** @type {Frame | null} */
    this.tick = null;
    this.version = 0;
    this.curves = new Curves();
    /** @type {Neuron | null} the neuron that the pointer or the focus is on */
    this.hovered = null;
    /** @type {Neuron | null} the neuron that was clicked */
    this.selected = null;
    /** @type {Set<() => void>} */
    this.watchers = new Set();
  }

  /** Something changed that is drawn. */
  touch() {
    this.version++;
    for (const tell of this.watchers) tell();
  }

  /** @param {() => void} tell @returns {() => void} */
  watch(tell) {
    this.watchers.add(tell);
    return () => {
      this.watchers.delete(tell);
    };
  }

  /** @param {Frame} state */
  takeState(state) {
    const controls = state.controls ?? this.state?.controls;
    const datasets = state.datasets ?? this.state?.datasets;
    this.state = { ...state, controls, datasets };
    if (state.reset) {
      this.curves.clear();
      this.tick = null;
    }
    if (this.tick && this.tick.arrays.maps.length !== neuronCount(state) * 10_000) this.tick = null;
    const { selected } = this;
    if (selected && !hasNeuron(state, selected)) this.selected = null;
    this.hovered = null;
    this.touch();
  }

  /** @param {Frame} tick */
  takeTick(tick) {
    const last = this.curves.columns[0].at(-1);
    if (tick.step === 0 || (typeof last === "number" && tick.step < last)) this.curves.clear();
    this.curves.add(curveOf(tick));
    this.tick = tick;
    this.touch();
  }

  /** The weights of the newest tick that fit the network that is drawn. @returns {Float32Array | null} */
  get weights() {
    if (!this.state || !this.tick) return null;
    if (this.state.whole) return /** @type {Float32Array} */ (this.tick.arrays.weights);
    const last = layout(this.state).at(-1);
    const found = /** @type {Float32Array} */ (this.tick.arrays.weights);
    return last && found && found.length === last.biases + last.units ? found : null;
  }

  /** @param {Link} link @returns {number | null} */
  weightOf({ layer, source, unit }) {
    const { weights } = this,
      place = this.state && layout(this.state)[layer];
    return weights && place ? weights[place.at + source * place.units + unit] : null;
  }

  /** @param {Neuron} neuron @returns {number | null} */
  biasOf({ layer, unit }) {
    const { weights } = this,
      place = this.state && layout(this.state)[layer];
    return weights && place ? weights[place.biases + unit] : null;
  }
}
