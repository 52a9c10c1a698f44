/** Canvases at the screen's own resolution, maps painted by table, and one loop of animation frames for all. */
import { html, useEffect, useRef } from "./html.js";
import { table } from "./colour.js";
import { pixelRatio } from "./scale.js";
import { onTheme } from "./theme.js";

/**
 * Give a canvas the resolution of the screen; its context is scaled so that one unit is one pixel of the page.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height
 * @returns {CanvasRenderingContext2D}
 */
export function sized(canvas, width, height) {
  const ratio = pixelRatio();
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/**
 * A canvas as wide as its place, drawn by `draw(context, width, height)` whenever that function or the size changes.
 * @param {{draw: (context: CanvasRenderingContext2D, width: number, height: number) => void, ratio?: number,
 *          height?: number, class?: string, label: string, [more: string]: any}} props  ratio: height by width
 */
export function Canvas({ draw, ratio, height, label, ...more }) {
  const ref = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    const canvas = ref.current;
    if (!canvas) return;
    const paint = () => {
      const width = canvas.clientWidth;
      if (!width) return;
      const tall = ratio ? width * ratio : (height ?? canvas.clientHeight);
      if (ratio || height) canvas.style.height = `${tall}px`;
      const context = sized(canvas, width, tall);
      context.clearRect(0, 0, width, tall);
      draw(context, width, tall);
    };
    const observer = new ResizeObserver(paint);
    observer.observe(canvas);
    paint();
    return () => observer.disconnect();
  }, [draw, ratio, height]);
  return html`<canvas ref=${ref} role="img" aria-label=${label} ...${more} />`;
}

/**
 * Paint maps (bytes: 0 is -1, 255 is +1) below each other into a canvas of one map's width, for `drawImage` to take from.
 * @param {HTMLCanvasElement} atlas @param {Uint8Array} maps @param {number} count @param {number} side
 */
export function paintMaps(atlas, maps, count, side) {
  if (!count) return;
  if (atlas.width !== side || atlas.height !== side * count) {
    atlas.width = side;
    atlas.height = side * count;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (atlas.getContext("2d"));
  const image = context.createImageData(side, side * count);
  const pixels = new Uint32Array(image.data.buffer),
    colours = table();
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[maps[i]];
  context.putImageData(image, 0, 0);
}

/** @type {Map<(time: number) => void, boolean>} what draws, and whether it goes on though nothing happens */
const drawers = new Map();
const REST = 2_000; // ms after the last event was drawn until drawings that wait for one are left alone
let looping = false,
  drawn = false, // whether a frame came since the last event: a busy machine or a hidden page has none for long
  lastEvent = 0;

/** @param {number} time */
function loop(time) {
  if (!drawn) lastEvent = performance.now();
  drawn = true;
  const awake = performance.now() - lastEvent < REST;
  for (const [draw, always] of drawers) if (always || awake) draw(time);
  looping = drawers.size > 0 && (awake || [...drawers.values()].includes(true));
  if (looping) requestAnimationFrame(loop);
}

/** Something happened that may be drawn. */
export function wake() {
  drawn = false;
  if (looping || !drawers.size) return;
  looping = true;
  requestAnimationFrame(loop);
}

for (const event of [
  "pointermove",
  "pointerdown",
  "pointerup",
  "keydown",
  "resize",
  "focusin",
  "click",
  "change",
]) {
  addEventListener(event, wake, { capture: true, passive: true });
}
onTheme(wake);

/**
 * Call `draw(time)` at every animation frame until the returned function is called. There is one loop for all.
 * @param {(time: number) => void} draw
 * @param {{idle?: boolean}} [options]  idle: rest two seconds after the last frame of the session and the last event of the reader
 * @returns {() => void}
 */
export function everyFrame(draw, { idle = false } = {}) {
  drawers.set(draw, !idle);
  wake();
  return () => {
    drawers.delete(draw);
  };
}
