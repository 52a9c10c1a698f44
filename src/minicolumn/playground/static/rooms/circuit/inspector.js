/** One neuron by hand: its threshold, and each wire that it may read. All of it goes by keyboard. */
import { html } from "../../kit/html.js";
import { Button, IconButton, Segmented } from "../../kit/controls.js";
import { t } from "../../i18n.js";
import { linkOf, linked, reachedFrom } from "./plan.js";

/** @typedef {import("./plan.js").Neuron} Neuron */

/** @param {{circuit: any, row: number, neuron: Neuron, onChange: (neuron: Neuron) => void, onRemove: () => void}} props */
export function Inspector({ circuit, row, neuron, onChange, onRemove }) {
  const loop = reachedFrom(circuit.neurons, neuron.name);
  const wires = [...circuit.inputs, ...circuit.neurons.map((/** @type {Neuron} */ n) => n.name)].filter((name) => !loop.has(name));
  const kinds = ["none", "excites", "inhibits"].map((value) => ({ value, label: t(`circuit.link.${value}`) }));
  const threshold = (/** @type {number} */ by) => onChange({ ...neuron, threshold: Math.max(0, neuron.threshold + by) });
  return html`<section class="panel neuron-panel" aria-label=${t("circuit.neuron", { name: neuron.name })}>
    <header><h2>${t("circuit.neuron", { name: neuron.name })}</h2>
      ${!circuit.outputs.includes(neuron.name) && html`<${Button} kind="quiet" icon="trash" onClick=${onRemove}>${t("circuit.remove")}<//>`}</header>
    <div class="threshold-row"><span id="threshold">${t("circuit.threshold")}</span>
      <div class="stepper" role="group" aria-labelledby="threshold"><${IconButton} icon="minus" size=${16} label=${t("circuit.lower")} disabled=${neuron.threshold === 0} onClick=${() => threshold(-1)} />
        <output>${neuron.threshold}</output><${IconButton} icon="plus" size=${16} label=${t("circuit.higher")} disabled=${neuron.threshold >= circuit.limits.neurons} onClick=${() => threshold(1)} /></div></div>
    <ul class="links">${wires.map((name) => html`<li key=${name}><span class="link-name">${name}</span>
      <${Segmented} label=${t("circuit.linkOf", { name })} value=${linkOf(neuron, name)} options=${kinds} onChange=${(/** @type {any} */ link) => onChange(linked(neuron, name, link))} /></li>`)}</ul>
    <${Reason} circuit=${circuit} row=${row} neuron=${neuron} />
  </section>`;
}

/** Why it fires or not in this row, in numbers. @param {{circuit: any, row: number, neuron: Neuron}} props */
function Reason({ circuit, row, neuron }) {
  const { excitatory, inhibitory, name, threshold } = neuron, sum = circuit.sum(name, row), fires = circuit.on(name, row), held = circuit.held(name, row);
  const terms = excitatory.map((wire) => html`<span key=${wire}><var>${wire}</var> = ${circuit.on(wire, row)}</span>`);
  const by = inhibitory.filter((wire) => circuit.on(wire, row)).join(", ");
  return html`<div class=${`reason ${fires ? "on" : ""}`} aria-live="polite"><p class="reason-sum">${terms.length ? terms : "0"}<span class="reason-total">Σ = ${sum} ${sum >= threshold ? "≥" : "<"} ${threshold}</span></p>
    <p>${t(fires ? "circuit.why.fires" : held && sum >= threshold ? "circuit.why.held" : "circuit.why.silent", { by, sum, threshold })}</p></div>`;
}
