/** The activation as a curve, a neuron's place on it, and the slope there as a tangent. */
import { html, useCallback } from "../../kit/html.js";
import { Canvas } from "../../kit/canvas.js";
import { short } from "../../kit/controls.js";
import { token } from "../../kit/theme.js";
import { t } from "../../i18n.js";

/** @typedef {import("./steps.js").State} State @typedef {import("./steps.js").Step} Step */

/** @param {{state: State, step: Step}} props */
export function Slope({ state, step }) {
  const { layer, unit, phase } = step,
    of = state.layers[layer];
  const z = of.pre_activations[unit],
    a = of.outputs[unit],
    slope = of.derivatives[unit];
  const tangent = phase === "backward";
  const draw = useCallback(
    (
      /** @type {CanvasRenderingContext2D} */ g,
      /** @type {number} */ width,
      /** @type {number} */ height,
    ) => {
      const { z: xs, value } = state.arrays;
      const low = Math.min(0, ...value),
        high = Math.max(1, ...value),
        pad = 14;
      const px = (/** @type {number} */ x) =>
        pad + ((x - xs[0]) / (xs[xs.length - 1] - xs[0])) * (width - 2 * pad);
      const py = (/** @type {number} */ y) => height - pad - ((y - low) / (high - low)) * (height - 2 * pad);
      const line = (
        /** @type {[number, number][]} */ points,
        /** @type {string} */ colour,
        wide = 1,
        /** @type {number[]} */ dash = [],
      ) => {
        g.beginPath();
        points.forEach(([x, y], i) => (i ? g.lineTo(px(x), py(y)) : g.moveTo(px(x), py(y))));
        g.strokeStyle = colour;
        g.lineWidth = wide;
        g.setLineDash(dash);
        g.stroke();
        g.setLineDash([]);
      };
      line(
        [
          [xs[0], 0],
          [xs[xs.length - 1], 0],
        ],
        token("--line-strong"),
      );
      line(
        [
          [0, low],
          [0, high],
        ],
        token("--line-strong"),
      );
      line(
        [...xs].map((x, i) => /** @type {[number, number]} */ ([x, value[i]])),
        token("--ink"),
        2,
      );
      line(
        [
          [z, 0],
          [z, a],
          [0, a],
        ],
        token("--muted"),
        1,
        [3, 3],
      );
      if (tangent) {
        const reach =
          ((xs[xs.length - 1] - xs[0]) * 0.22) /
          Math.hypot(1, (slope * (xs[xs.length - 1] - xs[0])) / (high - low) / 2);
        line(
          [
            [z - reach, a - slope * reach],
            [z + reach, a + slope * reach],
          ],
          token("--pos"),
          3,
        );
      }
      g.beginPath();
      g.arc(px(z), py(a), 5, 0, 7);
      g.fillStyle = token("--neg");
      g.fill();
      g.strokeStyle = token("--panel");
      g.lineWidth = 2;
      g.stroke();
    },
    [state, step, tangent],
  );
  const said = t(tangent ? "backpropagation.tangent" : "backpropagation.onCurve", {
    z: short(z),
    a: short(a),
    slope: short(slope),
  });
  return html`<figure class="bp-slope"><${Canvas} draw=${draw} height=${132} label=${said} />
    <figcaption class="note">${said}</figcaption></figure>`;
}
