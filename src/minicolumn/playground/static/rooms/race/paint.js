/** What a network answers over the plane, with the points: filled ones are learnt, ringed ones are for testing. */
import { html, useEffect, useRef } from "../../kit/html.js";
import { sized } from "../../kit/canvas.js";
import { groundRGB, signColour, table } from "../../kit/colour.js";
import { onTheme, theme, token } from "../../kit/theme.js";

/** @typedef {import("../../frames.js").Frame} Frame */

const SOFT = 0.66; // of the map's colours, so that points of the same colour stand out

/** @param {CanvasRenderingContext2D} context @param {Uint8Array} maps @param {number} k @param {number} side @param {number} size @param {HTMLCanvasElement} small */
function drawMap(context, maps, k, side, size, small) {
  if (small.width !== side) small.width = small.height = side;
  const image = new ImageData(side, side),
    pixels = new Uint32Array(image.data.buffer),
    colours = table();
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[maps[k * side * side + i]];
  small.getContext("2d")?.putImageData(image, 0, 0);
  const [r, g, b] = groundRGB();
  context.fillStyle = `rgb(${r} ${g} ${b})`;
  context.fillRect(0, 0, size, size);
  context.globalAlpha = SOFT;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, size, size);
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {Frame} state @param {number} size */
function drawPoints(context, state, size) {
  const { points, targets, held } = state.arrays,
    [[u0, u1], [v0, v1]] = state.range;
  const radius = Math.max(1.8, Math.min(3.4, size / 95)) * (held.length > 400 ? 0.8 : 1),
    ink = token("--ink"),
    rim = theme() === "dark" ? "rgb(12 14 17 / 0.85)" : "rgb(255 255 255 / 0.9)";
  for (const test of [0, 1])
    for (let i = 0; i < held.length; i++) {
      if (held[i] !== test) continue;
      context.beginPath();
      context.arc(
        ((points[2 * i] - u0) / (u1 - u0)) * size,
        ((v1 - points[2 * i + 1]) / (v1 - v0)) * size,
        radius,
        0,
        7,
      );
      context.fillStyle = signColour(targets[i] - 0.5);
      context.fill();
      context.lineWidth = (test ? 0.45 : 0.28) * radius;
      context.strokeStyle = test ? ink : rim;
      context.stroke();
    }
}

/** @param {{state: Frame, tick: Frame, k: number, label: string}} props */
export function Answers({ state, tick, k, label }) {
  const ref = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const small = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const paint = useRef(() => {});
  paint.current = () => {
    const canvas = ref.current,
      size = canvas?.clientWidth;
    if (!canvas || !size) return;
    small.current ??= document.createElement("canvas");
    const context = sized(canvas, size, size);
    drawMap(
      context,
      /** @type {Uint8Array} */ (tick.arrays.maps),
      k,
      tick.shapes.maps[1],
      size,
      small.current,
    );
    drawPoints(context, state, size);
  };
  useEffect(() => paint.current(), [state, tick, k]);
  useEffect(() => {
    const observer = new ResizeObserver(() => paint.current());
    if (ref.current) observer.observe(ref.current);
    const end = onTheme(() => paint.current());
    return () => {
      observer.disconnect();
      end();
    };
  }, []);
  return html`<canvas class="answers" ref=${ref} role="img" aria-label=${label} />`;
}
