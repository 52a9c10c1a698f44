/** What is worked out at a step, with its numbers: formula, the numbers put in, what comes out. */
import { html } from "../../kit/html.js";
import { short, toneOf } from "../../kit/controls.js";
import { t } from "../../i18n.js";
import { nameOf } from "./steps.js";

/** @typedef {import("./steps.js").State} State @typedef {import("./steps.js").Step} Step */

/** The activation and its slope as symbols. @type {Record<string, [string, string]>} */
const SYMBOLS = {
  logistic: ["1 / (1 + e⁻ᶻ)", "a (1 − a)"],
  tanh: ["tanh z", "1 − a²"],
  relu: ["max(0, z)", "1 {above}, 0 {below}"],
  elu: ["z {above}, eᶻ − 1 {below}", "1 {above}, eᶻ {below}"],
  leaky_relu: ["z {above}, 0.01 z {below}", "1 {above}, 0.01 {below}"],
  softplus: ["log(1 + eᶻ)", "1 / (1 + e⁻ᶻ)"],
  linear: ["z", "1"],
};

/**
 * Symbols in italics, words as words.
 * @param {string} activation
 * @param {0 | 1} which  the function, or its slope
 */
const symbol = (activation, which) =>
  SYMBOLS[activation][which].split(/(\{\w+\}|\b[aez]\b|e(?=⁻?ᶻ))/).map((part) => {
    if (part.startsWith("{"))
      return html`<span class="small">${t(`backpropagation.${part.slice(1, -1)}`)}</span>`;
    return /^[aez]$/.test(part) ? html`<i>${part}</i>` : part;
  });

/** A number among others: in brackets where it is negative. @param {number} v */
const num = (v) => html`<span class="num">${v < 0 || Object.is(v, -0) ? `(${short(v)})` : short(v)}</span>`;
/** What came out. @param {number} v */
const out = (v) => html`<strong class=${`out ${toneOf(v)}`}>${short(v, 4)}</strong>`;
/** @param {any} over @param {any} under */
const part = (over, under) =>
  html`<span class="part"><span>∂${over}</span><span class="bar-over">∂${under}</span></span>`;
/** @param {string} name */
const v = (name) => html`<i>${name}</i>`;

/** Parts with a sign between them. @param {any[]} parts @param {string} sign */
const joined = (parts, sign) =>
  parts.flatMap((item, i) => (i ? [html`<span class="sign"> ${sign} </span>`, item] : [item]));

/** A line: left side (none: it goes on), right side. @typedef {[any, any]} Line */

/** @param {State} state @param {number} layer @param {number} unit @returns {Line[]} */
function forward(state, layer, unit) {
  const of = state.layers[layer],
    names = of.inputs.map((_, i) => nameOf(state, layer - 1, i));
  const bias = of.bias.before[unit],
    sub = (/** @type {number} */ i) => "₁₂₃₄"[i];
  return [
    [
      v("z"),
      html`${joined(
        names.map((name, i) => html`<i>w${sub(i)}${name}</i>`),
        "+",
      )} + <i>b</i>`,
    ],
    [
      null,
      html`${joined(
        of.inputs.map(
          (x, i) => html`<span class="term">${num(of.weight.before[i][unit])} · ${num(x)}</span>`,
        ),
        "+",
      )} + ${num(bias)}`,
    ],
    [null, out(of.pre_activations[unit])],
    [v("a"), html`<i>f</i>(<i>z</i>) = ${symbol(state.activation, 0)}`],
    [null, out(of.outputs[unit])],
  ];
}

/** @param {State} state @returns {Line[]} */
function loss(state) {
  const last = state.layers[state.layers.length - 1],
    [a] = last.outputs,
    [up] = last.upstream;
  return [
    [v("L"), html`(<i>ŷ</i> − <i>y</i>)² = (${num(a)} − ${num(state.target)})²`],
    [null, out(state.loss)],
    [part(v("L"), v("ŷ")), html`2 (<i>ŷ</i> − <i>y</i>) = 2 (${num(a)} − ${num(state.target)})`],
    [null, out(up)],
  ];
}

