/**
 * The network of the step: what is known so far is written in its neurons, what is on its way runs along
 *   its links.
 */
import { html } from "../../kit/html.js";
import { short, toneOf } from "../../kit/controls.js";
import { colourOf, signColour } from "../../kit/colour.js";
import { useWidth } from "../../kit/room.js";
import { t } from "../../i18n.js";
import { nameOf, reached } from "./steps.js";

/** @typedef {import("./steps.js").State} State @typedef {import("./steps.js").Step} Step */
/**
 * @typedef {{x: number, y: number}} Place
 * @typedef {{width: number, height: number, radius: number, narrow: boolean, place: (layer: number, unit:
 *   number) => Place}} Plan
 */

/** A number of as many digits as a neuron has room for. @param {number} value @param {Plan} plan */
function fitting(value, { narrow }) {
  const text = short(value, narrow ? 2 : 3);
  return text.length > (narrow ? 5 : 6) ? short(value, narrow ? 1 : 2) : text;
}

/** @param {State} state @param {number} width @returns {Plan} */
function planOf({ layers }, width) {
  const narrow = width < 560;
  const counts = [2, ...layers.map((layer) => layer.outputs.length), 1];
  const radius = narrow ? Math.min(22, width / counts.length / 2.6) : 33;
  const rows = Math.max(...counts);
  const row = narrow ? 92 : Math.max(108, Math.min(160, 400 / rows));
  const height = rows * row + (narrow ? 24 : 40);
  const edge = radius + (narrow ? 8 : 44);
  return {
    width,
    height,
    radius,
    narrow,
    place: (layer, unit) => ({
      x: edge + ((layer + 1) * (width - 2 * edge)) / (counts.length - 1),
      y: height / 2 + (unit - (counts[layer + 1] - 1) / 2) * row - 8,
    }),
  };
}

/**
 * What a link shows at a step: whether something runs along it, and what is written on it.
 * @param {State} state
 * @param {Step} step
 * @param {number} layer
 * @param {number} from
 * @param {number} to
 */
function onLink({ layers }, step, layer, from, to) {
  const weight = layers[layer].weight;
  const own = step.layer === layer && (step.unit === to || step.unit === -1);
  if (step.phase === "forward" && own) return { runs: "ahead", text: short(weight.before[from][to], 2) };
  if (step.phase === "backward" && own) return { runs: "", text: `∂ ${short(weight.gradient[from][to], 2)}` };
  if (step.phase === "backward" && step.layer === layer - 1 && step.unit === from)
    return { runs: "back", text: short(weight.before[from][to], 2) };
  if (step.phase === "update" && own) return { runs: "", text: `→ ${short(weight.after[from][to], 2)}` };
  return null;
}

/** @param {{state: State, steps: Step[], at: number, plan: Plan}} props */
function Links({ state, steps, at, plan }) {
  const step = steps[at],
    { layers } = state;
  const largest = Math.max(1e-9, ...layers.flatMap((layer) => layer.weight.before.flat().map(Math.abs)));
  const lines = [],
    notes = [];
  for (let layer = 0; layer < layers.length; layer++) {
    const { before, after } = layers[layer].weight;
    const done = reached(steps, at, "update", layer, 0);
    for (let from = 0; from < before.length; from++)
      for (let to = 0; to < before[0].length; to++) {
        const a = plan.place(layer - 1, from),
          b = plan.place(layer, to);
        const w = (done ? after : before)[from][to];
        const shown = onLink(state, step, layer, from, to);
        const key = `${layer}.${from}.${to}`,
          ends = { x1: a.x, y1: a.y, x2: b.x, y2: b.y };
        lines.push(html`<line key=${key} ...${ends} class=${`link ${shown ? "now" : ""}`}
          stroke-dasharray=${w < 0 ? "7 5" : undefined}
          style=${{ stroke: signColour(w), strokeWidth: 1.2 + (3.6 * Math.abs(w)) / largest }} />`);
        if (shown?.runs)
          lines.push(html`<line key=${`${key}.runs`} ...${ends} class=${`runs ${shown.runs}`} />`);
        if (shown) {
          const share = step.phase === "backward" && shown.runs ? 0.66 : plan.narrow ? 0.45 : 0.4;
          notes.push(html`<${Note} key=${`${key}.note`} text=${shown.text} narrow=${plan.narrow}
            x=${a.x + share * (b.x - a.x)} y=${a.y + share * (b.y - a.y)} />`);
        }
      }
  }
  return html`<g>${lines}</g><g>${notes}</g>`;
}

/** A word on a link. @param {{x: number, y: number, text: string, narrow: boolean}} props */
function Note({ x, y, text, narrow }) {
  const wide = text.length * (narrow ? 6 : 7.4) + (narrow ? 7 : 12);
  const high = narrow ? 16 : 20;
  return html`<g class="note-on" transform=${`translate(${x} ${y})`}>
    <rect x=${-wide / 2} y=${-high / 2} width=${wide} height=${high} rx=${high / 2} />
    <text dy="0.35em">${text}</text></g>`;
}

