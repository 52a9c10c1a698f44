/** The truth table: each row may be looked at, and says whether the circuit answers it rightly. */
import { html } from "../../kit/html.js";
import { Icon } from "../../kit/icons.js";
import { t } from "../../i18n.js";

/** A bit, told by its figure, its fill and its place. @param {{value: number}} props */
const Bit = ({ value }) => html`<span class=${`table-bit ${value ? "one" : ""}`}>${value}</span>`;

/** @param {{circuit: any, row: number, onRow: (row: number) => void}} props */
export function Table({ circuit, row, onRow }) {
  const { inputs, outputs, rows } = circuit;
  const move = (/** @type {KeyboardEvent} */ e) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!by) return;
    e.preventDefault();
    const next = (row + by + rows) % rows;
    onRow(next);
    /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (e.currentTarget).querySelector(`[data-row="${next}"]`))?.focus();
  };
  return html`<table class="truth" onKeyDown=${move}><caption class="sr">${t("circuit.table")}</caption>
    <thead><tr>${inputs.map((/** @type {string} */ name) => html`<th key=${name} scope="col" class="in">${name}</th>`)}
      ${outputs.map((/** @type {string} */ name) => html`<th key=${name} scope="col" class="out">${name}</th><th key=${`${name}?`} scope="col" class="want">${t("circuit.wanted")}</th>`)}<th><span class="sr">${t("circuit.right")}</span></th></tr></thead>
    <tbody>${Array.from({ length: rows }, (_, r) => html`<tr key=${r} class=${`${r === row ? "now" : ""} ${circuit.right(r) ? "right" : "wrong"}`} onPointerEnter=${(/** @type {PointerEvent} */ e) => e.pointerType === "mouse" && onRow(r)} onClick=${() => onRow(r)}>
      ${inputs.map((/** @type {string} */ name) => html`<td key=${name} class="in"><${Bit} value=${circuit.on(name, r)} /></td>`)}
      ${outputs.map((/** @type {string} */ name, /** @type {number} */ i) => html`<td key=${name} class="out"><${Bit} value=${circuit.answer(r, i)} /></td><td key=${`${name}?`} class="want">${circuit.want(r, i)}</td>`)}
      <td class="mark"><button type="button" data-row=${r} tabindex=${r === row ? 0 : -1} aria-current=${r === row ? "true" : undefined} onFocus=${() => onRow(r)}
        aria-label=${t(circuit.right(r) ? "circuit.rowRight" : "circuit.rowWrong", { row: r + 1 })}><${Icon} name=${circuit.right(r) ? "check" : "close"} size=${16} /></button></td></tr>`)}
    </tbody></table>`;
}
