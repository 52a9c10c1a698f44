/** How well it reads: accuracy over the epochs, what is taken for what, and the test digits that it misses. */
import { html, useEffect, useMemo, useRef } from "../../kit/html.js";
import { Curve } from "../../kit/curve.js";
import { t } from "../../i18n.js";
import { Pixels } from "./pixels.js";

/** @typedef {import("../../frames.js").Frame} Frame */

const percent = (/** @type {number} */ v) => `${(100 * v).toFixed(1)} %`;

/** @param {{tick: Frame}} props */
export function Accuracy({ tick }) {
  const handle = useRef(/** @type {any} */ (null));
  const names = [t("digits.training"), t("digits.test")];
  const series = useMemo(
    () => [
      { label: names[0], colour: "--train", dash: [5, 3] },
      { label: names[1], colour: "--test" },
    ],
    [names.join()],
  );
  useEffect(() => {
    const { curve } = tick.arrays; // rows of epoch, shares that are right in training and in test
    handle.current?.set([0, 1, 2].map((column) => Array.from(curve).filter((_, i) => i % 3 === column)));
  }, [tick, series]);
  return html`<div class="accuracy"><p><span><i class="key test" />${names[1]}</span>
      <strong>${percent(tick.accuracy.test)}</strong></p><p><span><i class="key train" />${names[0]}</span>
      <strong>${percent(tick.accuracy.train)}</strong></p></div>
    <${Curve} series=${series} handle=${handle} label=${t("digits.curve")} height=${110} along="epoch" />`;
}

/** @param {{tick: Frame}} props */
export function Confusion({ tick }) {
  const { confusion } = tick.arrays,
    side = tick.shapes.confusion[0];
  const digits = Array.from({ length: side }, (_, k) => k);
  const share = (/** @type {number} */ row, /** @type {number} */ column) => {
    const all = digits.reduce((sum, k) => sum + confusion[row * side + k], 0);
    return Math.sqrt(confusion[row * side + column] / Math.max(1, all));
  };
  return html`<section class="panel confusion-panel" aria-label=${t("digits.confusion")}>
      <h2>${t("digits.confusion")}</h2><p class="note">${t("digits.confusionHelp")}</p>
    <table class="digit-confusion"><thead><tr><td />${digits.map((k) => html`<th scope="col" key=${k}>${k}
        </th>`)}</tr></thead>
      <tbody>${digits.map(
        (row) =>
          html`<tr key=${row}><th scope="row">${row}</th>${digits.map(
            (column) =>
              html`<td key=${column} class=${row === column ? "right" : "wrong"}
                  style=${{ "--share": share(row, column).toFixed(3) }}>${confusion[row * side + column] || ""}
                  </td>`,
          )}</tr>`,
      )}</tbody></table></section>`;
}

/** @param {{tick: Frame, onLook: (pixels: number[]) => void}} props */
export function Missed({ tick, onLook }) {
  const { missed, missed_labels: labels } = tick.arrays;
  const rows = Array.from({ length: tick.shapes.missed[0] }, (_, i) => i);
  return html`<section class="panel missed-panel" aria-label=${t("digits.missed")}><h2>${t("digits.missed")}
      </h2>
    <p class="note">${t(rows.length ? "digits.missedHelp" : "digits.noneMissed")}</p>
    <div class="missed">${rows.map((i) => {
      const said = { label: labels[2 * i], answer: labels[2 * i + 1] };
      return html`<button type="button" key=${i}
          onClick=${() => onLook(Array.from(missed.subarray(64 * i, 64 * i + 64), (v) => v / 255))}>
        <${Pixels} values=${missed} at=${64 * i} /><span aria-hidden="true">${said.label} → <b>${said.answer}</b></span><span
        class="sr">${t("digits.missedOne", said)}</span></button>`;
    })}</div></section>`;
}
