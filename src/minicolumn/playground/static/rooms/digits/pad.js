/** The pad: a digit is drawn large by a pen, or set pixel by pixel with the keyboard, and shown as the network sees it. */
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../../kit/html.js";
import { Button } from "../../kit/controls.js";
import { sized } from "../../kit/canvas.js";
import { onTheme, token } from "../../kit/theme.js";
import { t } from "../../i18n.js";
import { Pixels, bytesOf } from "./pixels.js";
import { SIDE, drawStrokes, pixelsOf } from "./strokes.js";

/** @typedef {import("./strokes.js").Stroke} Stroke @typedef {import("../../frames.js").Frame} Frame */

const PEN = 0.1; // of the pad's width
const CLOSE = 0.006; // points nearer than this share of the pad are one

/** @param {HTMLCanvasElement} canvas @param {Stroke[]} strokes @param {ArrayLike<number> | null} example */
function paint(canvas, strokes, example) {
  const size = canvas.clientWidth;
  if (!size) return;
  const context = sized(canvas, size, size);
  context.clearRect(0, 0, size, size);
  context.strokeStyle = token("--line");
  context.lineWidth = 1;
  for (let i = 1; i < SIDE; i++) {
    const at = Math.round((i * size) / SIDE) + 0.5;
    context.beginPath();
    context.moveTo(at, 0);
    context.lineTo(at, size);
    context.moveTo(0, at);
    context.lineTo(size, at);
    context.stroke();
  }
  context.fillStyle = context.strokeStyle = token("--ink");
  if (example)
    for (let i = 0; i < SIDE * SIDE; i++) {
      context.globalAlpha = example[i];
      const [x, y] = [(i % SIDE) * (size / SIDE), Math.floor(i / SIDE) * (size / SIDE)];
      context.fillRect(x, y, size / SIDE + 0.5, size / SIDE + 0.5);
    }
  context.globalAlpha = 1;
  drawStrokes(context, strokes, ([x, y]) => [x * size, y * size], PEN * size);
}

/** @param {{seen: Frame, drawn: boolean, onDraw: (pixels: number[], drawn: boolean) => void}} props  drawn: by the pen, not an example */
export function Pad({ seen, drawn, onDraw }) {
  const ref = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const strokes = useRef(/** @type {Stroke[]} */ ([]));
  const pen = useRef(false);
  const pixels = seen.arrays.pixels;
  if (!drawn) strokes.current = [];
  const show = useRef(() => {});
  show.current = () => {
    if (ref.current) paint(ref.current, strokes.current, drawn ? null : pixels);
  };
  useEffect(() => show.current(), [drawn, pixels]);
  useEffect(() => {
    const observer = new ResizeObserver(() => show.current());
    if (ref.current) observer.observe(ref.current);
    const end = onTheme(() => show.current());
    return () => {
      observer.disconnect();
      end();
    };
  }, []);
  const add = (/** @type {PointerEvent} */ e, begins = false) => {
    const area = /** @type {HTMLCanvasElement} */ (ref.current).getBoundingClientRect();
    const events = begins || !e.getCoalescedEvents ? [e] : e.getCoalescedEvents();
    if (begins) strokes.current.push([]);
    const stroke = strokes.current[strokes.current.length - 1];
    for (const { clientX, clientY } of events.length ? events : [e]) {
      const [x, y] = [(clientX - area.left) / area.width, (clientY - area.top) / area.height];
      const last = stroke[stroke.length - 1];
      if (!last || Math.hypot(x - last[0], y - last[1]) > CLOSE) stroke.push([x, y]);
    }
    if (ref.current) paint(ref.current, strokes.current, null);
    onDraw(pixelsOf(strokes.current), true);
  };
  const down = (/** @type {any} */ e) => {
    if (e.button) return;
    e.preventDefault();
    e.currentTarget.setPointerCapture(e.pointerId);
    if (!drawn) strokes.current = [];
    pen.current = true;
    add(e, true);
  };
  const clear = () => {
    strokes.current = [];
    if (ref.current) paint(ref.current, [], null);
    onDraw(pixelsOf([]), true);
  };
  const up = () => {
    pen.current = false;
  };
  return html`<section class="panel pad-panel" aria-label=${t("digits.pad")}>
    <canvas class="pad" ref=${ref} role="img" aria-label=${t("digits.padLabel")} onPointerDown=${down}
        onPointerMove=${(/** @type {PointerEvent} */ e) => pen.current && add(e)} onPointerUp=${up}
            onPointerCancel=${up} />
    <div class="pad-row"><${Grid} pixels=${pixels}
        onChange=${(/** @type {number[]} */ next) => onDraw(next, false)} />
      <div><p class="note">${t("digits.asSeen")}</p><${Button} icon="trash"
          onClick=${clear}>${t("digits.clear")}<//></div></div>
  </section>`;
}

/** The 64 numbers themselves; with the keyboard each can be set. @param {{pixels: ArrayLike<number>, onChange: (pixels: number[]) => void}} props */
function Grid({ pixels, onChange }) {
  const [at, setAt] = useState(0);
  const bytes = useMemo(() => bytesOf(pixels), [pixels]);
  const key = useCallback(
    (/** @type {KeyboardEvent} */ e) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -SIDE, ArrowDown: SIDE }[e.key];
      if (by !== undefined) setAt((now) => (now + by + SIDE * SIDE) % (SIDE * SIDE));
      else if (e.key === " " || e.key === "Enter")
        onChange(Array.from(pixels, (v, i) => (i === at ? (v > 0.5 ? 0 : 1) : v)));
      else return;
      e.preventDefault();
      e.stopPropagation();
    },
    [pixels, at],
  );
  const [row, column] = [Math.floor(at / SIDE), at % SIDE];
  return html`<button type="button" class="pixel-grid" onKeyDown=${key} title=${t("digits.gridHelp")}
      aria-label=${t("digits.gridLabel", { row: row + 1, column: column + 1, percent: Math.round(100 * pixels[at]) })}>
    <${Pixels} values=${bytes} /><i style=${{ left: `${12.5 * column}%`, top: `${12.5 * row}%` }} /></button>`;
}
