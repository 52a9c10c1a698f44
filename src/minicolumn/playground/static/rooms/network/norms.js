/**
 * Layer by layer, folded away until it is wanted: how long the gradient and the weights are, and in words where a layer
 * does not learn. The session works them out only while they are looked at.
 *
 * @typedef {import("./model.js").Live} Live
 * @typedef {{weight: number | null, gradient: number | null, dead: number, said: import("../../i18n.js").Line | null}} Norms
 */
import { html, useEffect, useState } from "../../kit/html.js";
import { short } from "../../kit/controls.js";
import { t, told } from "../../i18n.js";
import { useLooks } from "./inspector.js";
import { isOutput } from "./model.js";

/** Whether they are unfolded outlives a visit to another room. */
const kept = { open: false };
const DECADES = 6; // that a bar is long: from its largest down

/** @param {{live: Live, state: any, room: import("../../app.js").Room}} props */
export function LayerNorms({ live, state, room }) {
  const [open, setOpen] = useState(kept.open);
  const [, again] = useState(0);
  const [look] = useState(() => () => again((n) => n + 1));
  useLooks(live, look);
  useEffect(() => (open ? room.onOpen(() => void room.send("watch", { norms: true })) : undefined), [open, room]);
  const flip = (/** @type {any} */ e) => {
    if (e.target.open === open) return;
    setOpen((kept.open = e.target.open));
    if (!e.target.open) room.send("watch", { norms: false });
  };
  const norms = /** @type {Norms[] | undefined} */ (live.tick?.norms);
  return html`<details class="norms" open=${open} onToggle=${flip}><summary>${t("network.norms")}</summary>
    ${open && norms?.length === state.layers.length && html`<${Table} norms=${norms} state=${state} />`}
  </details>`;
}

/** @param {{norms: Norms[], state: any}} props */
function Table({ norms, state }) {
  const most = {
    gradient: Math.max(...norms.map((n) => n.gradient ?? 0)),
    weight: Math.max(...norms.map((n) => n.weight ?? 0)),
  };
  const cell = (/** @type {"gradient" | "weight"} */ what, /** @type {number | null} */ value) =>
    html`<td class="bar-cell"><i class=${what} style=${{ width: `${share(value, most[what])}%` }} /></td>
      <td class="num">${short(value)}</td>`;
  return html`<p class="note">${t("network.normsHelp")}</p>
    <table><thead><tr><td /><th scope="col" colspan="2">${t("network.gradientNorm")}</th><th scope="col"
        colspan="2">${t("network.weightNorm")}</th></tr></thead>
      <tbody>${norms.map(
        (n, layer) => html`<tr key=${layer}><th scope="row">${nameOf(state, layer)}</th>
        ${cell("gradient", n.gradient)}${cell("weight", n.weight)}</tr>
        ${n.said && html`<tr class="said"><td /><td colspan="4">${told(n.said)}</td></tr>`}`,
      )}</tbody></table>
    ${norms.every((n) => !n.said) && html`<p class="note">${t("network.allLearn")}</p>`}`;
}

/** @param {any} state @param {number} layer */
const nameOf = (state, layer) => t(isOutput(state, layer) ? "network.output" : "network.layer", { layer: layer + 1 });

/** How long a bar is, by the power of ten. @param {number | null} value @param {number} most */
function share(value, most) {
  if (value === null) return 100;
  if (!(value > 0) || !(most > 0)) return 0;
  return Math.max(1, 100 * (1 + Math.log10(value / most) / DECADES));
}
