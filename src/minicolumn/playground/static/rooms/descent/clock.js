/** The time of a race: which step is shown, and a run through all of them, slow at first, where most happens. */
import { everyFrame } from "../../kit/canvas.js";
import { stillness } from "../../kit/theme.js";

const SECONDS = 7;

export class Clock {
  constructor() {
    this.step = 0;
    this.steps = 0;
    this.playing = false;
    /** @type {Set<() => void>} */
    this.watchers = new Set();
    /** @type {(() => void) | null} */
    this.end = null;
  }

  /** @param {() => void} tell @returns {() => void} */
  watch(tell) {
    this.watchers.add(tell);
    return () => {
      this.watchers.delete(tell);
    };
  }

  /** @param {number} step */
  show(step) {
    this.step = Math.min(this.steps, Math.max(0, step));
    for (const tell of this.watchers) tell();
  }

  stop() {
    this.end?.();
    this.end = null;
    this.playing = false;
  }

  /** A race of so many steps: from its start, or all of it at once. @param {number} steps @param {boolean} whole */
  begin(steps, whole) {
    this.stop();
    this.steps = steps;
    if (whole || stillness()) this.show(steps);
    else this.play(0);
  }

  /** Go on from a step. @param {number} from */
  play(from) {
    this.stop();
    this.playing = true;
    let share = Math.sqrt(from / Math.max(1, this.steps)),
      last = 0;
    this.end = everyFrame((time) => {
      share += last ? Math.min(0.1, (time - last) / 1000) / SECONDS : 0;
      last = time;
      if (share >= 1) this.stop();
      this.show(this.steps * Math.min(1, share) ** 2);
    });
  }
}
