/** What is done at a step, in words and with its numbers. */
import { html } from "../../kit/html.js";
import { short, toneOf } from "../../kit/controls.js";
import { t } from "../../i18n.js";
import { derivativeOf, lineOf, nameOf } from "./symbols.js";

/** @typedef {import("./layout.js").Tape} Tape @typedef {import("./steps.js").Step} Step */

/** What came out. @param {number | null} v */
const out = (v) => html`<strong class=${`out ${toneOf(v)}`}>${short(v, 4)}</strong>`;
/** The adjoint of a name. @param {string} name */
const bar = (name) => html`<span class="over">${name}</span>`;
/** @param {string} over @param {string} under */
const part = (over, under) =>
  html`<span class="part"><span>∂${over}</span><span class="bar-over">∂${under}</span></span>`;
/** @param {number | null} v */
const num = (v) => (v !== null && v < 0 ? `(${short(v)})` : short(v));

/** @param {Tape} tape @param {Step} step */
export function saidOf(tape, { phase, node }) {
  return t(`tape.at.${phase}`, { name: node < 0 ? "" : nameOf(tape, node) });
}

/** @typedef {[any, any, string?]} Line  left, right, and the sign between them where it is not = */

/**
 * Whether more is to come for a node after this step.
 * @param {Tape} tape
 * @param {number} node
 * @param {number} to
 */
function awaited({ backward }, node, to) {
  const at = backward.findIndex((step) => step.node === node);
  return backward.slice(at + 1).some((step) => step.parts.some((part) => part.to === to));
}

/** @param {Tape} tape @param {Step} step @returns {Line[]} */
function linesOf(tape, { phase, node, parts }) {
  const name = node < 0 ? "" : nameOf(tape, node);
  if (phase === "inputs")
    return tape.nodes.flatMap((one) =>
      one.label ? [/** @type {Line} */ ([one.label, out(one.value)])] : [],
    );
  if (phase === "forward")
    return [
      [name, lineOf(tape, node, "names")],
      [null, lineOf(tape, node, "values")],
      [null, out(tape.nodes[node].value)],
    ];
  if (phase === "seed") return [[bar(name), html`${part(name, name)} = ${out(1)}`]];
  return parts.flatMap(({ to, at, local, part: handed, sum }) => {
    const under = nameOf(tape, to),
      symbols = derivativeOf(tape, node, at);
    return /** @type {Line[]} */ ([
      [part(name, under), /^−?1$/.test(symbols) ? out(local) : html`${symbols} = ${out(local)}`],
      [
        bar(under),
        html`${bar(name)} · ${part(name, under)} = ${num(tape.nodes[node].adjoint)} · ${num(local)} = ${out(handed)}`,
        "+=",
      ],
      [
        bar(under),
        html`${out(sum)} <span class="small">${awaited(tape, node, to) ? t("tape.soFar") : ""}</span>`,
      ],
    ]);
  });
}

/** @param {{tape: Tape, step: Step, at: number, last: boolean}} props */
export function Now({ tape, step, at, last }) {
  return html`<div class="tape-now"><h2 class="panel-title">${saidOf(tape, step)}</h2>
    <p class="note">${t(`tape.why.${step.phase}`)}</p>
    <div class="lines" key=${at}>${linesOf(tape, step).map(
      (
        [left, right, sign = "="],
        i,
      ) => html`<div class="eq" key=${i} style=${{ animationDelay: `${Math.min(i, 8) * 130}ms` }}>
      <span class="left">${left}</span><span class="equals">${sign}</span><span class="right">${right}</span>
          </div>`,
    )}</div>
    ${tape.nodes.some((node) => node.value === null || node.adjoint === null) && html`<p
        class="note">${t("tape.dash")}</p>`}
    ${
      last &&
      html`<div class="tape-gradient"><h3>${t("tape.gradient")}</h3>${tape.nodes.map(
        (node, place) =>
          node.label &&
          html`<span key=${place} class="eq-inline">${part("f", node.label)} = ${out(node.adjoint)}</span>`,
      )}</div>`
    }
  </div>`;
}
