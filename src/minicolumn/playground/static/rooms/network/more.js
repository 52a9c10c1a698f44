/** All other settings, each as the session describes it: drawn from its controls, so that what is new is offered too. */
import { html, useState } from "../../kit/html.js";
import { Field, NumberPick, Select, Toggle } from "../../kit/controls.js";
import { t, tOr } from "../../i18n.js";
import { controlOf, choicesOf, optionsOf } from "./fields.js";

/** Settings that have a place of their own elsewhere. */
const PLACED = new Set([
  "dataset",
  "points",
  "noise",
  "train_percent",
  "data_seed",
  "features",
  "units",
  "activations",
  "learning_rate",
  "regularization",
  "regularization_rate",
  "optimizer",
  "loss",
  "batch_size",
  "show_test",
  "discretize",
]);
/** @type {Record<string, number[]>} */
const USUAL = {
  dropout: [0, 0.1, 0.2, 0.3, 0.5],
  input_noise: [0, 0.05, 0.1, 0.3, 0.5, 1],
  max_norm: [0.5, 1, 2, 3, 5],
  patience: [10, 30, 100, 300, 1000],
  schedule_epochs: [100, 300, 1000, 3000],
  seed: [0, 1, 2, 3, 4],
};

/** @param {{state: any, set: (changes: object) => void}} props */
export function More({ state, set }) {
  const controls = Array.isArray(state.controls) ? state.controls : Object.values(state.controls ?? {});
  return html`<div
      class="more-grid">${controls
        .filter((/** @type {any} */ c) => !PLACED.has(c.name) && !state.fixed?.includes(c.name))
        .map(
          (/** @type {any} */ c) => html`<${Setting}
      key=${c.name} state=${state} field=${c.name} set=${set} />`,
        )}</div>`;
}

/** @param {{state: any, field: string, set: (changes: object) => void}} props */
function Setting({ state, field, set }) {
  const control = controlOf(state, field),
    value = state.setup[field];
  const label = tOr(`network.field.${field}`, field.replaceAll("_", " "));
  const help = tOr(`network.fieldHelp.${field}`, control.help ?? "");
  const choices = choicesOf(state, field);
  const change = (/** @type {any} */ next) => set({ [field]: next });
  if (control.kind === "boolean")
    return html`<${Toggle} label=${label} title=${help} value=${value} onChange=${change} />`;
  if (choices.length)
    return html`<${Select} label=${label} title=${help} value=${value} options=${optionsOf(choices)}
        onChange=${change} />`;
  if (control.kind === "number" || control.kind === "integer")
    return html`<${Amount} label=${label} help=${help} control=${control} value=${value} field=${field}
        change=${change} />`;
  return html`<${Words} label=${label} help=${help} value=${value} change=${change} />`;
}

/** A number, or none where it may be left out. @param {any} props */
function Amount({ label, help, control, value, field, change }) {
  const optional = control.default === null;
  const usual = USUAL[field] ?? [];
  if (optional && value === null)
    return html`<${Select} label=${label} title=${help} value=${null}
        options=${[{ value: null, label: t("network.off") }, ...usual.map((n) => ({ value: n, label: String(n) }))]}
        onChange=${change} />`;
  const pick = html`<${NumberPick} label=${label} title=${help} value=${value} options=${usual}
      onChange=${change} />`;
  return optional
    ? html`<div class="with-off">${pick}<button type="button" class="tiny-button"
        onClick=${() => change(null)}>${t("network.off")}</button></div>`
    : pick;
}

/** @param {any} props */
function Words({ label, help, value, change }) {
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  return html`<${Field} label=${label} title=${help} for=${`w-${label}`}><input id=${`w-${label}`}
      class="text-input" value=${typed ?? value ?? ""}
      onInput=${(/** @type {any} */ e) => setTyped(e.target.value)}
    onChange=${(/** @type {any} */ e) => {
      setTyped(null);
      change(e.target.value);
    }} /><//>`;
}
