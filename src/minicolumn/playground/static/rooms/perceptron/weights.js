/** The plane of the weights: the way that the weight vector went, its last correction marked. */
import { html } from "../../kit/html.js";
import { t } from "../../i18n.js";
import { useWidth } from "../../kit/room.js";
import { useTween } from "./plane.js";

/** @param {{tick: any, quick: boolean}} props */
export function Weights({ tick, quick }) {
  const [ref, width] = useWidth(), height = 190;
  const path = tick.arrays.path, count = path.length / 3;
  const points = Array.from({ length: count }, (_, i) => [path[3 * i], path[3 * i + 1]]);
  const reach = Math.max(1, ...points.map(([a, b]) => Math.max(Math.abs(a), Math.abs(b)))) * 1.18;
  const [shown] = [useTween([reach], quick ? 0 : 400)[0]];
  const scale = Math.min(width, height) / 2 / shown;
  const X = (/** @type {number} */ x) => width / 2 + x * scale, Y = (/** @type {number} */ y) => height / 2 - y * scale;
  const [w1, w2] = useTween(tick.weight, quick ? 0 : 420);
  const angle = (-Math.atan2(w2, w1) * 180) / Math.PI;
  const moved = tick.look && tick.wrong;
  return html`<div class="weights" ref=${ref}>${width > 0 && html`<svg width=${width} height=${height} role="img" aria-label=${t("perceptron.weightsSay", { w1: tick.weight[0].toFixed(2), w2: tick.weight[1].toFixed(2) })}>
    <g class="axes"><line x1="0" x2=${width} y1=${Y(0)} y2=${Y(0)} /><line x1=${X(0)} x2=${X(0)} y1="0" y2=${height} /><text x=${width - 6} y=${Y(0) - 6} text-anchor="end">w₁</text><text x=${X(0) - 7} y="14" text-anchor="end">w₂</text></g>
    <polyline class=${`way ${count > 60 ? "long" : ""}`} points=${points.map(([a, b]) => `${X(a).toFixed(1)},${Y(b).toFixed(1)}`).join(" ")} />
    ${count <= 60 && points.map(([a, b], i) => html`<circle key=${i} class="stop" cx=${X(a)} cy=${Y(b)} r="2.5" />`)}
    ${moved && html`<line class=${`moved ${tick.look.sign > 0 ? "yes" : "no"}`} x1=${X(tick.look.weight[0])} y1=${Y(tick.look.weight[1])} x2=${X(tick.weight[0])} y2=${Y(tick.weight[1])} />`}
    ${(w1 !== 0 || w2 !== 0) && html`<g class="vector"><line x1=${X(0)} y1=${Y(0)} x2=${X(w1)} y2=${Y(w2)} /><path d="M1 0L-10 -5V5Z" transform=${`translate(${X(w1)} ${Y(w2)}) rotate(${angle})`} /></g>`}
  </svg>`}</div>`;
}
