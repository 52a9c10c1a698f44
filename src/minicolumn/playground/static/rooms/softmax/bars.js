/** Bars of a few classes side by side: to be looked at, or to be dragged. */
import { html, useRef } from "../../kit/html.js";
import { classColour } from "../../kit/colour.js";
import { t } from "../../i18n.js";

/** A number as it is read, its minus a real one. @param {number} value @param {number} [digits] */
export const figure = (value, digits = 2) => (Math.abs(value) > 0 && Math.abs(value) < 0.5 / 10 ** digits ? (value < 0 ? "−" : "") + Math.abs(value).toExponential(0).replace("-", "−") : value.toFixed(digits).replace("-", "−"));
export const className = (/** @type {number} */ i) => t(`softmax.class.${i}`);

/** From where to where a bar goes, as shares of the height from the top. @param {number} value @param {number} low @param {number} high */
function extent(value, low, high) {
  const place = (/** @type {number} */ v) => (high - Math.max(low, Math.min(high, v))) / (high - low);
  const [zero, tip] = [place(0), place(value)];
  return { top: Math.min(zero, tip), size: Math.abs(zero - tip), tip, zero, cut: value > high || value < low };
}

/** @param {{value: number, index: number, low: number, high: number, text: string, chosen?: boolean, children?: any}} props */
function Bar({ value, index, low, high, text, chosen, children }) {
  const { top, size, tip, cut, zero } = extent(value, low, high), down = value < 0;
  return html`<div class=${`bar-place ${chosen ? "chosen" : ""}`}>
    <div class="bar-field"><span class="zero" style=${{ top: `${100 * zero}%` }} />
      <span class=${`bar-fill ${down ? "down" : ""} ${cut ? "cut" : ""}`} style=${{ top: `${100 * top}%`, height: `${100 * size}%`, background: classColour(index) }} />
      <span class=${`bar-number ${down ? "down" : ""}`} style=${{ top: `${100 * tip}%` }}>${text}</span>${children?.(tip)}</div>
    <span class="bar-name"><i style=${{ background: classColour(index) }} />${className(index)}</span></div>`;
}

/** @param {{values: number[], low?: number, high?: number, show: (value: number) => string, target: number, label: string}} props */
export function Bars({ values, low = 0, high = 1, show, target, label }) {
  return html`<div class="bars-row" role="img" aria-label=${`${label}: ${values.map((v, i) => `${className(i)} ${show(v)}`).join(", ")}`}>${values.map((value, i) => html`<${Bar} key=${i} value=${value} index=${i} low=${low} high=${high} text=${show(value)} chosen=${i === target} />`)}</div>`;
}

/**
 * Scores that are dragged up and down, or moved by keys; an arrow says where a step of gradient descent pushes each.
 * @param {{values: number[], reach: number, limit: number, gradient: number[], target: number, asked: () => number[], onScore: (index: number, value: number) => void}} props
 */
export function Scores({ values, reach, limit, gradient, target, asked, onScore }) {
  const held = useRef(false);
  const round = (/** @type {number} */ v) => Number(Math.max(-limit, Math.min(limit, v)).toFixed(1));
  const point = (/** @type {PointerEvent} */ e, /** @type {number} */ i) => {
    const area = /** @type {HTMLElement} */ (e.currentTarget).querySelector(".bar-field")?.getBoundingClientRect();
    if (area) onScore(i, round(Math.max(-reach, Math.min(reach, reach * (1 - (2 * (e.clientY - area.top)) / area.height)))));
  };
  const key = (/** @type {KeyboardEvent} */ e, /** @type {number} */ i) => {
    const by = { ArrowUp: 0.1, ArrowRight: 0.1, ArrowDown: -0.1, ArrowLeft: -0.1, PageUp: 1, PageDown: -1 }[e.key];
    const to = e.key === "Home" ? -reach : e.key === "End" ? reach : by && asked()[i] + by; // `values` are older where keys come before the answer
    if (to === undefined) return;
    e.preventDefault();
    onScore(i, round(Number(to)));
  };
  return html`<div class="bars-row drag">${values.map((value, i) => html`<div key=${i} class="handle" role="slider" tabindex="0" aria-label=${t("softmax.scoreOf", { name: className(i) })} aria-orientation="vertical"
      aria-valuemin=${-limit} aria-valuemax=${limit} aria-valuenow=${value} aria-valuetext=${figure(value, 1)}
      onPointerDown=${(/** @type {PointerEvent} */ e) => { held.current = true; /** @type {Element} */ (e.currentTarget).setPointerCapture(e.pointerId); point(e, i); }}
      onPointerMove=${(/** @type {PointerEvent} */ e) => held.current && point(e, i)} onPointerUp=${() => { held.current = false; }} onPointerCancel=${() => { held.current = false; }}
      onKeyDown=${(/** @type {KeyboardEvent} */ e) => key(e, i)}>
      <${Bar} value=${value} index=${i} low=${-reach} high=${reach} text=${figure(value, 1)} chosen=${i === target}>${(/** @type {number} */ tip) => html`<span class="grip" style=${{ top: `${100 * tip}%` }} /><${Push} gradient=${gradient[i]} tip=${tip} />`}<//></div>`)}</div>`;
}

/** Where a step pushes a score: against its gradient. @param {{gradient: number, tip: number}} props */
function Push({ gradient, tip }) {
  const size = Math.min(70, 56 * Math.abs(gradient)), up = gradient < 0;
  if (size < 2) return null;
  const end = up ? -size : size, head = up ? 7 : -7;
  return html`<svg class="push" width="20" height="160" viewBox="-10 -80 20 160" aria-hidden="true" style=${{ top: `calc(${100 * tip}% - 80px)` }}><path class="shaft" d=${`M0 0V${end}`} /><path class="head" d=${`M-5.500 ${end + head * 0.4}L0 ${end - head * 0.6}L5.500 ${end + head * 0.4}Z`} /></svg>`;
}
