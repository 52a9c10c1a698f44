/** What every neuron answers: the first layer with what it looks for, the next ones, and the probabilities. */
import { html } from "../../kit/html.js";
import { t } from "../../i18n.js";
import { Pixels } from "./pixels.js";

/** @typedef {import("../../frames.js").Frame} Frame */

/** Answers as shares of the largest. @param {ArrayLike<number>} answers */
function shares(answers) {
  const largest = Math.max(...Array.from(answers), 1e-9);
  return Array.from(answers, (v) => Math.max(0, v) / largest);
}

/** @param {{tick: Frame, seen: Frame}} props */
function First({ tick, seen }) {
  const parts = shares(seen.arrays.layer0);
  if (tick.shapes.weights[0] !== parts.length) return null;
  return html`<div class="first-layer">${parts.map(
    (share, k) =>
      html`<span class="look-for" key=${k} style=${{ "--share": String(share) }}><${Pixels}
          values=${tick.arrays.weights} at=${64 * k} as="signed" /><i /></span>`,
  )}</div>`;
}

/** @param {{answers: ArrayLike<number>}} props */
const Hidden = ({ answers }) =>
  html`<div class="hidden-layer">${shares(answers).map((share, k) => html`<span key=${k}
      style=${{ "--share": String(share) }}><i /></span>`)}</div>`;

/** @param {{tick: Frame, seen: Frame}} props */
export function Layers({ tick, seen }) {
  const hidden = Object.keys(seen.arrays).filter((name) => name.startsWith("layer")).length - 1;
  const count = (/** @type {number} */ layer) => ({
    count: seen.arrays[`layer${layer}`].length,
    firing: Array.from(seen.arrays[`layer${layer}`]).filter((v) => v > 0).length,
  });
  return html`<section class="panel layers-panel" aria-label=${t("digits.layers")}>
    <h2>${t("digits.firstLayer")}</h2><p class="note">${t("digits.firstHelp")}</p>
    <${First} tick=${tick} seen=${seen} /><p class="sr">${t("digits.firing", count(0))}</p>
    ${Array.from({ length: hidden - 1 }, (_, i) => html`<h2
        key=${`h${i}`}>${t("digits.nextLayer", { layer: i + 2 })}</h2><${Hidden} key=${i}
        answers=${seen.arrays[`layer${i + 1}`]} /><p key=${`s${i}`}
        class="sr">${t("digits.firing", count(i + 1))}</p>`)}
    <h2>${t("digits.probabilities")}</h2>
    <ol class="probabilities">${seen.probabilities.map(
      (
        /** @type {number} */ p,
        /** @type {number} */ digit,
      ) => html`<li key=${digit} class=${digit === seen.answer ? "answer" : ""}
          style=${{ "--share": String(p) }}>
        <span class="percent">${p >= 0.005 ? `${Math.round(100 * p)} %` : ""}</span><span class="column"><i />
            </span><b>${digit}</b></li>`,
    )}</ol></section>`;
}

/** The answer, large. @param {{seen: Frame}} props */
export function Answer({ seen }) {
  const p = seen.probabilities[seen.answer];
  return html`<p class="answer-line" aria-live="polite"><span>${t("digits.reads")}</span><strong>${seen.answer}
      </strong><span>${t("digits.sure", { percent: (100 * p).toFixed(1) })}</span></p>`;
}
