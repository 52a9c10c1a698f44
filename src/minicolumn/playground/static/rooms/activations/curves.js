/** A function, its slope, and its tangent at a point that is moved; beside it another function to compare. */
import { html, useMemo, useRef } from "../../kit/html.js";
import { useWidth } from "../../kit/room.js";
import { placeOn } from "../../kit/scale.js";
import { t } from "../../i18n.js";
import { figure, nameOf } from "./words.js";

const EDGE = 30;

/**
 * @param {{first: any, second: any, at: number, onAt: (at: number) => void}} props  at: which of the points of the curves
 */
export function Curves({ first, second, at, onAt }) {
  const [ref, width] = useWidth(), held = useRef(false);
  const height = Math.max(240, Math.min(width * 0.56, 440));
  const { x, value, slope } = first.arrays, count = x.length, [left, right] = first.range;
  const low = Math.min(...value) < -1.6 ? -3.2 : -1.4, high = 3.2;
  const X = (/** @type {number} */ v) => ((v - left) / (right - left)) * width, Y = (/** @type {number} */ v) => ((high - v) / (high - low)) * height;
  const clip = (/** @type {number} */ v) => Math.max(low - 2, Math.min(high + 2, v));
  const line = (/** @type {ArrayLike<number>} */ ys) => Array.from({ length: count }, (_, i) => `${X(x[i]).toFixed(1)},${Y(clip(ys[i])).toFixed(1)}`).join(" ");
  const lines = useMemo(() => [second?.arrays.slope, second?.arrays.value, slope, value].map((ys) => (ys ? line(ys) : "")), [first, second, width]);
  const near = (/** @type {number} */ to) => onAt(Math.max(0, Math.min(count - 1, Math.round(to))));
  const point = (/** @type {PointerEvent} */ e) => {
    near((placeOn(e, /** @type {Element} */ (e.currentTarget))[0] / width) * (count - 1));
  };
  const key = (/** @type {KeyboardEvent} */ e) => {
    const by = { ArrowRight: 4, ArrowUp: 4, ArrowLeft: -4, ArrowDown: -4, PageUp: 40, PageDown: -40 }[e.key];
    const to = e.key === "Home" ? 0 : e.key === "End" ? count - 1 : by && at + by;
    if (to === undefined) return;
    e.preventDefault();
    near(Number(to));
  };
  const [px, py, m] = [X(x[at]), Y(clip(value[at])), slope[at]];
  const unit = [X(1) - X(0), Y(0) - Y(1)], long = 60 / Math.hypot(unit[0], m * unit[1]), [dx, dy] = [long * unit[0], long * m * unit[1]];
  return html`<div class="curves-of" ref=${ref}>${width > 0 && html`<svg width=${width} height=${height} role="slider" tabindex="0" aria-label=${t("activations.at")} aria-valuemin=${left} aria-valuemax=${right} aria-valuenow=${x[at]}
      aria-valuetext=${t("activations.reads", { x: x[at].toFixed(2), value: value[at].toFixed(3), slope: slope[at].toFixed(3) })} onKeyDown=${key}
      onPointerDown=${(/** @type {PointerEvent} */ e) => { held.current = true; /** @type {Element} */ (e.currentTarget).setPointerCapture(e.pointerId); point(e); }}
      onPointerMove=${(/** @type {PointerEvent} */ e) => (held.current || e.pointerType === "mouse") && point(e)} onPointerUp=${() => { held.current = false; }} onPointerCancel=${() => { held.current = false; }}>
    <g class="axes"><line x1="0" x2=${width} y1=${Y(0)} y2=${Y(0)} /><line x1=${X(0)} x2=${X(0)} y1="0" y2=${height} />
      ${[-1, 1, 2, 3].filter((v) => v > low).map((v) => html`<g key=${v}><line class="soft" x1="0" x2=${width} y1=${Y(v)} y2=${Y(v)} /><text x=${X(0) - 6} y=${Y(v) + 4} text-anchor="end">${String(v).replace("-", "−")}</text></g>`)}
      ${[-4, -2, 2, 4].map((v) => html`<text key=${v} x=${X(v)} y=${Y(0) + 15} text-anchor="middle">${String(v).replace("-", "−")}</text>`)}</g>
    ${second && html`<polyline class="second slope" points=${lines[0]} /><polyline class="second" points=${lines[1]} />`}
    <polyline class="first slope" points=${lines[2]} /><polyline class="first" points=${lines[3]} />
    <line class="guide" x1=${px} x2=${px} y1=${Y(clip(m))} y2=${py} />
    <line class="tangent" x1=${px - dx} y1=${py + dy} x2=${px + dx} y2=${py - dy} />
    <circle class="first-dot" cx=${px} cy=${py} r="6.5" /><circle class="slope-dot" cx=${px} cy=${Y(clip(m))} r="5" />
  </svg>`}
    <table class="read"><thead><tr><th scope="col"><i>x</i> = ${x[at].toFixed(2).replace("-", "−")}</th><th scope="col"><${Key} />${nameOf(first.activation)}</th>${second && html`<th scope="col"><${Key} second />${nameOf(second.activation)}</th>`}</tr></thead><tbody>
      <tr><th scope="row">${t("activations.value")}</th><td>${figure(value[at])}</td>${second && html`<td>${figure(second.arrays.value[at])}</td>`}</tr>
      <tr><th scope="row">${t("activations.slope")} <${Key} dashed /></th><td>${figure(m)}</td>${second && html`<td>${figure(second.arrays.slope[at])}</td>`}</tr>
      <tr><th scope="row">${t("activations.largest")}</th><td>${figure(first.largest_slope)}</td>${second && html`<td>${figure(second.largest_slope)}</td>`}</tr></tbody></table></div>`;
}

/** A line as in the drawing. @param {{second?: boolean, dashed?: boolean}} props */
const Key = ({ second, dashed }) => html`<svg class="key" width="22" height="8" aria-hidden="true"><line class=${`${dashed ? "dashed" : second ? "second" : "first"}`} x1="1" x2="21" y1="4" y2="4" /></svg>`;
