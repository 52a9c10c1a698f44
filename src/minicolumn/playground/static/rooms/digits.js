/**
 * The room `digits`: a small network reads handwritten digits. On arrival it trains for a moment and answers an example;
 * then a digit of one's own is drawn.
 */
import { html, useCallback, useEffect, useMemo, useState } from "../kit/html.js";
import { RunButtons, Select } from "../kit/controls.js";
import { Intro, newest } from "../kit/room.js";
import { learn, useRuns } from "../kit/runs.js";
import { t } from "../i18n.js";
import { Answer, Layers } from "./digits/layers.js";
import { Pad } from "./digits/pad.js";
import { Pixels } from "./digits/pixels.js";
import { Accuracy, Confusion, Missed } from "./digits/scores.js";

export const styled = true;

/** @typedef {import("../app.js").Room} Room @typedef {import("../frames.js").Frame} Frame */

const EPOCHS = 30, // that it trains on arrival
  FIRST = 3, // the digit that it answers then
  EVERY = 250; // ms between two drawings of what changes slowly
const SHAPES = [[16], [32, 16], [64, 32], [32, 32, 32]];
/** What was chosen outlives a visit to another room. @type {{setup: any, seed: number}} */
const kept = { setup: {}, seed: 0 };

/** The room's frames. @param {Room} room */
function useDigits(room) {
  const [state, setState] = useState(/** @type {Frame | null} */ (null)),
    [tick, setTick] = useState(/** @type {Frame | null} */ (null)),
    [slow, setSlow] = useState(/** @type {Frame | null} */ (null)),
    [seen, setSeen] = useState(/** @type {Frame | null} */ (null));
  useEffect(() => {
    let last = 0;
    return room.onFrame((frame) => {
      if (frame.kind === "state") {
        kept.setup = { units: frame.units };
        last = 0;
        setState(frame);
      } else if (frame.kind === "seen") setSeen(frame);
      else if (frame.kind === "tick") {
        setTick(frame);
        if (!frame.running || performance.now() - last > EVERY) {
          last = performance.now();
          setSlow(frame);
        }
      }
    });
  }, [room]);
  return { state, tick, slow, seen };
}

/** @param {{room: Room}} props */
export default function DigitsRoom({ room }) {
  const { state, tick, slow, seen } = useDigits(room);
  const [drawn, setDrawn] = useState(false);
  const [turn, setTurn] = useState(0);
  const say = useMemo(() => newest(room), [room]);
  const begin = useCallback(
    async (/** @type {object} */ setup) => {
      const opened = await room.send("open", setup);
      if (opened && !seen) await room.send("draw", { pixels: exampleOf(opened, FIRST, 0) });
      await learn(room, EPOCHS);
    },
    [room],
  );
  const draw = useCallback(
    (/** @type {number[]} */ pixels, /** @type {boolean} */ byPen) => {
      setDrawn(byPen);
      say("draw", { pixels });
    },
    [say],
  );
  const running = Boolean(tick?.running);
  const act = useRuns(room, running, {
    begin: () => begin(kept.setup),
    again: () => begin({ ...kept.setup, seed: ++kept.seed }),
  });
  if (!state || !tick || !slow || !seen)
    return html`<div class="room digits"><${Intro} name="digits" /><p class="note">${t("digits.atWork")}</p>
        </div>`;
  return html`<div class="room digits"><${Intro} name="digits"><p>${t("digits.what")}</p><//>
    <div class="digits-desk">
      <div class="digits-left"><${Pad} seen=${seen} drawn=${drawn} onDraw=${draw} />
        <section class="panel examples-panel" aria-label=${t("digits.examples")}><h2>${t("digits.examples")}
            </h2><div class="examples">${Array.from(
          { length: 10 },
          (_, digit) =>
            html`<button type="button" key=${digit} aria-label=${t("digits.example", { digit })}
                onClick=${() => {
              setTurn(turn + 1);
              draw(exampleOf(state, digit, turn), false);
            }}><${Pixels} values=${state.arrays.digits} at=${640 * digit + 64 * (turn % 10)} /></button>`,
        )}</div></section></div>
      <div class="digits-middle"><section class="panel answer-panel"><${Answer} seen=${seen} /></section>
          <${Layers} tick=${tick} seen=${seen} /></div>
      <div class="digits-right">
        <section class="panel learning" aria-label=${t("digits.learning")}>
          <div class="learning-row"><${RunButtons} running=${running} onRun=${act.run} onStep=${act.step}
              onReset=${act.again} step=${t("race.stepOne")} />
            <p class="race-epoch"><span>${t("race.epoch")}</span><output>${tick.epoch.toLocaleString()}</output>
                </p>
            <${Select} label=${t("digits.network")} value=${String(state.units)}
                onChange=${(/** @type {string} */ units) => begin({ units: units.split(",").map(Number) })}
                options=${SHAPES.map((units) => ({ value: String(units), label: units.join(" – ") }))} /></div>
          <${Accuracy} tick=${tick} />
          <p class="note">${t("digits.rows", { train: state.rows.train.toLocaleString(), test: state.rows.test, parameters: state.parameters.toLocaleString() })}
              </p></section>
        <${Confusion} tick=${slow} /><${Missed} tick=${slow}
            onLook=${(/** @type {number[]} */ pixels) => draw(pixels, false)} />
      </div>
    </div></div>`;
}

/** An example of a digit; there are ten of each. @param {Frame} state @param {number} digit @param {number} turn */
const exampleOf = (state, digit, turn) =>
  Array.from(
    state.arrays.digits.slice(640 * digit + 64 * (turn % 10), 640 * digit + 64 * (turn % 10) + 64),
    (v) => v / 255,
  );
