/**
 * Rooms whose whole setup is what `open` says: they open with what the address names, or with what they were last, and
 * the address follows what is changed, so that it can be given to others.
 */
import { useEffect, useRef } from "./html.js";
import { useFrame } from "./room.js";
import { Refused } from "../socket.js";

/**
 * @typedef {import("../app.js").Room} Room
 * @typedef {"text" | "number" | "list"} Kind
 * @typedef {{setup: Record<string, any>, past?: object}} Kept
 */

const LATER = 400; // ms until the address follows: browsers take few changes of it in a row

/**
 * What an address says of a setup.
 * @param {URLSearchParams} query @param {Record<string, Kind>} fields
 * @returns {Record<string, any>}
 */
export function askedOf(query, fields) {
  /** @type {Record<string, any>} */
  const asked = {};
  for (const [name, kind] of Object.entries(fields)) {
    const text = query.get(name);
    if (text === null) continue;
    asked[name] = kind === "text" ? text : kind === "list" ? text.split(",").map(Number) : Number(text);
  }
  return asked;
}

/**
 * Open the room at each connection; where what was asked is refused, which is said, as it is by itself.
 * @param {Room} room @param {Record<string, Kind>} fields  of the setup, as `open` takes them and states have them
 * @param {Kept} kept  what outlives a visit to another room
 * @param {(state: any) => object} [pastOf]  what else is said at a new connection, so that it goes on where it stood
 * @returns {any} the newest state
 */
export function useSetup(room, fields, kept, pastOf) {
  const timer = useRef(0);
  const state = useFrame(room, "state", (next) => {
    kept.setup = Object.fromEntries(Object.keys(fields).map((name) => [name, next[name]]));
    kept.past = pastOf?.(next);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(
      () => room.remember(Object.fromEntries(Object.entries(kept.setup).map(([k, v]) => [k, String(v)]))),
      LATER,
    );
  });
  useEffect(() => {
    const asked = askedOf(room.query, fields);
    const same = Object.keys(fields).every((name) => String(asked[name]) === String(kept.setup[name]));
    if (Object.keys(asked).length && !same) Object.assign(kept, { setup: asked, past: undefined });
    const end = room.onOpen(async () => {
      if (!(await room.send("open", { ...kept.setup, ...kept.past }))) room.send("open");
    });
    return () => {
      clearTimeout(timer.current);
      end();
    };
  }, [room]);
  return state;
}

/**
 * Say `open` with changes of the setup, one message after another: changes that come while one is under way are gathered.
 * @param {Room} room @param {Kept} kept
 * @param {(wrong: import("../i18n.js").Line | null, changes: Record<string, any>) => void} [tell]  what was refused, or null
 * @returns {(changes: Record<string, any>) => Promise<void>}
 */
export function changing(room, kept, tell = (wrong) => room.say(wrong)) {
  let waiting = /** @type {Record<string, any> | null} */ (null),
    busy = false;
  return async (changes) => {
    waiting = { ...waiting, ...changes };
    if (busy) return;
    busy = true;
    while (waiting) {
      const now = waiting;
      waiting = null;
      try {
        await room.ask("open", { ...kept.setup, ...now });
        tell(null, now);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        tell(error.line, now);
      }
    }
    busy = false;
  };
}
