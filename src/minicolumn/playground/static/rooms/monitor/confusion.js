/** Which classes are taken for which. */
import { html } from "../../kit/html.js";
import { t } from "../../i18n.js";

/** @param {{tick: any, held: boolean, names: string[]}} props  names: of the classes; they are numbered where there are none */
export function Confusion({ tick, held, names }) {
  const counts = /** @type {Int32Array} */ (tick.arrays.confusion), k = tick.shapes.confusion[0];
  const classes = Array.from({ length: k }, (_, i) => i);
  const nameOf = (/** @type {number} */ i) => names[i] ?? String(i);
  const totals = classes.map((i) => counts.subarray(i * k, i * k + k).reduce((a, b) => a + b, 0));
  const cell = (/** @type {number} */ i, /** @type {number} */ j) => {
    const count = counts[i * k + j], share = totals[i] ? count / totals[i] : 0;
    const style = count ? { background: `color-mix(in srgb, var(${i === j ? "--pos" : "--neg"}) ${Math.round(8 + 47 * share)}%, var(--panel))` } : {};
    return html`<td key=${j} class=${i === j ? "right" : ""} style=${style} title=${t("monitor.cellSay", { count, total: totals[i], truth: nameOf(i), guess: nameOf(j) })}>${count || html`<span class="none">0</span>`}</td>`;
  };
  return html`<section class="panel confusion-panel"><header><h2>${t("monitor.confusion")}</h2></header>
    <div class="confusion-scroll"><table class="matrix"><thead><tr><td class="corner"><span>${t("monitor.truth")}</span> \\ <span>${t("monitor.says")}</span></td>
      ${classes.map((j) => html`<th key=${j} scope="col" title=${nameOf(j)}>${nameOf(j)}</th>`)}</tr></thead>
      <tbody>${classes.map((i) => html`<tr key=${i}><th scope="row" title=${nameOf(i)}>${nameOf(i)}</th>${classes.map((j) => cell(i, j))}</tr>`)}</tbody></table></div>
    <p class="note">${t("monitor.confusionHelp")} ${t(held ? "monitor.confusionHeld" : "monitor.confusionTrained")}</p></section>`;
}
