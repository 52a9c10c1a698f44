/** Small pictures of 8 by 8, one canvas pixel each, enlarged by the browser. */
import { html, useEffect, useRef } from "../../kit/html.js";
import { table } from "../../kit/colour.js";
import { theme } from "../../kit/theme.js";
import { SIDE } from "./strokes.js";

const INK = { light: 0x261f1c, dark: 0xe8ebec }; // --ink, blue first

/** Values as pixels: how dark, or from -1 (0) to +1 (255) in colours. @param {ArrayLike<number>} values @param {number} at @param {"ink" | "signed"} as */
function painted(values, at, as) {
  const image = new ImageData(SIDE, SIDE),
    pixels = new Uint32Array(image.data.buffer),
    colours = table(),
    ink = INK[theme()];
  for (let i = 0; i < pixels.length; i++)
    pixels[i] = as === "signed" ? colours[values[at + i]] : ((values[at + i] << 24) | ink) >>> 0;
  return image;
}

/** @param {{values: ArrayLike<number>, at?: number, as?: "ink" | "signed", label?: string}} props  values: bytes */
export function Pixels({ values, at = 0, as = "ink", label }) {
  const ref = useRef(/** @type {HTMLCanvasElement | null} */ (null)),
    look = theme();
  useEffect(() => {
    ref.current?.getContext("2d")?.putImageData(painted(values, at, as), 0, 0);
  }, [values, at, as, look]);
  return html`<canvas class="pixels" ref=${ref} width=${SIDE} height=${SIDE} role=${label ? "img" : undefined}
      aria-label=${label} aria-hidden=${label ? undefined : "true"} />`;
}

/** Numbers from 0 to 1 as bytes. @param {ArrayLike<number>} values */
export const bytesOf = (values) =>
  Uint8Array.from(values, (v) => Math.round(255 * Math.min(1, Math.max(0, v))));
