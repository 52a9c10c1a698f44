/** One look at one row, with its numbers: the sum, whether it is on the right side, and what the correction adds. */
import { html } from "../../kit/html.js";
import { t } from "../../i18n.js";

/** A number of few digits, its minus a real one. @param {number} value */
export const figure = (value) => String(Number(value.toFixed(2))).replace("-", "−");
const signed = (/** @type {number} */ value) => (value < 0 ? figure(value) : `+${figure(value)}`);
const factor = (/** @type {number} */ value) => (value < 0 ? `(${figure(value)})` : figure(value));

/** @param {{state: any, seen: any}} props  seen: the last tick that looked at a row */
export function Arithmetic({ state, seen }) {
  const look = seen?.look;
  if (!look) return html`<section class="panel arithmetic"><h2>${t("perceptron.arithmetic")}</h2><p class="note">${t("perceptron.notYet")}</p></section>`;
  const { x, sign, sum, weight, bias } = look, { wrong } = seen;
  const after = [...seen.weight, seen.bias], before = [...weight, bias], times = sign * sum;
  return html`<section class=${`panel arithmetic ${wrong ? "wrong" : "fine"}`} aria-label=${t("perceptron.arithmetic")}>
    <header><h2>${t("perceptron.rowOf", { row: seen.row + 1, rows: seen.rows })}</h2><span class="target">x = (${figure(x[0])}, ${figure(x[1])}) <i>·</i> ${t("perceptron.target")} <b class=${`target-sign ${sign > 0 ? "yes" : "no"}`}>${sign > 0 ? "+1" : "−1"}</b></span></header>
    <p class="line"><span class="lhs">w₁x₁ + w₂x₂ + b</span> = ${figure(weight[0])}·${factor(x[0])} ${weight[1] < 0 ? "−" : "+"} ${figure(Math.abs(weight[1]))}·${factor(x[1])} ${bias < 0 ? "−" : "+"} ${figure(Math.abs(bias))} = <b>${figure(sum)}</b></p>
    <p class="line judged"><span class="lhs">${t("perceptron.timesTarget")}</span> = <b>${figure(times)}</b> ${wrong ? "≤" : ">"} 0 <span class="judgement">${wrong ? "✕" : "✓"} ${t(wrong ? "perceptron.wrong" : "perceptron.fine")}</span></p>
    <table class="correction"><caption class="sr">${t("perceptron.correction")}</caption><thead><tr><td></td><th scope="col">w₁</th><th scope="col">w₂</th><th scope="col">b</th></tr></thead><tbody>
      <tr><th scope="row">${t("perceptron.before")}</th>${before.map((v, i) => html`<td key=${i}>${figure(v)}</td>`)}</tr>
      <tr class="added"><th scope="row">${wrong ? html`+ ${figure(state.learning_rate)} · (${sign > 0 ? "+1" : "−1"}) · (x₁, x₂, 1)` : t("perceptron.nothing")}</th>${after.map((v, i) => html`<td key=${i}>${wrong ? signed(v - before[i]) : "–"}</td>`)}</tr>
      <tr class="after"><th scope="row">${t("perceptron.after")}</th>${after.map((v, i) => html`<td key=${i}>${figure(v)}</td>`)}</tr>
    </tbody></table>
  </section>`;
}
