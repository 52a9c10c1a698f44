/** The same scores' probabilities at all temperatures, and where the temperature is now; it is set by pointing, too. */
import { html, useRef } from "../../kit/html.js";
import { useWidth } from "../../kit/room.js";
import { placeOn } from "../../kit/scale.js";
import { classColour } from "../../kit/colour.js";
import { t } from "../../i18n.js";
import { className } from "./bars.js";

const DASHES = ["", "9 4", "2 4", "12 3 2 3"];
const TICKS = [0.1, 0.3, 1, 3, 10], EDGE = { left: 34, right: 14, top: 12, bottom: 26 };

/** @param {{state: any, onTemperature: (value: number) => void}} props */
export function Sweep({ state, onTemperature }) {
  const [ref, width] = useWidth(), held = useRef(false), height = 210;
  const { temperatures, sweep } = state.arrays, classes = state.scores.length, count = temperatures.length;
  const [low, high] = [Math.log(temperatures[0]), Math.log(temperatures[count - 1])];
  const [wide, tall] = [width - EDGE.left - EDGE.right, height - EDGE.top - EDGE.bottom];
  const X = (/** @type {number} */ T) => EDGE.left + (wide * (Math.log(T) - low)) / (high - low), Y = (/** @type {number} */ p) => EDGE.top + tall * (1 - p);
  const point = (/** @type {PointerEvent} */ e) => {
    const [x] = placeOn(e, /** @type {Element} */ (e.currentTarget));
    const share = Math.max(0, Math.min(1, (x - EDGE.left) / wide));
    onTemperature(Math.exp(low + share * (high - low)));
  };
  const line = (/** @type {number} */ c) => Array.from({ length: count }, (_, i) => `${X(temperatures[i]).toFixed(1)},${Y(sweep[i * classes + c]).toFixed(1)}`).join(" ");
  return html`<div class="sweep" ref=${ref}>${width > 0 && html`<svg width=${width} height=${height} role="img" aria-label=${t("softmax.sweepSays")}
      onPointerDown=${(/** @type {PointerEvent} */ e) => { held.current = true; /** @type {Element} */ (e.currentTarget).setPointerCapture(e.pointerId); point(e); }}
      onPointerMove=${(/** @type {PointerEvent} */ e) => held.current && point(e)} onPointerUp=${() => { held.current = false; }} onPointerCancel=${() => { held.current = false; }}>
    ${[0, 0.5, 1].map((p) => html`<g key=${p} class="grid"><line x1=${EDGE.left} x2=${width - EDGE.right} y1=${Y(p)} y2=${Y(p)} /><text x=${EDGE.left - 7} y=${Y(p) + 4} text-anchor="end">${p}</text></g>`)}
    ${TICKS.map((T) => html`<text key=${T} class="tick" x=${X(T)} y=${height - 7} text-anchor="middle">${T}</text>`)}
    ${state.scores.map((/** @type {number} */ _, /** @type {number} */ c) => html`<polyline key=${c} points=${line(c)} stroke=${classColour(c)} stroke-dasharray=${DASHES[c % DASHES.length]} />`)}
    <line class="now" x1=${X(state.temperature)} x2=${X(state.temperature)} y1=${EDGE.top - 6} y2=${height - EDGE.bottom} />
    ${state.probabilities.map((/** @type {number} */ p, /** @type {number} */ c) => html`<circle key=${c} cx=${X(state.temperature)} cy=${Y(p)} r="5.5" fill=${classColour(c)} />`)}
  </svg>`}<ul class="sweep-key">${state.scores.map((/** @type {number} */ _, /** @type {number} */ c) => html`<li key=${c}><svg width="26" height="8" aria-hidden="true"><line x1="1" x2="25" y1="4" y2="4" stroke=${classColour(c)} stroke-width="2.5" stroke-dasharray=${DASHES[c % DASHES.length]} /></svg>${className(c)}</li>`)}</ul></div>`;
}
