/** Rooms that train: they are opened at each connection, learn for a while by themselves, and are run, stepped and begun anew. */
import { useEffect } from "./html.js";
import { useKeys } from "./controls.js";
import { stillness } from "./theme.js";

/** @typedef {import("../app.js").Room} Room */

/**
 * Learn so many epochs: to be watched, or all at once for a reader who asked for less motion.
 * @param {Room} room @param {number} epochs
 */
export const learn = (room, epochs) => room.send(stillness() ? "step" : "run", { epochs });

/**
 * What buttons and keys do alike; a room that is left stops.
 * @param {Room} room @param {boolean} running
 * @param {{begin: () => void, again: () => void}} does  begin: at each connection; again: when the reader wants it anew
 */
export function useRuns(room, running, { begin, again }) {
  useEffect(() => {
    const end = room.onOpen(begin);
    return () => {
      end();
      room.send("pause");
    };
  }, [room]);
  const act = {
    run: () => {
      room.send(running ? "pause" : "run");
    },
    step: () => {
      room.send("step");
    },
    again,
  };
  useKeys({ " ": act.run, s: act.step, r: act.again });
  return act;
}