/** @param {State} state @param {number} layer @param {number} unit @returns {Line[]} */
function backward(state, layer, unit) {
  const of = state.layers[layer],
    behind = state.layers[layer + 1];
  const upstream = behind
    ? joined(
        behind.deltas.map(
          (delta, k) => html`<span class="term">${num(behind.weight.before[unit][k])} · ${num(delta)}</span>`,
        ),
        "+",
      )
    : null;
  /** @type {Line[]} */
  const first = upstream
    ? [
        [
          part(v("L"), v("a")),
          html`${joined(
            behind.deltas.map(
              (_, k) =>
                html`<i>w</i>→${nameOf(state, layer + 1, k)} <i>δ</i>(${nameOf(state, layer + 1, k)})`,
            ),
            "+",
          )}`,
        ],
        [null, upstream],
        [null, out(of.upstream[unit])],
      ]
    : [[part(v("L"), v("a")), out(of.upstream[unit])]];
  return [
    ...first,
    [v("f′(z)"), html`${symbol(state.activation, 1)} = ${out(of.derivatives[unit])}`],
    [
      v("δ"),
      html`${part(v("L"), v("a"))} · <i>f′</i>(<i>z</i>) = ${num(of.upstream[unit])} · ${num(of.derivatives[unit])}`,
    ],
    [null, out(of.deltas[unit])],
    ...of.inputs.map(
      (x, i) =>
        /** @type {Line} */ ([
          part(v("L"), html`<i>w${"₁₂₃₄"[i]}</i>`),
          html`<i>δ</i> · <i>${nameOf(state, layer - 1, i)}
              </i> = ${num(of.deltas[unit])} · ${num(x)} = ${out(of.weight.gradient[i][unit])}`,
        ]),
    ),
    [part(v("L"), v("b")), html`<i>δ</i> = ${out(of.bias.gradient[unit])}`],
  ];
}

/** @param {State} state @param {number} layer @returns {Line[]} */
function update(state, layer) {
  const of = state.layers[layer],
    rate = state.learning_rate;
  /** @param {any} before @param {any} gradient @param {any} after */
  const taken = (before, gradient, after) =>
    html`${num(before)} − ${rate} · ${num(gradient)} = ${out(after)}`;
  /** @type {Line[]} */
  const lines = [[v("w"), html`<i>w</i> − <i>η</i> ${part(v("L"), v("w"))}`]];
  of.outputs.forEach((_, to) => {
    const name = nameOf(state, layer, to);
    of.inputs.forEach((_, from) => {
      const { before, gradient, after } = of.weight;
      lines.push([
        html`<span class="small">${nameOf(state, layer - 1, from)}→${name}</span>`,
        taken(before[from][to], gradient[from][to], after[from][to]),
      ]);
    });
    lines.push([
      html`<span class="small"><i>b</i>→${name}</span>`,
      taken(of.bias.before[to], of.bias.gradient[to], of.bias.after[to]),
    ]);
  });
  return lines;
}

/** @param {State} state @param {Step} step @returns {Line[]} */
function linesOf(state, { phase, layer, unit }) {
  if (phase === "forward") return forward(state, layer, unit);
  if (phase === "loss") return loss(state);
  if (phase === "backward") return backward(state, layer, unit);
  if (phase === "update") return update(state, layer);
  return state.x.map((x, i) => [v(nameOf(state, -1, i)), out(x)]);
}

/** What is done at a step, in one line. @param {State} state @param {Step} step */
export function saidOf(state, { phase, layer, unit }) {
  const name = phase === "forward" || phase === "backward" ? nameOf(state, layer, unit) : "";
  const which =
    layer === state.layers.length - 1
      ? t("backpropagation.output")
      : t("backpropagation.layer", { n: layer + 1 });
  return t(`backpropagation.at.${phase}`, { name, which });
}

/** @param {{state: State, step: Step, at: number, speed: number}} props */
export function Formulas({ state, step, at, speed }) {
  return html`<div class="lines" key=${at}>${linesOf(state, step).map(
    (
      [left, right],
      i,
    ) => html`<div class="eq" key=${i} style=${{ animationDelay: `${(Math.min(i, 8) * 140) / speed}ms` }}>
      <span class="left">${left}</span><span class="equals">=</span><span class="right">${right}</span></div>`,
  )}</div>`;
}
