/** Names, formulas and numbers of activations as they are read. */
import { html } from "../../kit/html.js";
import { t, tOr } from "../../i18n.js";

/** @param {string} name */
export const nameOf = (name) => tOr(`activations.fn.${name}`, name);

/** A formula of the library with its signs as they are printed: powers raised, Greek letters. @param {string} text */
export function pretty(text) {
  const said = text.replaceAll(">=", "≥").replaceAll("sqrt", "√").replaceAll("Phi", "Φ").replace(/\bpi\b/g, "π").replace(/\balpha\b/g, "α").replaceAll(" - ", " − ").replaceAll("-x", "−x").replace(/ if (.*?) else /g, (_, when) => t("activations.ifElse", { when }));
  return said.split(/(\^(?:\([^)]*\)|[−-]?\w+))/).map((part, i) => (part.startsWith("^") ? html`<sup key=${i}>${part.slice(1).replace(/^\((.*)\)$/, "$1")}</sup>` : part));
}

/** A size in few digits: whole where it may be, else with a power of ten. @param {number | null} value */
export function size(value) {
  if (value === null) return "∞";
  if (value === 0) return "0";
  if (value >= 0.001 && value < 1000) return String(Number(value.toPrecision(2)));
  const power = Math.floor(Math.log10(value));
  return html`${(value / 10 ** power).toFixed(1)}·10<sup>${String(power).replace("-", "−")}</sup>`;
}

/** The same without marks, for names of screen readers. @param {number | null} value */
export const sizeText = (value) => (value === null ? "∞" : String(Number(value.toPrecision(2))));

/** @param {number} value */
export const figure = (value) => value.toFixed(3).replace("-", "−");
