/** The tape itself: every operation in its order, read downward for values and upward for adjoints. */
import { html, useEffect, useRef } from "../../kit/html.js";
import { short, toneOf } from "../../kit/controls.js";
import { stillness } from "../../kit/theme.js";
import { t } from "../../i18n.js";
import { lineOf, nameOf } from "./symbols.js";

/**
 * @typedef {import("./layout.js").Tape} Tape
 * @typedef {import("./steps.js").Step} Step
 * @typedef {ReturnType<typeof import("./steps.js").knownAt>} Known
 */

/** @param {{tape: Tape, step: Step, known: Known}} props */
export function Listing({ tape, step, known }) {
  const scroller = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const box = scroller.current,
      row = /** @type {HTMLElement | null | undefined} */ (box?.querySelector("tr.now"));
    if (box && row) box.scrollTo({ top: row.offsetTop - 70, behavior: stillness() ? "auto" : "smooth" });
  }, [step]);
  const back = step.phase === "backward" || step.phase === "seed";
  return html`<section class="panel tape-listing"><h2>${t("tape.listing")}</h2>
    <div class="scroll" ref=${scroller} tabindex="0" role="region" aria-label=${t("tape.listing")}>
    <table><thead><tr><th scope="col"><span class="sr">${t("tape.nodeName")}</span></th><th
        scope="col">${t("tape.operation")}</th>
      <th scope="col" class=${back ? "" : "going"}>${t("tape.value")} <span aria-hidden="true">↓</span></th>
      <th scope="col" class=${back ? "going" : ""}>${t("tape.adjoint")} <span aria-hidden="true">↑</span></th>
          </tr></thead>
    <tbody>${tape.nodes.map((node, place) => {
      if (node.constant) return null;
      const adjoint = known.adjoints.get(place),
        valued = known.values.has(place);
      return html`<tr key=${place} class=${step.node === place ? "now" : ""}>
        <th scope="row">${nameOf(tape, place)}</th><td
            class="line">${node.label ? t("tape.variable") : lineOf(tape, place, "names")}</td>
        <td>${valued ? short(node.value, 4) : "·"}</td>
        <td class=${adjoint === undefined ? "unknown" : toneOf(adjoint)}>${adjoint === undefined ? "·" : short(adjoint, 4)}
            </td></tr>`;
    })}</tbody></table></div></section>`;
}
