/** The loss of each step that was taken, and what the one that is shown makes of it. */
import { html, useEffect, useRef } from "../../kit/html.js";
import { Button, short } from "../../kit/controls.js";
import { Curve } from "../../kit/curve.js";
import { t } from "../../i18n.js";

/** @typedef {import("./steps.js").State} State */

/** @param {{state: State, onReset: () => void}} props */
export function Losses({ state, onReset }) {
  const handle = useRef(/** @type {import("../../kit/curve.js").CurveHandle | null} */ (null));
  useEffect(() => {
    const taken = [...state.losses, state.loss],
      first = state.steps - state.losses.length;
    const next = taken.map((loss, i) => (i === taken.length - 1 ? loss : null));
    handle.current?.set([
      [...taken, null].map((_, i) => first + i),
      [...taken, null],
      [...next, state.loss_after],
    ]);
  }, [state]);
  const series = [
    { label: t("backpropagation.losses"), colour: "--ink" },
    { label: t("backpropagation.shown"), colour: "--pos", dash: [4, 4], width: 2.5 },
  ];
  return html`<section class="panel bp-losses"><h2>${t("backpropagation.losses")}</h2>
    <p class="bp-loss"><span class="big">${short(state.loss, 4)}</span>
      <span class="note">${t("backpropagation.taken", { steps: state.steps })}</span></p>
    <${Curve} series=${series} handle=${handle} height=${150} label=${t("backpropagation.losses")} />
    <p class="note">${t("backpropagation.dashed", { after: short(state.loss_after, 4) })}</p>
    <${Button} icon="refresh" onClick=${onReset} title="R">${t("backpropagation.anew")}<//>
  </section>`;
}
