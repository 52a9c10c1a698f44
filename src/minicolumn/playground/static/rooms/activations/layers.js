/** How large a signal is in each layer, and how large the gradient that came back to it, on a logarithmic axis. */
import { html } from "../../kit/html.js";
import { t } from "../../i18n.js";
import { nameOf, size, sizeText } from "./words.js";

const FLOOR = -8, CEILING = 2; // powers of ten
/** @param {number | null} value @returns {number} */
const share = (value) => (value === null ? 1 : value === 0 ? 0 : Math.max(0.01, Math.min(1, (Math.log10(value) - FLOOR) / (CEILING - FLOOR))));

/** @param {{what: "signal" | "gradient", first: any, second: any}} props */
export function Layers({ what, first, second }) {
  const depth = first.depth, all = [first, ...(second ? [second] : [])];
  const end = what === "gradient" ? 0 : depth - 1;
  const says = all.map((f) => `${nameOf(f.activation)} ${sizeText(f[what][end])}`).join(", ");
  return html`<section class=${`layers-of ${what}`}><header><h3>${t(`activations.${what}`)}</h3><span class="note">${t(`activations.${what}Way`)}</span></header>
    <div class="layer-chart"><div class="powers" aria-hidden="true">${[0, -2, -4, -6].map((power) => html`<span key=${power} style=${{ bottom: `${(100 * (power - FLOOR)) / (CEILING - FLOOR)}%` }}>${power === 0 ? "1" : html`10<sup>${`−${-power}`}</sup>`}</span>`)}</div>
      <div class="layer-bars" role="img" aria-label=${t(`activations.${what}Says`, { depth, says })}>
        ${[0, -2, -4, -6].map((power) => html`<span key=${`p${power}`} class="rule" style=${{ bottom: `${(100 * (power - FLOOR)) / (CEILING - FLOOR)}%` }} />`)}
        ${first[what].map((/** @type {number} */ _, /** @type {number} */ layer) => html`<div key=${layer} class="layer-of" title=${all.map((f) => `${nameOf(f.activation)}: ${sizeText(f[what][layer])}`).join("\n")}>
          ${all.map((f, i) => html`<span key=${i} class=${`layer-bar ${i ? "second" : "first"} ${f[what][layer] === 0 ? "zero" : ""}`} style=${{ height: `${100 * share(f[what][layer])}%` }}>${f[what][layer] === 0 && html`<b>0</b>`}</span>`)}</div>`)}</div>
      <span /><div class="layer-names" aria-hidden="true">${first[what].map((/** @type {number} */ _, /** @type {number} */ layer) => html`<span key=${layer}>${depth <= 12 || layer === 0 || layer === depth - 1 || layer % 5 === 4 ? layer + 1 : ""}</span>`)}</div></div>
    <p class="arrives">${all.map((f, i) => html`<span key=${i} class=${i ? "second" : "first"}><i />${nameOf(f.activation)} <b>${size(f[what][end])}</b></span>`)}<span class="note">${t(`activations.${what}End`, { depth })}</span></p></section>`;
}
