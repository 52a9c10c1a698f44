/** The curves of a training: losses, scores, rates, and one line a layer for the norms. */
import { html, useEffect, useMemo, useRef, useState } from "../../kit/html.js";
import { Segmented, Toggle, short } from "../../kit/controls.js";
import { classColour } from "../../kit/colour.js";
import { Curve } from "../../kit/curve.js";
import { tOr, t } from "../../i18n.js";

/** @typedef {{label: string, colour: string, dash?: number[], width?: number, values: (number | null)[]}} Line */
const DASHES = [undefined, [7, 3], [2, 3], [9, 3, 2, 3]];

/** The columns of a matrix that lies row by row; what is no finite number is null. @param {ArrayLike<number>} matrix @param {number[]} shape @returns {(number | null)[][]} */
function columns(matrix, [rows, count]) {
  return Array.from({ length: count }, (_, k) => Array.from({ length: rows }, (_, i) => (Number.isFinite(matrix[i * count + k]) ? matrix[i * count + k] : null)));
}

/** The history of a training by the names of its figures. */
export class Figures {
  /** @param {any} tick */
  constructor(tick) {
    /** @type {string[]} */
    this.names = tick.columns;
    this.all = columns(tick.arrays.curve, tick.shapes.curve);
    this.epochs = this.all[0];
  }

  /** @param {string} name @returns {(number | null)[]} */
  of(name) {
    return this.all[this.names.indexOf(name)] ?? [];
  }

  /** @param {string} name */
  has = (name) => this.of(name).some((value) => value !== null);
}

/** The name of a figure of the history. @param {string} name */
const called = (name) => tOr(`monitor.figure.${name}`, name.replace(/^val_/, "").replaceAll("_", " "));

/** A sample of a line, for the legend. @param {{line: Line}} props */
function Sample({ line }) {
  const stroke = line.colour.startsWith("--") ? `var(${line.colour})` : line.colour;
  return html`<svg class="sample" width="22" height="8" aria-hidden="true"><line x1="0" y1="4" x2="22" y2="4" stroke-width="2.2"
    stroke-dasharray=${line.dash?.join(" ")} style=${{ stroke }} /></svg>`;
}

/**
 * A panel with lines over epochs; the legend shows the newest values, or those under the pointer.
 * @param {{title: string, x: (number | null)[], lines: Line[], log: boolean, onLog?: ((on: boolean) => void) | null, height?: number, help?: string, head?: any, class?: string}} props
 */
function Chart({ title, x, lines, log, onLog, height = 190, help, head, class: more = "" }) {
  const handle = useRef(/** @type {any} */ (null));
  const [read, setRead] = useState(/** @type {(number | null)[] | null} */ (null));
  const positive = (/** @type {(number | null)[]} */ values) => (log ? values.map((v) => (v !== null && v > 0 ? v : null)) : values);
  useEffect(() => handle.current?.set([x, ...lines.map((line) => positive(line.values))]));
  const newest = (/** @type {(number | null)[]} */ values) => values.reduce((last, v) => v ?? last, null);
  return html`<section class=${`panel chart ${more}`}>
    <header>${title && html`<h2>${title}</h2>`}${head}${onLog && html`<${Toggle} label=${t("monitor.log")} value=${log} onChange=${onLog} />`}</header>
    <${Curve} series=${lines} handle=${handle} log=${log} height=${height} along="epoch" onRead=${setRead}
      label=${t("monitor.curveSay", { title: title || lines.map((line) => line.label).join(", ") })} />
    <ul class="legend">${read && html`<li class="at">${t("monitor.epoch")} ${short(read[0], 5)}</li>`}
      ${lines.map((line, i) => html`<li key=${line.label}><${Sample} line=${line} /><span>${line.label}</span> <b>${short(read ? read[i + 1] : newest(line.values), 4)}</b></li>`)}</ul>
    ${help && html`<p class="note">${help}</p>`}
  </section>`;
}

/** @param {{figures: Figures, tick: any, held: boolean}} props */
export function LossChart({ figures, tick, held }) {
  const [log, setLog] = useState(false);
  const { x, lines } = useMemo(() => {
    const inner = columns(tick.arrays.within, tick.shapes.within);
    const own = [{ label: t("monitor.training"), colour: "--neg", values: figures.of("loss") },
      ...(held ? [{ label: t("monitor.held"), colour: "--pos", width: 2.25, values: figures.of("val_loss") }] : [])];
    return inner[0]?.length ? merged(figures.epochs, own, inner) : { x: figures.epochs, lines: own };
  }, [tick, figures, held]);
  const best = tick.best_epoch ? html`<span class="note">${t("monitor.best", { epoch: tick.best_epoch })}</span>` : null;
  return html`<${Chart} title=${t("monitor.loss")} x=${x} lines=${lines} log=${log} onLog=${setLog} height=${260} head=${best} class="wide" />`;
}

/** Lines over epochs, and the losses of batches between them. @param {(number | null)[]} epochs @param {Line[]} own @param {(number | null)[][]} within */
function merged(epochs, own, [at, losses]) {
  const x = [...new Set([...epochs, ...at])].sort((a, b) => Number(a) - Number(b));
  const place = new Map(x.map((v, i) => [v, i]));
  const spread = (/** @type {(number | null)[]} */ from, /** @type {(number | null)[]} */ values) => {
    const out = /** @type {(number | null)[]} */ (Array(x.length).fill(null));
    from.forEach((v, i) => { out[place.get(v) ?? 0] = values[i]; });
    return out;
  };
  const batch = { label: t("monitor.within"), colour: "--control-line", width: 1, values: spread(at, losses) };
  return { x, lines: [batch, ...own.map((line) => ({ ...line, values: spread(epochs, line.values) }))] };
}

/** One figure of several, chosen. @param {{figures: Figures, names: string[], title: string, small?: boolean}} props */
export function ScoreChart({ figures, names, title, small = false }) {
  const there = names.filter((name) => figures.has(name));
  const [chosen, setChosen] = useState(names[0]);
  const name = there.includes(chosen) ? chosen : (there[0] ?? names[0]);
  const line = { label: called(name), colour: name.startsWith("val_") ? "--pos" : "--ink", values: figures.of(name) };
  const options = there.map((value) => ({ value, label: called(value) }));
  const head = there.length > 1 ? html`<${Segmented} label=${t("monitor.which")} value=${name} options=${options} onChange=${setChosen} />` : null;
  return html`<${Chart} title=${title} x=${figures.epochs} lines=${[line]} log=${false} head=${head} height=${small ? 150 : 190} />`;
}

/** A line for each layer. @param {{title: string, help: string, matrix: Float64Array, shape: number[], about: any, log: boolean, empty: string}} props */
export function NormsChart({ title, help, matrix, shape, about, log: first, empty }) {
  const [log, setLog] = useState(first);
  const [x, ...norms] = columns(matrix, shape);
  if (!shape[0]) return html`<section class="panel chart"><header><h2>${title}</h2></header><p class="note empty">${empty}</p></section>`;
  const kinds = Object.fromEntries(about.layers.map((/** @type {any} */ layer) => [layer.path, layer.kind]));
  const lines = norms.map((values, i) => {
    const path = about.normed[i];
    return { label: `${path} ${kinds[path] ?? ""}`.trim(), colour: classColour(i), dash: DASHES[i % DASHES.length], values };
  });
  return html`<${Chart} title=${title} x=${x} lines=${lines} log=${log} onLog=${setLog} help=${help} />`;
}
