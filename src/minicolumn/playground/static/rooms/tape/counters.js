/** How many times the graph is gone through: by the tape, and by finite differences. */
import { html } from "../../kit/html.js";
import { t } from "../../i18n.js";

/** @typedef {import("./layout.js").Tape} Tape @typedef {import("./steps.js").Step} Step */

/** @param {{tape: Tape, step: Step, at: number}} props */
export function Counters({ tape, step, at }) {
  const { reverse, finite_differences: differences } = tape.traversals;
  const back = step.phase === "seed" || step.phase === "backward";
  const tapes = Array.from({ length: reverse }, (_, i) =>
    i === 0 ? t("tape.phase.forward") : t("tape.phase.backward"),
  );
  const others = [t("tape.atPoint"), ...tape.used.map((name) => `${name} + h`)];
  return html`<section class="panel tape-counters"><h2>${t("tape.traversals")}</h2>
    <div class="count"><h3>${t("tape.reverse")}</h3>
      <div class="runs-of">${tapes.map(
        (name, i) => html`<span key=${i}
        class=${`once ${(i === 0 ? at > 0 : back) ? "gone" : ""} ${(i === 0) !== back ? "going" : ""}`}>${i === 0 ? "→" : "←"} ${name}
            </span>`,
      )}</div>
      <p><strong>${reverse}</strong> ${t("tape.outputsPlus", { outputs: reverse - 1 })}</p></div>
    <div class="count"><h3>${t("tape.differences")}</h3>
      <div class="runs-of">${others.map((name, i) => html`<span key=${i} class="once other">→ ${name}</span>`)}
          </div>
      <p><strong>${differences}</strong> ${t("tape.inputsPlus", { inputs: tape.inputs })}</p></div>
    <p class="note">${t("tape.cheap")}</p>
  </section>`;
}
