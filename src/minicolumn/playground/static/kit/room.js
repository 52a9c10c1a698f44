/** What rooms have in common: their heading, and the newest frame of a kind as a hook. */
import { html, useEffect, useRef, useState } from "./html.js";
import { t } from "../i18n.js";

/** @typedef {import("../frames.js").Frame} Frame @typedef {import("../app.js").Room} Room */

/** The room's title and the sentence under it. @param {{name: string, children?: any}} props */
export function Intro({ name, children }) {
  return html`<div class="intro"><h1>${t(`${name}.title`)}</h1><p>${t(`${name}.lead`)}</p>${children}</div>`;
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
  useEffect(() => room.onFrame((next) => {
    if (next.kind !== kind) return;
    setFrame(next);
    also.current?.(next);
  }), [room, kind]);
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
  useEffect(() => room.onOpen(() => { room.send("open", last.current()); }), [room]);
  return state;
}
