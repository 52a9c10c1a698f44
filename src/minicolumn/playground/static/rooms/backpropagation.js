/**
 * The room `backpropagation`: one step of gradient descent in slow motion. The session works the whole step
 *   out at once;
 * the player reveals it neuron by neuron, forward, at the loss, backward, and in the weights.
 */
import { html, useMemo } from "../kit/html.js";
import { Button, short, useKeys } from "../kit/controls.js";
import { leave, left } from "../kit/left.js";
import { Intro } from "../kit/room.js";
import { PlayerBar, usePlayer } from "../kit/player.js";
import { changing, useSetup } from "../kit/setup.js";
import { t } from "../i18n.js";
import { Controls } from "./backpropagation/controls.js";
import { Drawing } from "./backpropagation/drawing.js";
import { Formulas, saidOf } from "./backpropagation/formulas.js";
import { Losses } from "./backpropagation/losses.js";
import { Slope } from "./backpropagation/slope.js";
import { phasesOf, reached, stepsOf } from "./backpropagation/steps.js";
import { Weights } from "./backpropagation/weights.js";

export const styled = true;

/** @typedef {import("../app.js").Room} Room @typedef {import("./backpropagation/steps.js").State} State */

/** What `open` says, as it was last, before the page was loaded anew too. @type {import("../kit/setup.js").Kept} */
const kept = left("backpropagation") ?? { setup: {} };
leave("backpropagation", () => kept.past && kept);

/** How long a step stays, by how much there is to read. */
const PACE = { inputs: 0.7, forward: 1.3, loss: 1.6, backward: 1.9, update: 1.5 };

/** The weights as they are now, and the steps that led there: a server that was started anew is told. @param {State} state */
const pastOf = ({ layers, losses, steps }) => ({
  weights: layers.flatMap(({ weight, bias }) => [...weight.before.flat(), ...bias.before]),
  losses,
  steps,
});

/** @type {Record<string, import("../kit/setup.js").Kind>} */
const FIELDS = {
  hidden: "list",
  activation: "text",
  x: "list",
  target: "number",
  learning_rate: "number",
  seed: "number",
};

/** @param {{room: Room}} props */
export default function BackpropagationRoom({ room }) {
  const state = /** @type {State | null} */ (useSetup(room, FIELDS, kept, pastOf));
  const change = useMemo(() => changing(room, kept), [room]);
  const steps = useMemo(() => (state ? stepsOf(state) : []), [`${state?.hidden}`]);
  const player = usePlayer(steps.length, (at) => PACE[steps[at].phase]);
  /** @param {number} count */
  const take = async (count) => {
    if (await room.send("update", { steps: count })) player.replay();
  };
  const reset = () => {
    change({ seed: Math.floor(Math.random() * 2 ** 31) });
    player.replay();
  };
  useKeys({ t: () => take(1), r: reset });
  if (!state) return html`<div class="room backpropagation"><${Intro} name="backpropagation" /></div>`;
  const at = player.at,
    step = steps[at],
    said = saidOf(state, step);
  const phases = phasesOf(steps).map((phase) => ({
    ...phase,
    label: t(`backpropagation.phase.${phase.key}`),
  }));
  const outcome = t("backpropagation.outcome", {
    before: short(state.loss, 4),
    after: short(state.loss_after, 4),
  });
  /** @param {number} layer @param {number} unit */
  const pick = (layer, unit) => {
    const same = steps.findIndex((s) => s.phase === step.phase && s.layer === layer && s.unit === unit);
    player.go(
      same >= 0 ? same : steps.findIndex((s) => s.layer === layer && (s.unit === unit || s.phase === "loss")),
    );
  };
  return html`<div class="room backpropagation"><${Intro} name="backpropagation" />
    <${Controls} state=${state} onChange=${change} />
    <section class="panel bp-stage">
      <${PlayerBar} player=${player} phases=${phases} said=${said}>
        <${Button} kind="main" class="take" onClick=${() => take(1)} title="T">${t("backpropagation.take")}<//>
        <${Button} onClick=${() => take(10)}>${t("backpropagation.takeTen")}<//>
      <//>
      <div class="bp-desk">
        <${Drawing} state=${state} steps=${steps} at=${at} label=${`${t("backpropagation.picture")} ${said}`}
            onPick=${pick} />
        <div class=${`bp-now ${step.phase}`}>
          <h2 class="panel-title">${said}</h2>
          <p class="note">${t(`backpropagation.why.${step.phase}`)}</p>
          <${Formulas} state=${state} step=${step} at=${at} speed=${player.speed} />
          ${
            (step.phase === "forward" || step.phase === "backward") &&
            html`<${Slope} state=${state}
              step=${step} />`
          }
          ${
            reached(steps, at, "update", state.layers.length - 1, 0) &&
            html`<p class="bp-outcome">${outcome}</p>`
          }
        </div>
      </div>
    </section>
    <div class="bp-below">
      <${Weights} state=${state} steps=${steps} at=${at} />
      <${Losses} state=${state} onReset=${reset} />
    </div>
  </div>`;
}
