/** Every weight: what it is, its gradient beside a finite difference, and what the step makes of it. */
import { html, useEffect, useRef } from "../../kit/html.js";
import { short, toneOf } from "../../kit/controls.js";
import { stillness } from "../../kit/theme.js";
import { t } from "../../i18n.js";
import { nameOf, reached } from "./steps.js";

/** @typedef {import("./steps.js").State} State @typedef {import("./steps.js").Step} Step */

/** The rows of the table. @param {State} state */
function rowsOf(state) {
  return state.layers.flatMap((of, layer) =>
    of.outputs.flatMap((_, unit) => {
      const name = nameOf(state, layer, unit);
      const pick = (/** @type {any} */ array, /** @type {number} */ from) =>
        from < 0 ? array[unit] : array[from][unit];
      return [...of.inputs.keys(), -1].map((from) => {
        const { before, gradient, difference, after } = from < 0 ? of.bias : of.weight;
        return {
          layer,
          unit,
          name: from < 0 ? `b → ${name}` : `${nameOf(state, layer - 1, from)} → ${name}`,
          before: pick(before, from),
          gradient: pick(gradient, from),
          difference: pick(difference, from),
          after: pick(after, from),
        };
      });
    }),
  );
}

/** @param {{state: State, steps: Step[], at: number}} props */
export function Weights({ state, steps, at }) {
  const step = steps[at],
    scroller = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const box = scroller.current,
      row = /** @type {HTMLElement | null | undefined} */ (box?.querySelector("tr.now"));
    if (box && row) box.scrollTo({ top: row.offsetTop - 60, behavior: stillness() ? "auto" : "smooth" });
  }, [at]);
  return html`<section class="panel bp-weights"><h2>${t("backpropagation.weights")}</h2>
    <div class="scroll" ref=${scroller} tabindex="0" role="region" aria-label=${t("backpropagation.weights")}>
        <table><thead><tr>
      <th scope="col">${t("backpropagation.weight")}</th><th scope="col">${t("backpropagation.now")}</th>
      <th scope="col">${t("backpropagation.gradient")}</th><th scope="col">${t("backpropagation.difference")}
          </th>
      <th scope="col">${t("backpropagation.after")}</th></tr></thead>
    <tbody>${rowsOf(state).map((row) => {
      const { layer, unit } = row;
      const back = reached(steps, at, "backward", layer, unit),
        done = reached(steps, at, "update", layer, unit);
      const now = step.layer === layer && (step.unit === unit || step.unit === -1) && step.phase !== "inputs";
      const number = (/** @type {boolean} */ known, /** @type {number} */ value) =>
        html`<td class=${known ? toneOf(value) : "unknown"}>${known ? short(value, 4) : "·"}
            </td>`;
      return html`<tr key=${row.name} class=${now ? "now" : ""}><th scope="row">${row.name}</th>
        <td>${short(row.before, 4)}
            </td>${number(back, row.gradient)}${number(back, row.difference)}${number(done, row.after)}</tr>`;
    })}</tbody></table></div>
    <p class="note">${t("backpropagation.checked", { worst: short(state.largest_difference, 2) })}</p>
  </section>`;
}
