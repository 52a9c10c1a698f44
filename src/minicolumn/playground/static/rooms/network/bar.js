/** The bar over the room: run, step, reset, the count of epochs, and what is set most often. */
import { html } from "../../kit/html.js";
import { IconButton, NumberPick, RunButtons, Select } from "../../kit/controls.js";
import { t } from "../../i18n.js";
import {
  PENALTIES,
  RATES,
  SPEEDS,
  activationOptions,
  choicesOf,
  hides,
  optionsOf,
  wordsOf,
} from "./fields.js";
import { Moving } from "./loss.js";

/** @typedef {import("./model.js").Live} Live */

/** Epochs as 000,123. @param {number} epoch */
export const counted = (epoch) =>
  String(epoch)
    .padStart(6, "0")
    .replace(/\B(?=(\d{3})+$)/g, ",");

/** A rate in few letters. @param {number | null | undefined} value */
function rate(value) {
  if (!value) return "";
  const [size, unit] = value >= 1e6 ? [1e6, "M"] : value >= 1e3 ? [1e3, "k"] : [1, ""];
  return `${Number((value / size).toPrecision(value / size >= 100 ? 3 : 2))}${unit} ${t("network.perSecond")}`;
}

/** How fast it learns, and for how long it has. @param {Live} live */
function pace({ tick }) {
  const time = tick?.seconds
    ? t("network.seconds", {
        seconds: tick.seconds < 10 ? tick.seconds.toFixed(1) : Math.round(tick.seconds),
      })
    : "";
  return [rate(tick?.running ? tick.steps_per_second : 0), time].filter(Boolean).join(" · ");
}

/**
 * @param {{live: Live, state: any, running: boolean, speed: number | null, set: (changes: object) => void,
 *   act: {run: () => void, step: () => void, reset: () => void, speed: (value: number | null) => void, again: () => void, goal: (event: any) => void}}} props
 */
export function Bar({ live, state, running, speed, set, act }) {
  const { setup } = state;
  const activations = activationOptions(choicesOf(state, "activations"));
  const one = new Set(setup.activations).size === 1 ? setup.activations[0] : null;
  const loss =
    setup.loss === "auto" && state.loss ? `${wordsOf(state.loss)} (${t("network.auto")})` : t("network.auto");
  return html`<div class="bar" role="toolbar" aria-label=${t("network.controls")}>
    <div class="bar-top"><${RunButtons} running=${running} step=${t("network.stepOne")}
        onReset=${!hides(state, "reset") && act.reset}
      onRun=${!hides(state, "run") && act.run} onStep=${!hides(state, "step") && act.step}>
      <div class="bar-small"><${IconButton} icon="rewind" size=${16} label=${t("network.again")}
          onClick=${act.again} />
        <${IconButton} icon="goal" size=${16} label=${t("network.goal")} onClick=${act.goal} /></div><//>
    <div class="bar-epoch"><span class="field-label">${t("network.epoch")}</span><${Moving} class="epoch"
        live=${live} text=${(/** @type {Live} */ l) => counted(l.tick?.epoch ?? 0)} />
      <${Moving} class="pace" live=${live} text=${pace} /></div></div>
    <div class="bar-fields">
      ${
        !hides(state, "learning_rate") &&
        html`<${NumberPick} label=${t("network.learningRate")}
          value=${setup.learning_rate} options=${RATES}
          onChange=${(/** @type {number} */ v) => set({ learning_rate: v })} />`
      }
      ${
        !hides(state, "activations") &&
        !state.whole &&
        html`<${Select} label=${t("network.activation")} value=${one}
            options=${one === null ? [{ value: null, label: t("network.mixed") }, ...activations] : activations}
        disabled=${!setup.units.length} onChange=${(/** @type {string} */ v) => set({ activations: [v] })} />`
      }
      <${Select} label=${t("network.optimizer")} value=${setup.optimizer}
          options=${optionsOf(choicesOf(state, "optimizer"))}
          onChange=${(/** @type {string} */ v) => set({ optimizer: v })} />
      ${
        !hides(state, "regularization") &&
        html`<${Select} label=${t("network.regularization")} value=${setup.regularization}
            options=${optionsOf(choicesOf(state, "regularization"))}
        onChange=${(/** @type {string} */ v) => set({ regularization: v, ...(v !== "none" && !setup.regularization_rate ? { regularization_rate: 0.003 } : {}) })} />`
      }
      ${
        !hides(state, "regularization_rate") &&
        html`<${NumberPick} label=${t("network.regularizationRate")}
          value=${setup.regularization_rate} options=${PENALTIES} disabled=${setup.regularization === "none"}
          onChange=${(/** @type {number} */ v) => set({ regularization_rate: v })} />`
      }
      <${Select} label=${t("network.lossOf")} value=${setup.loss}
          options=${[{ value: "auto", label: loss }, ...optionsOf(lossesFor(state))]}
          onChange=${(/** @type {string} */ v) => set({ loss: v })} />
      <${Select} label=${t("network.speed")} value=${speed}
          options=${[{ value: null, label: t("network.fastest") }, ...SPEEDS.map((s) => ({ value: s, label: rate(s) }))]}
          onChange=${act.speed} />
    </div>
  </div>`;
}

const FOR_CLASSES = ["cross_entropy", "squared_error", "focal", "hinge"];
const FOR_NUMBERS = ["squared_error", "absolute_error", "huber", "log_cosh"];

/** Losses that suit what is learnt. @param {any} state */
function lossesFor(state) {
  const offered = choicesOf(state, "loss").filter((name) => name !== "auto");
  const suit = state.classes.length ? FOR_CLASSES : FOR_NUMBERS;
  const found = offered.filter((name) => suit.includes(name));
  return found.length ? found : offered;
}
