/** The loss of the right class, and its gradient by every score, with their numbers. */
import { html } from "../../kit/html.js";
import { Segmented } from "../../kit/controls.js";
import { t } from "../../i18n.js";
import { className, figure } from "./bars.js";

/** @param {{state: any, onTarget: (target: number) => void}} props */
export function Loss({ state, onTarget }) {
  const { probabilities, gradient, target, loss, temperature } = state;
  const options = probabilities.map((/** @type {number} */ _, /** @type {number} */ i) => ({ value: i, label: className(i) }));
  return html`<section class="panel loss-panel" aria-label=${t("softmax.loss")}>
    <header><h2>${t("softmax.loss")}</h2><div class="right-class"><span>${t("softmax.target")}</span><${Segmented} label=${t("softmax.target")} value=${target} options=${options} onChange=${onTarget} /></div></header>
    <p class="loss-line"><span>−ln p(${className(target)}) = −ln ${figure(probabilities[target], 3)} =</span> <output class="loss-value">${figure(loss, 3)}</output></p>
    <p class="note">${t("softmax.lossHelp")}</p>
    <table class="gradient"><caption>${t("softmax.gradientOf")}</caption><thead><tr><td></td>${options.map((/** @type {any} */ { value, label }) => html`<th key=${value} scope="col">${label}</th>`)}</tr></thead><tbody>
      <tr><th scope="row"><i>p</i></th>${probabilities.map((/** @type {number} */ p, /** @type {number} */ i) => html`<td key=${i}>${figure(p, 3)}</td>`)}</tr>
      <tr><th scope="row">− <i>y</i></th>${probabilities.map((/** @type {number} */ _, /** @type {number} */ i) => html`<td key=${i}>${i === target ? "−1" : "0"}</td>`)}</tr>
      <tr class="result"><th scope="row">${t("softmax.overT", { temperature: figure(temperature) })}</th>${gradient.map((/** @type {number} */ g, /** @type {number} */ i) => html`<td key=${i} class=${g < 0 ? "negative" : ""}>${figure(g, 3)} <span aria-hidden="true">${g < 0 ? "↑" : "↓"}</span></td>`)}</tr>
    </tbody></table><p class="note">${t("softmax.gradientHelp")}</p></section>`;
}
