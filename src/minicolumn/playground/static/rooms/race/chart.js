/** Losses over the epochs on axes that all networks of a race share, with the epoch that was best on the test points. */
import { html, useCallback } from "../../kit/html.js";
import { Canvas } from "../../kit/canvas.js";
import { short } from "../../kit/controls.js";
import { theme, token } from "../../kit/theme.js";
import { t } from "../../i18n.js";

/** @typedef {import("../../frames.js").Frame} Frame */
/** @typedef {{epochs: number, low: number, high: number}} Span */

const LEAST = 0.01; // of losses that are drawn: less is as good as nothing
const LEFT = 44,
  BOTTOM = 18,
  TOP = 8,
  RIGHT = 8;

/** The axes on which all curves of a tick have room. @param {Frame} tick @returns {Span} */
export function spanOf(tick) {
  let low = 0.2,
    high = 1;
  tick.racers.forEach((/** @type {any} */ _, /** @type {number} */ k) => {
    const curve = tick.arrays[`curve${k}`];
    for (let i = 0; i < curve.length; i++)
      if (i % 3 && Number.isFinite(curve[i])) {
        low = Math.min(low, curve[i]);
        high = Math.max(high, curve[i]);
      }
  });
  return {
    epochs: Math.max(100, tick.epoch),
    low: Math.max(LEAST, low / 1.15),
    high: Math.min(20, high * 1.15),
  };
}

/** @param {CanvasRenderingContext2D} context @param {Frame} tick @param {number} k @param {Span} span @param {number} width @param {number} height */
function draw(context, tick, k, { epochs, low, high }, width, height) {
  const right = width - RIGHT,
    bottom = height - BOTTOM;
  const x = (/** @type {number} */ epoch) => LEFT + (epoch / epochs) * (right - LEFT);
  const y = (/** @type {number} */ loss) =>
    bottom - (Math.log(Math.min(high, Math.max(low, loss)) / low) / Math.log(high / low)) * (bottom - TOP);
  context.font = `11px ${token("--sans")}`;
  context.fillStyle = token("--muted");
  context.strokeStyle = token("--line");
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const loss of [0.01, 0.1, 1, 10]) {
    if (loss < low || loss > high) continue;
    context.beginPath();
    context.moveTo(LEFT, Math.round(y(loss)) + 0.5);
    context.lineTo(right, Math.round(y(loss)) + 0.5);
    context.stroke();
    context.fillText(loss === LEAST ? `≤${loss}` : String(loss), LEFT - 5, y(loss));
  }
  context.textBaseline = "alphabetic";
  context.fillText(String(epochs), right, height - 3);
  context.textAlign = "left";
  context.fillText("0", LEFT, height - 3);
  const curve = tick.arrays[`curve${k}`];
  for (const [column, colour] of [
    [1, "--train"],
    [2, "--test"],
  ]) {
    context.beginPath();
    for (let i = 0; i < curve.length; i += 3) context.lineTo(x(curve[i]), y(curve[i + Number(column)]));
    context.strokeStyle = token(String(colour));
    context.lineWidth = 1.8;
    context.lineJoin = "round";
    if (column === 1) context.setLineDash([5, 2.5]);
    context.stroke();
    context.setLineDash([]);
  }
  drawBest(context, tick.racers[k], x, y, bottom);
}

/** @param {CanvasRenderingContext2D} context @param {any} racer @param {(epoch: number) => number} x @param {(loss: number) => number} y @param {number} bottom */
function drawBest(context, { best, epoch }, x, y, bottom) {
  if (!epoch || best.test === null) return;
  context.strokeStyle = token("--pos");
  context.setLineDash([2, 3]);
  context.lineWidth = 1.2;
  context.beginPath();
  context.moveTo(x(best.epoch), TOP);
  context.lineTo(x(best.epoch), bottom);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.arc(x(best.epoch), y(best.test), 4, 0, 7);
  context.fillStyle = token("--panel");
  context.fill();
  context.lineWidth = 2;
  context.stroke();
}

/** @param {{tick: Frame, k: number, span: Span, height?: number}} props */
export function Losses({ tick, k, span, height = 120 }) {
  const look = theme();
  const paint = useCallback(
    (
      /** @type {CanvasRenderingContext2D} */ context,
      /** @type {number} */ width,
      /** @type {number} */ tall,
    ) => draw(context, tick, k, span, width, tall),
    [tick, k, span, look],
  );
  const { loss, best } = tick.racers[k];
  const label = t("race.curves", { train: short(loss.train), test: short(loss.test), epoch: best.epoch });
  return html`<${Canvas} class="losses-chart" draw=${paint} height=${height} label=${label} />`;
}
