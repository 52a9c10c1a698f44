/** The race as it is seen from above: the ground, the minima, and the paths with their heads. */
import { html, useEffect, useRef } from "../../kit/html.js";
import { placeOn } from "../../kit/scale.js";
import { sized } from "../../kit/canvas.js";
import { onTheme, token } from "../../kit/theme.js";
import { t } from "../../i18n.js";
import { short } from "../../kit/controls.js";
import { colourOf, trace } from "./who.js";
import { Ground } from "./ground.js";

/** @typedef {import("../../frames.js").Frame} Frame @typedef {import("./clock.js").Clock} Clock */

const FAR = 1e4; // CSS pixels: of a path that leaves for good the rest is not drawn

/** @param {Frame} state @param {number} width @param {number} height */
function placing({ bounds: [[left, right], [bottom, top]] }, width, height) {
  return {
    toCanvas: (/** @type {number} */ x, /** @type {number} */ y) => [
      ((x - left) / (right - left)) * width,
      ((top - y) / (top - bottom)) * height,
    ],
    toPlane: (/** @type {number} */ x, /** @type {number} */ y) => [
      within(left + (x / width) * (right - left), left, right),
      within(top - (y / height) * (top - bottom), bottom, top),
    ],
  };
}
const within = (/** @type {number} */ v, /** @type {number} */ low, /** @type {number} */ high) =>
  Math.min(high, Math.max(low, v));

/** The height of the picture by its width. @param {Frame} state */
export const ratioOf = ({ bounds: [[left, right], [bottom, top]] }) =>
  within((top - bottom) / (right - left), 0.62, 1);

/** A star for the lowest minima, a ring for the others. @param {CanvasRenderingContext2D} context @param {any} minimum @param {number} x @param {number} y */
function drawMinimum(context, minimum, x, y) {
  context.beginPath();
  if (minimum.lowest)
    for (let i = 0; i < 10; i++) {
      const r = i % 2 ? 4.2 : 10,
        angle = (i * Math.PI) / 5;
      context[i ? "lineTo" : "moveTo"](x + r * Math.sin(angle), y - r * Math.cos(angle));
    }
  else context.arc(x, y, 4.5, 0, 7);
  context.closePath();
  context.lineJoin = "round";
  context.strokeStyle = token("--panel");
  context.lineWidth = 4;
  context.stroke();
  context.strokeStyle = token("--ink");
  context.lineWidth = 1.6;
  context.stroke();
  if (minimum.lowest) {
    context.fillStyle = token("--ink");
    context.fill();
  }
}

/** @param {CanvasRenderingContext2D} context @param {Frame} state @param {number} k @param {number} step @param {(x: number, y: number) => number[]} toCanvas @param {boolean} faded */
function drawPath(context, state, k, step, toCanvas, faded) {
  const paths = state.arrays.paths,
    length = state.shapes.paths[1],
    first = 2 * k * length,
    { optimizer } = state.racers[k];
  const at = (/** @type {number} */ i) => toCanvas(paths[first + 2 * i], paths[first + 2 * i + 1]);
  const whole = Math.min(length - 1, Math.floor(step));
  let [x, y] = at(0),
    lost = false;
  context.beginPath();
  context.moveTo(x, y);
  for (let i = 1; i <= Math.min(length - 1, whole + 1) && !lost; i++) {
    let [nextX, nextY] = at(i);
    lost = !(Math.abs(nextX) < FAR && Math.abs(nextY) < FAR);
    if (lost) break;
    const share = Math.min(1, step - (i - 1));
    if (share <= 0) break;
    [nextX, nextY] = [x + share * (nextX - x), y + share * (nextY - y)];
    context.lineTo(nextX, nextY);
    [x, y] = [nextX, nextY];
  }
  context.lineJoin = context.lineCap = "round";
  context.globalAlpha = faded ? 0.18 : 1;
  context.strokeStyle = token("--panel");
  context.lineWidth = 4.5;
  context.stroke();
  context.strokeStyle = colourOf(optimizer);
  context.lineWidth = 2.2;
  context.stroke();
  context.globalAlpha = 1;
  return lost ? null : [x, y];
}

/** @param {CanvasRenderingContext2D} context @param {Frame} state @param {number} step @param {Ground} ground @param {number} width @param {number} height @param {string | null} only */
function draw(context, state, step, ground, width, height, only) {
  const { toCanvas } = placing(state, width, height);
  context.drawImage(ground.picture(state, width, height), 0, 0, width, height);
  for (const minimum of state.minima) {
    const [x, y] = toCanvas(minimum.point[0], minimum.point[1]);
    drawMinimum(context, minimum, x, y);
  }
  const order = state.racers
    .map((/** @type {any} */ _, /** @type {number} */ k) => k)
    .sort(
      (/** @type {number} */ a, /** @type {number} */ b) =>
        Number(state.racers[a].optimizer === only) - Number(state.racers[b].optimizer === only),
    );
  const heads = order.map((/** @type {number} */ k) => {
    const { optimizer } = state.racers[k];
    return {
      optimizer,
      at: drawPath(context, state, k, step, toCanvas, only !== null && only !== optimizer),
    };
  });
  for (const { optimizer, at } of heads) {
    if (!at || (only !== null && only !== optimizer)) continue;
    context.beginPath();
    trace(context, optimizer, at[0], at[1], 7);
    context.strokeStyle = token("--panel");
    context.lineWidth = 3.5;
    context.stroke();
    context.fillStyle = colourOf(optimizer);
    context.fill();
  }
  labels(context, state, toCanvas, width);
}