/**
 * @param {{state: State, steps: Step[], at: number, plan: Plan, layer: number, unit: number, onPick:
 *   (layer: number, unit: number) => void}} props
 */
function Neuron({ state, steps, at, plan, layer, unit, onPick }) {
  const { x, y } = plan.place(layer, unit),
    r = plan.radius,
    step = steps[at];
  const of = state.layers[layer],
    input = layer < 0;
  const forward = input || reached(steps, at, "forward", layer, unit);
  const backward = !input && reached(steps, at, "backward", layer, unit);
  const now = step.layer === layer && (step.unit === unit || step.unit === -1) && step.phase !== "inputs";
  const value = input ? state.x[unit] : of.outputs[unit];
  return html`<g class=${`neuron ${now ? "now" : ""} ${forward ? "" : "blank"}`}
      transform=${`translate(${x} ${y})`}
      onClick=${input ? undefined : () => onPick(layer, unit)}>
    ${now && html`<circle class="halo" r=${r + 6} />`}
    ${
      input
        ? html`<rect class="body" x=${-r} y=${-r} width=${2 * r} height=${2 * r} rx="9"
            style=${{ fill: colourOf(value / 3) }} />`
        : html`<circle class="body" r=${r} style=${{ fill: forward ? colourOf(0.6 * value) : undefined }} />`
    }
    <text class="value" dy="0.35em">${forward ? fitting(value, plan) : ""}</text>
    <text class="name" x=${-r * (input ? 0.4 : 0.86)}
        y=${-r * (input ? 1.2 : 0.86)}>${nameOf(state, layer, unit)}</text>
    ${
      !input &&
      forward &&
      html`<text class="sum"
        y=${r + 19}>z ${short(of.pre_activations[unit], plan.narrow ? 2 : 3)}</text>`
    }
    ${
      backward &&
      html`<g class="delta" transform=${`translate(0 ${r + (plan.narrow ? 31 : 36)})`}>
      <text dy="0.32em"
          class=${toneOf(of.deltas[unit])}>δ ${short(of.deltas[unit], plan.narrow ? 2 : 3)}
          </text></g>`
    }
  </g>`;
}

/**
 * The loss at the end.
 * @param {{state: State, steps: Step[], at: number, plan: Plan, onPick: (layer: number, unit: number) =>
 *   void}} props
 */
function Loss({ state, steps, at, plan, onPick }) {
  const layer = state.layers.length,
    end = plan.place(layer, 0),
    from = plan.place(layer - 1, 0),
    r = plan.radius;
  const known = reached(steps, at, "loss", layer, 0),
    now = steps[at].phase === "loss";
  const ends = { x1: from.x + r, y1: from.y, x2: end.x - r, y2: end.y };
  return html`<g><line ...${ends} class="link to-loss" />
    ${now && html`<line ...${ends} class="runs back" />`}
    ${
      now &&
      html`<${Note} text=${short(state.layers[layer - 1].upstream[0], 2)} narrow=${plan.narrow}
        x=${(from.x + end.x) / 2} y=${end.y} />`
    }
    <g class=${`neuron loss ${now ? "now" : ""} ${known ? "" : "blank"}`}
        transform=${`translate(${end.x} ${end.y})`}
      onClick=${() => onPick(layer, 0)}>
      ${
        now &&
        html`<rect class="halo" x=${-r - 6} y=${-r - 6} width=${2 * r + 12} height=${2 * r + 12}
          rx="13" />`
      }
      <rect class="body" x=${-r} y=${-r} width=${2 * r} height=${2 * r} rx="9" />
      <text class="value" dy="0.35em">${known ? fitting(state.loss, plan) : ""}</text>
      <text class="name" x=${-r * 0.86} y=${-r - 6}>L</text>
      <text class="sum" y=${r + 19}>y ${short(state.target)}</text></g></g>`;
}

/**
 * @param {{state: State, steps: Step[], at: number, label: string, onPick: (layer: number, unit: number) =>
 *   void}} props
 */
export function Drawing({ state, steps, at, label, onPick }) {
  const [ref, width] = useWidth();
  const plan = planOf(state, width || 600);
  const all = [[0, 1], ...state.layers.map((layer) => layer.outputs)];
  return html`<div class="bp-drawing" ref=${ref}>${
    width > 0 &&
    html`<svg width=${plan.width} height=${plan.height} role="img" aria-label=${label}>
    <${Links} state=${state} steps=${steps} at=${at} plan=${plan} />
    <${Loss} state=${state} steps=${steps} at=${at} plan=${plan} onPick=${onPick} />
    ${all.map((units, place) =>
      units.map(
        (_, unit) => html`<${Neuron} key=${`${place}.${unit}`} state=${state}
      steps=${steps} at=${at} plan=${plan} layer=${place - 1} unit=${unit} onPick=${onPick} />`,
      ),
    )}
  </svg>`
  }<p class="note legend">${t("backpropagation.legend")}</p></div>`;
}
