/** The plane of the inputs: the points, the line that the perceptron draws now, both sides of it, and its normal. */
import { html, useEffect, useRef, useState } from "../../kit/html.js";
import { useWidth } from "../../kit/room.js";
import { everyFrame } from "../../kit/canvas.js";
import { stillness } from "../../kit/theme.js";
import { t } from "../../i18n.js";

/** @typedef {[number, number]} XY */

/** Numbers on their way to others. @param {number[]} to @param {number} ms  0 is at once @returns {number[]} */
export function useTween(to, ms) {
  const [now, setNow] = useState(to), at = useRef(to);
  useEffect(() => {
    const put = (/** @type {number[]} */ next) => { at.current = next; setNow(next); };
    if (!ms || stillness() || to.length !== at.current.length) { put(to); return; }
    const from = at.current;
    let start = 0;
    const stop = everyFrame((time) => {
      start ||= time;
      const share = Math.min(1, (time - start) / ms), eased = 1 - (1 - share) ** 3;
      put(share < 1 ? from.map((v, i) => v + (to[i] - v) * eased) : to);
      if (share === 1) stop();
    });
    return stop;
  }, [to.join(), ms]);
  return now;
}

/** The part of a polygon where w x + b > 0. @param {XY[]} corners @param {number[]} line  w1, w2, b */
function half(corners, [w1, w2, b]) {
  const value = (/** @type {XY} */ p) => w1 * p[0] + w2 * p[1] + b;
  return corners.flatMap((p, i) => {
    const q = corners[(i + 1) % corners.length], [u, v] = [value(p), value(q)];
    const cross = /** @type {XY} */ ([p[0] + ((q[0] - p[0]) * u) / (u - v), p[1] + ((q[1] - p[1]) * u) / (u - v)]);
    return [...(u > 0 ? [p] : []), ...(u > 0 !== v > 0 ? [cross] : [])];
  });
}

/** @param {{state: any, tick: any, quick: boolean}} props */
export function Plane({ state, tick, quick }) {
  const [ref, width] = useWidth();
  const height = Math.max(260, Math.min(width * 0.68, 620));
  const line = useTween([...tick.weight, tick.bias], quick ? 0 : 420);
  const [[lowX, highX], [lowY, highY]] = state.range;
  const scale = Math.min(width / (highX - lowX), height / (highY - lowY));
  const [midX, midY] = [(lowX + highX) / 2, (lowY + highY) / 2];
  const X = (/** @type {number} */ x) => width / 2 + (x - midX) * scale, Y = (/** @type {number} */ y) => height / 2 - (y - midY) * scale;
  const [dx, dy] = [width / scale / 2, height / scale / 2];
  const corners = /** @type {XY[]} */ ([[midX - dx, midY - dy], [midX + dx, midY - dy], [midX + dx, midY + dy], [midX - dx, midY + dy]]);
  const path = (/** @type {XY[]} */ points) => points.map(([x, y]) => `${X(x).toFixed(1)},${Y(y).toFixed(1)}`).join(" ");
  const none = !line[0] && !line[1];
  const { X: xs, signs } = state.arrays, points = Array.from(signs, (sign, i) => ({ i, x: xs[2 * i], y: xs[2 * i + 1], sign, right: tick.arrays.answers[i] === sign }));
  points.sort((a, b) => Number(b.right) - Number(a.right)); // what is missed lies on top
  const radius = points.length > 8 ? 7 : 13;
  return html`<div class=${`points-plane ${quick ? "quick" : ""}`} ref=${ref}>${width > 0 && html`<svg width=${width} height=${height} role="img" aria-label=${t("perceptron.planeSays", { right: tick.right, rows: tick.rows })}>
    ${line.some(Boolean) && html`<polygon class="side yes" points=${path(half(corners, line))} /><polygon class="side no" points=${path(half(corners, line.map((v) => -v)))} />`}
    <g class="axes"><line x1="0" x2=${width} y1=${Y(0)} y2=${Y(0)} /><line x1=${X(0)} x2=${X(0)} y1="0" y2=${height} /><text x=${width - 8} y=${Y(0) - 7} text-anchor="end">x₁</text><text x=${X(0) + 8} y="16">x₂</text></g>
    ${!none && html`<${Divide} line=${line} mid=${[midX, midY]} X=${X} Y=${Y} reach=${2 * (dx + dy)} />`}
    ${points.map(({ i, x, y, sign, right }) => html`<g key=${i} class=${`point ${sign > 0 ? "yes" : "no"} ${right ? "" : "missed"} ${tick.row === i ? "now" : ""}`} transform=${`translate(${X(x).toFixed(1)} ${Y(y).toFixed(1)})`}>
      ${tick.row === i && html`<circle class=${`look ${tick.wrong ? "wrong" : ""}`} r=${radius + 8} />`}
      ${sign > 0 ? html`<circle class="mark" r=${radius} />` : html`<rect class="mark" x=${-radius * 0.92} y=${-radius * 0.92} width=${radius * 1.84} height=${radius * 1.84} rx="2" />`}
      <path class="sign" d=${`M${-radius * 0.45} 0h${radius * 0.9}${sign > 0 ? `M0 ${-radius * 0.45}v${radius * 0.9}` : ""}`} /></g>`)}
  </svg>`}${none && html`<p class="no-line">${t("perceptron.noLine")}</p>`}</div>`;
}

/** The line and its normal, the weight vector, from the line's point that is nearest to the middle. @param {any} props */
function Divide({ line: [w1, w2, b], mid, X, Y, reach }) {
  const size = Math.hypot(w1, w2), off = (w1 * mid[0] + w2 * mid[1] + b) / size, [n1, n2] = [w1 / size, w2 / size];
  const foot = [mid[0] - off * n1, mid[1] - off * n2];
  const at = (/** @type {number} */ along) => [X(foot[0] - n2 * along), Y(foot[1] + n1 * along)];
  const [[x1, y1], [x2, y2]] = [at(-reach), at(reach)], [fx, fy] = [X(foot[0]), Y(foot[1])];
  const [tx, ty] = [fx + 56 * n1, fy - 56 * n2];
  return html`<g class="divide"><line class="boundary" x1=${x1} y1=${y1} x2=${x2} y2=${y2} />
    <line class="normal" x1=${fx} y1=${fy} x2=${tx} y2=${ty} /><path class="tip" d="M0 0L-11 -5.500V5.500Z" transform=${`translate(${tx + 8 * n1} ${ty - 8 * n2}) rotate(${(-Math.atan2(n2, n1) * 180) / Math.PI})`} />
    <text class="normal-name" x=${tx + 22 * n1} y=${ty - 22 * n2 + 5} text-anchor="middle">w</text></g>`;
}
