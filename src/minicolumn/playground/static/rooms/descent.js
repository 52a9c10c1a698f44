/**
 * The room `descent`: optimizers race on one surface. The race runs on arrival; the start is dragged, and they race anew.
 */
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../kit/html.js";
import { useKeys } from "../kit/controls.js";
import { Intro, newest } from "../kit/room.js";
import { t } from "../i18n.js";
import { Clock } from "./descent/clock.js";
import { Controls } from "./descent/controls.js";
import { RaceMap, ratioOf } from "./descent/map.js";
import { Results, Transport, Values } from "./descent/results.js";

export const styled = true;

/** @typedef {import("../app.js").Room} Room @typedef {import("../frames.js").Frame} Frame */

/** What was chosen outlives a visit to another room. @type {{setup: any}} */
const kept = { setup: {} };

/** What a state was asked by. @param {Frame} state */
const setupOf = (state) => ({
  surface: state.surface,
  start: state.start,
  optimizers: state.racers.map((/** @type {any} */ racer) => racer.optimizer),
  learning_rate: state.learning_rate,
  steps: state.steps,
});

/** @param {{room: Room}} props */
export default function DescentRoom({ room }) {
  const clock = useMemo(() => new Clock(), []);
  const [state, setState] = useState(/** @type {Frame | null} */ (null));
  const [busy, setBusy] = useState(true);
  const [only, setOnly] = useState(/** @type {string | null} */ (null));
  const wanted = useRef(/** @type {any} */ (null));
  const dragging = useRef(false);
  const say = useMemo(() => newest(room), [room]);

  useEffect(
    () =>
      room.onFrame((frame) => {
        if (frame.kind !== "state") return;
        kept.setup = setupOf(frame);
        setState(frame);
        clock.begin(frame.steps, dragging.current);
      }),
    [room],
  );
  useEffect(() => {
    const end = room.onOpen(() => {
      room.send("open", kept.setup).then(() => setBusy(false));
    });
    return () => {
      end();
      clock.stop();
    };
  }, [room]);

  const race = useCallback(
    async (/** @type {object} */ changes, drag = false) => {
      const flying = wanted.current !== null; // what is asked for meanwhile is sent once that is answered
      wanted.current = { ...(wanted.current ?? kept.setup), ...changes };
      dragging.current = drag;
      room.say(null);
      setBusy(true);
      await say("race", wanted.current);
      if (flying) return;
      wanted.current = null;
      setBusy(false);
    },
    [room],
  );
  const start = useCallback(
    (/** @type {number[]} */ at, /** @type {boolean} */ drag) => race({ start: at }, drag),
    [race],
  );
  useKeys({
    " ": () => (clock.playing ? clock.stop() : clock.play(clock.step < clock.steps ? clock.step : 0)),
    s: () => {
      clock.stop();
      clock.show(Math.floor(clock.step) + 1);
    },
    r: () => clock.play(0),
  });
  if (!state)
    return html`<div class="room descent"><${Intro} name="descent" /><p class="note">${t("descent.atWork")}</p>
        </div>`;

  return html`<div class="room descent"><${Intro} name="descent"><p>${t("descent.what")}</p><//>
    <div class="descent-desk" style=${{ "--ratio": String(ratioOf(state)) }}>
      <section class="panel map-panel" aria-label=${t("descent.race")}>
        <${RaceMap} state=${state} clock=${clock} only=${only} busy=${busy}
            asked=${() => wanted.current?.start ?? state.start} onStart=${start} />
        <${Transport} clock=${clock} />
        <p class="note map-legend"><span><svg width="16" height="16" viewBox="-11 -11 22 22" aria-hidden="true">
            <path class="star"
            d="M0-10L2.500-3.400 9.500-3.100 4-1.200 5.900 8.100 0 4.200-5.900 8.100-4-1.200-9.500-3.100-2.500-3.400z" />
                </svg>${t("descent.lowest")}</span>
          <span><svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true"><circle class="ring"
              r="4.500" /></svg>${t("descent.local")}</span>
          <span><i class="handle-sample" />${t("descent.drag")}</span></p>
      </section>
      <div class="descent-side">
        <${Controls} state=${state} onChange=${race} />
        <${Results} state=${state} clock=${clock} only=${only} onOnly=${setOnly} />
        <${Values} state=${state} clock=${clock} />
      </div>
    </div></div>`;
}
