/** What the room is asked: the network, the row and the rate. */
import { html } from "../../kit/html.js";
import { IconButton, Field, Select, Slider, short } from "../../kit/controls.js";
import { t } from "../../i18n.js";

/** @typedef {import("./steps.js").State} State */

const MOST_LAYERS = 3,
  MOST_UNITS = 4;
const RATES = [0.01, 0.03, 0.1, 0.3, 0.5, 1, 3, 10];

/** Sizes of the hidden layers. @param {{hidden: number[], onChange: (hidden: number[]) => void}} props */
function Hidden({ hidden, onChange }) {
  const set = (/** @type {number} */ at, /** @type {number} */ units) =>
    onChange(hidden.map((n, i) => (i === at ? units : n)));
  return html`<div class="sizes" role="group" aria-label=${t("backpropagation.hidden")}>
    ${hidden.map(
      (units, at) => html`<div class="size" key=${at}>
      <span class="size-name">${t("backpropagation.layer", { n: at + 1 })}</span>
      <${IconButton} icon="minus" size=${14} disabled=${units <= 1} onClick=${() => set(at, units - 1)}
        label=${t("backpropagation.fewer", { n: at + 1 })} />
      <output class="size-units">${units}</output>
      <${IconButton} icon="plus" size=${14} disabled=${units >= MOST_UNITS} onClick=${() => set(at, units + 1)}
        label=${t("backpropagation.more", { n: at + 1 })} />
    </div>`,
    )}
    <div class="size size-layers">
      <span class="size-name">${t("backpropagation.layers")}</span>
      <${IconButton} icon="minus" size=${14} disabled=${hidden.length <= 1}
          onClick=${() => onChange(hidden.slice(0, -1))}
        label=${t("backpropagation.takeLayer")} />
      <output class="size-units">${hidden.length}</output>
      <${IconButton} icon="plus" size=${14} disabled=${hidden.length >= MOST_LAYERS}
        onClick=${() => onChange([...hidden, 2])} label=${t("backpropagation.addLayer")} />
    </div>
  </div>`;
}

/** @param {{state: State, onChange: (changes: object) => void}} props */
export function Controls({ state, onChange }) {
  const { hidden, activation, activations, x, target, learning_rate: rate } = state;
  const input = (
    /** @type {number} */ at,
  ) => html`<${Slider} label=${t("backpropagation.input", { n: at + 1 })}
    min=${-5} max=${5} step=${0.1} value=${x[at]} show=${short}
    onChange=${(/** @type {number} */ value) => onChange({ x: x.map((v, i) => (i === at ? value : v)) })} />`;
  return html`<section class="panel bp-controls" aria-label=${t("backpropagation.settings")}>
    <${Field} label=${t("backpropagation.hidden")} class="sizes-field">
      <${Hidden} hidden=${hidden} onChange=${(/** @type {number[]} */ now) => onChange({ hidden: now })} /><//>
    <${Select} label=${t("backpropagation.activation")} value=${activation}
      options=${activations.map((value) => ({ value, label: t(`backpropagation.activations.${value}`) }))}
      onChange=${(/** @type {string} */ value) => onChange({ activation: value })} />
    ${input(0)}${input(1)}
    <${Slider} label=${t("backpropagation.target")} min=${-2} max=${2} step=${0.1} value=${target} show=${short}
      onChange=${(/** @type {number} */ value) => onChange({ target: value })} />
    <${Select} label=${t("backpropagation.rate")} value=${rate}
      options=${RATES.map((value) => ({ value, label: String(value) }))}
      onChange=${(/** @type {number} */ value) => onChange({ learning_rate: value })} />
  </section>`;
}
