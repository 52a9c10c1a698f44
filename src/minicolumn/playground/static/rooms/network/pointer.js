/**
 * What the pointer does on the large map: it reads, paints, moves or erases.
 *
 * @typedef {import("./model.js").Live} Live
 */
import { useRef } from "../../kit/html.js";
import { short } from "../../kit/controls.js";
import { placeOn } from "../../kit/scale.js";
import { mapIndex } from "./model.js";
import { rawOf, unitOf } from "./units.js";
import { CELLS, SIDE, severalClasses } from "./picture.js";

const ENOUGH = 6; // points of a new set, before it is learnt: every fifth is for the test

/**
 * What the pointer does on the map: looks, paints, moves or erases. The next move is sent once the last was answered.
 * @param {any} props
 */
export function pointerTools({ picture, live, now, tool, brush, paint, read, onPoint }) {
  const held = useRef(-1),
    down = useRef(false),
    busy = useRef(false),
    last = useRef([-1e9, -1e9]);
  /** @type {(fields: object) => Promise<void>} */
  const send = async (fields) => {
    if (busy.current) return;
    busy.current = true;
    await paint(fields);
    busy.current = false;
  };
  /** Points of a new set are gathered until there are enough of both kinds. @param {number[]} point */
  const add = (point) => {
    const shown = picture.current;
    if (!shown.pending) {
      send({ add: [point] });
      return;
    }
    shown.pending = [...shown.pending, point];
  };
  const begin = () => {
    const shown = picture.current,
      targets = new Set(shown.pending?.map((/** @type {number[]} */ p) => p[2]));
    if (!shown.pending || shown.pending.length < ENOUGH || targets.size < 2) return;
    const points = shown.pending;
    paint({ clear: true, add: points }).then(() => {
      shown.pending = null;
      shown.pointsDrawn = "";
    });
  };
  /** @param {PointerEvent} e @returns {[number, number]} */
  const where = (e) => placeOn(e, /** @type {HTMLElement} */ (e.currentTarget));
  /** @param {PointerEvent} e */
  const act = (e) => {
    const shown = picture.current,
      [x, y] = where(e),
      [u, v] = shown.toPlane(x, y),
      [[u0, u1], [v0, v1]] = now.current.range;
    const inside = u >= u0 && u <= u1 && v >= v0 && v <= v1;
    if (read.current) read.current.textContent = inside ? valueAt(live, now.current, u, v) : "";
    if (!down.current || !inside) return;
    if (tool === "brush" && Math.hypot(x - last.current[0], y - last.current[1]) > 9) {
      last.current = [x, y];
      add([u, v, brush]);
    }
    if (tool === "move" && held.current >= 0) send({ move: [[held.current, u, v]] });
    if (tool === "erase") {
      const at = shown.pointAt(x, y);
      if (at >= 0) send({ remove: [at] });
    }
  };
  return {
    onPointerDown: (/** @type {PointerEvent} */ e) => {
      const [x, y] = where(e);
      if (tool === "look") {
        onPoint(picture.current.toPlane(x, y));
        return;
      }
      down.current = true;
      last.current = [-1e9, -1e9];
      held.current = tool === "move" ? picture.current.pointAt(x, y) : -1;
      /** @type {HTMLElement} */ (e.currentTarget).setPointerCapture(e.pointerId);
      act(e);
    },
    onPointerMove: act,
    onPointerUp: () => {
      down.current = false;
      begin();
    },
    onPointerCancel: () => {
      down.current = false;
    },
    onPointerLeave: () => {
      if (read.current) read.current.textContent = "";
    },
  };
}

/** What the map says at a place, in words. @param {Live} live @param {any} state @param {number} u @param {number} v */
function valueAt(live, state, u, v) {
  const maps = live.tick?.arrays.maps,
    [[u0, u1], [v0, v1]] = state.range;
  const [x, y] = [u, v].map((value, i) => rawOf(unitOf(state, state.axes[i]), value));
  const place = `${short(x, 3)}, ${short(y, 3)}`;
  if (!maps) return place;
  const column = Math.min(SIDE - 1, Math.floor(((u - u0) / (u1 - u0)) * SIDE)),
    row = Math.min(SIDE - 1, Math.floor(((v1 - v) / (v1 - v0)) * SIDE));
  const neuron = live.hovered ?? live.selected ?? { layer: state.layers.length - 1, unit: 0 };
  const first = mapIndex(state, neuron),
    cell = row * SIDE + column;
  if (!live.selected && severalClasses(state)) {
    let best = 0;
    for (let k = 1; k < state.layers.at(-1).units; k++)
      if (maps[(first + k) * CELLS + cell] > maps[(first + best) * CELLS + cell]) best = k;
    return `${place} → ${state.outputs[best]}`;
  }
  return `${place} → ${short((maps[first * CELLS + cell] - 127.5) / 127.5, 2)}`;
}
