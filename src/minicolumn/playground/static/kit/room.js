/**
 * What rooms have in common: their heading, the newest frame of a kind as a hook, and ways to say many changes: the next is
 * sent once the last was answered, as the session takes no more than 200 messages a second.
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { t } from "../i18n.js";

/** @typedef {import("../frames.js").Frame} Frame @typedef {import("../app.js").Room} Room */

/** The room's title and the sentence under it. @param {{name: string, children?: any}} props */
export function Intro({ name, children }) {
  return html`<div class="intro"><h1>${t(`${name}.title`)}</h1><p>${t(`${name}.lead`)}</p>${children}</div>`;
}

/** The width of an element, kept up to date. @returns {[any, number]} */
export function useWidth() {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

/**
 * The newest frame of a kind; renders again with each.
 * @param {Room} room @param {string} kind @param {(frame: Frame) => void} [and]  called with each as it comes
 * @returns {Frame | null}
 */
export function useFrame(room, kind, and) {
  const [frame, setFrame] = useState(/** @type {Frame | null} */ (null));
  const also = useRef(and);
  also.current = and;
  useEffect(
    () =>
      room.onFrame((next) => {
        if (next.kind !== kind) return;
        setFrame(next);
        also.current?.(next);
      }),
    [room, kind],
  );
  return frame;
}

/**
 * Open the room at each connection, and take each of its states.
 * @param {Room} room @param {() => object} [setup]  what `open` says: the last state's setup, so that nothing is lost
 */
export function useRoom(room, setup = () => ({})) {
  const state = useFrame(room, "state");
  const last = useRef(setup);
  last.current = setup;
  useEffect(
    () =>
      room.onOpen(() => {
        room.send("open", last.current());
      }),
    [room],
  );
  return state;
}

/**
 * Say `set` with changes, one message after another: changes that come while one is under way are gathered.
 * `set.settled()` waits until all are said, for messages that must not come before them.
 * @param {Room} room @returns {((changes: object) => Promise<void>) & {settled: () => Promise<void>}}
 */
export function gathering(room) {
  let waiting = /** @type {object | null} */ (null),
    saying = /** @type {Promise<void> | null} */ (null);
  const say = async () => {
    while (waiting) {
      const now = waiting;
      waiting = null;
      await room.send("set", { changes: now });
    }
    saying = null;
  };
  /** @param {object} changes */
  const set = (changes) => {
    waiting = { ...waiting, ...changes };
    saying ??= say();
    return saying;
  };
  return Object.assign(set, { settled: async () => saying ?? undefined });
}

/**
 * Say messages one after another; of those that come while one is under way, the newest alone. For drags and sliders.
 * @param {Room} room @returns {(doing: string, fields?: object) => Promise<void>}
 */
export function newest(room) {
  let waiting = /** @type {[string, object] | null} */ (null),
    busy = false;
  return async (doing, fields = {}) => {
    waiting = [doing, fields];
    if (busy) return;
    busy = true;
    while (waiting) {
      const [say, what] = waiting;
      waiting = null;
      await room.send(say, what);
    }
    busy = false;
  };
}