/** Letters of the points that were reached. @param {CanvasRenderingContext2D} context @param {Frame} state @param {(x: number, y: number) => number[]} toCanvas @param {number} width */
function labels(context, state, toCanvas, width) {
  context.font = `600 13px ${token("--sans")}`;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const { label, point } of state.stationary) {
    const [x, y] = toCanvas(point[0], point[1]),
      right = x < width - 34;
    context.textAlign = right ? "left" : "right";
    context.strokeStyle = token("--panel");
    context.lineWidth = 4;
    context.strokeText(label, x + (right ? 14 : -14), y - 11);
    context.fillStyle = token("--ink");
    context.fillText(label, x + (right ? 14 : -14), y - 11);
  }
}

/**
 * The picture with its start, which is dragged, tapped to, or moved by arrow keys.
 * @param {{state: Frame, clock: Clock, only: string | null, busy: boolean, asked: () => number[], onStart: (start: number[], dragging: boolean) => void}} props
 */
export function RaceMap({ state, clock, only, busy, asked, onStart }) {
  const ref = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const handle = useRef(/** @type {HTMLElement | null} */ (null));
  const ground = useRef(/** @type {Ground | null} */ (null));
  ground.current ??= new Ground();
  const [[left, right], [bottom, top]] = state.bounds;
  const ratio = ratioOf(state);
  const drag = useRef(/** @type {number[] | null} */ (null)),
    touched = useRef(false);

  const place = (/** @type {number[]} */ start) => {
    const canvas = ref.current;
    if (!canvas || !handle.current) return;
    const [x, y] = placing(state, canvas.clientWidth, canvas.clientHeight).toCanvas(start[0], start[1]);
    handle.current.style.transform = `translate(${x}px, ${y}px)`;
  };
  useEffect(() => {
    const canvas = ref.current;
    if (!canvas) return;
    const paint = () => {
      const width = canvas.clientWidth,
        height = Math.round(width * ratio);
      if (!width) return;
      canvas.style.height = `${height}px`;
      const context = sized(canvas, width, height);
      draw(context, state, clock.step, /** @type {Ground} */ (ground.current), width, height, only);
      if (!drag.current) place(state.start);
    };
    const observer = new ResizeObserver(paint);
    observer.observe(canvas);
    paint();
    const ends = [clock.watch(paint), onTheme(paint), () => observer.disconnect()];
    return () => ends.forEach((end) => end());
  }, [state, clock, only, ratio]);

  const pointed = (/** @type {PointerEvent} */ e) => {
    const canvas = /** @type {HTMLElement} */ (ref.current);
    return placing(state, canvas.clientWidth, canvas.clientHeight).toPlane(...placeOn(e, canvas));
  };
  const down = (/** @type {any} */ e) => {
    if (e.button) return;
    touched.current = e.pointerType === "touch" && e.target === ref.current;
    if (touched.current) return; // a tap moves it, a swipe scrolls the page
    e.preventDefault();
    handle.current?.focus({ preventScroll: true });
    e.currentTarget.setPointerCapture(e.pointerId);
    move(e, true);
  };
  const move = (/** @type {any} */ e, begins = false) => {
    if (!begins && !drag.current) return;
    drag.current = pointed(e);
    place(drag.current);
    onStart(drag.current, true);
  };
  const up = () => {
    if (!drag.current) return;
    onStart(drag.current, false);
    drag.current = null;
  };
  const tap = (/** @type {any} */ e) => {
    if (touched.current) onStart(pointed(e), false);
    touched.current = false;
  };
  const key = (/** @type {KeyboardEvent} */ e) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (!by) return;
    e.preventDefault();
    const part = e.shiftKey ? 0.1 : 0.02;
    const [x, y] = asked(); // `state` is older where keys come before the answer
    const next = [
      within(x + by[0] * part * (right - left), left, right),
      within(y + by[1] * part * (top - bottom), bottom, top),
    ];
    onStart(
      next.map((v) => Number(v.toPrecision(6))),
      true,
    );
  };
  const [x, y] = state.start.map((/** @type {number} */ v) => short(v, 3));
  return html`<div class="race-map" onPointerDown=${down} onPointerMove=${move} onPointerUp=${up}
      onPointerCancel=${up} onClick=${tap}>
    <canvas ref=${ref} role="img"
        aria-label=${t("descent.map", { surface: t(`descent.surface.${state.surface}`) })} />
    <button type="button" class="start-handle" ref=${handle} aria-label=${t("descent.startAt", { x, y })}
        title=${t("descent.dragMe")} onKeyDown=${key}
        onKeyUp=${(/** @type {KeyboardEvent} */ e) => e.key.startsWith("Arrow") && onStart(asked(), false)}>
            <i /></button>
    ${busy && html`<div class="at-work" role="status"><i />${t("descent.atWork")}</div>`}
  </div>`;
}
