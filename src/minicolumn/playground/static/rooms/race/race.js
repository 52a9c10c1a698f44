/**
 * What the rooms `overfitting` and `topology` have in common: networks that learn the same points side by side. They train
 * for a while on arrival, and again on new points.
 */
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../../kit/html.js";
import { Button, RunButtons, Select, Slider } from "../../kit/controls.js";
import { Intro } from "../../kit/room.js";
import { learn, useRuns } from "../../kit/runs.js";
import { t } from "../../i18n.js";
import { spanOf } from "./chart.js";

/** @typedef {import("../../app.js").Room} Room @typedef {import("../../frames.js").Frame} Frame */
/** @typedef {{state: Frame, tick: Frame, span: import("./chart.js").Span, k: number}} Seen */

const SETS = ["circle", "xor", "gauss", "moons", "spiral"];
const REST = 250; // ms after the last move of a slider until the points are made anew
/** What was chosen outlives a visit to another room. @type {Record<string, any>} */
const kept = {};

/** What a state was asked by. @param {Frame} state */
const setupOf = ({ dataset, noise, count, seed }) => ({ dataset, noise, points: count, seed });

/**
 * The room's frames and what can be done.
 * @param {Room} room @param {number} epochs  that it trains by itself
 */
function useRace(room, epochs) {
  const [state, setState] = useState(/** @type {Frame | null} */ (null));
  const [tick, setTick] = useState(/** @type {Frame | null} */ (null));
  const [busy, setBusy] = useState(true);
  useEffect(
    () =>
      room.onFrame((frame) => {
        if (frame.kind === "state") {
          kept[room.name] = setupOf(frame);
          setState(frame);
        } else if (frame.kind === "tick") setTick(frame);
      }),
    [room],
  );
  const begin = useCallback(
    async (/** @type {string} */ doing, /** @type {object} */ said) => {
      setBusy(true);
      room.say(null);
      await room.send(doing, said);
      await learn(room, epochs);
      setBusy(false);
    },
    [room],
  );
  return { state, tick, busy, begin };
}

/** @param {{room: Room, epochs: number, children: (seen: Omit<Seen, "k">) => any}} props */
export function Race({ room, epochs, children }) {
  const { state, tick, busy, begin } = useRace(room, epochs);
  const [asked, setAsked] = useState(/** @type {any} */ ({}));
  const timer = useRef(0);
  const running = Boolean(tick?.running);
  const act = useRuns(room, running, {
    begin: () => begin("open", kept[room.name] ?? {}),
    again: () => begin("reset", {}),
  });
  const set = (/** @type {object} */ changes, wait = REST) => {
    const next = { ...asked, ...changes };
    setAsked(next);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      setAsked({});
      begin("open", { ...kept[room.name], ...next });
    }, wait);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  const fits = state && tick && tick.racers.length === state.racers.length;
  const span = useMemo(() => (fits ? spanOf(tick) : null), [tick, fits]);
  if (!fits || !span)
    return html`<div class=${`room race ${room.name}`}><${Intro} name=${room.name} /><p
        class="note">${t("race.atWork")}</p></div>`;
  const now = { ...setupOf(state), ...asked };
  return html`<div class=${`room race ${room.name}`}><${Intro} name=${room.name}><p>${t(`${room.name}.what`)}
      </p><//>
    <section class="panel race-bar" aria-label=${t("race.controls")}>
      <${RunButtons} running=${running} onRun=${act.run} onStep=${act.step} onReset=${act.again}
          step=${t("race.stepOne")} />
      <p class="race-epoch"><span>${t("race.epoch")}</span><output>${tick.epoch.toLocaleString()}</output></p>
      <${Select} label=${t("race.dataset")} value=${now.dataset}
          options=${SETS.map((value) => ({ value, label: t(`network.set.${value}`) }))}
          onChange=${(/** @type {string} */ dataset) => set({ dataset }, 0)} />
      <${Slider} label=${t("race.noise")} value=${now.noise} min=${0} max=${50} step=${5}
          show=${(/** @type {number} */ v) => `${v} %`}
          onChange=${(/** @type {number} */ noise) => set({ noise })} />
      <${Slider} label=${t("race.points")} value=${now.points} min=${40} max=${600} step=${20}
          onChange=${(/** @type {number} */ points) => set({ points })} />
      <${Button} icon="refresh" onClick=${act.again}>${t("race.newPoints")}<//>
      ${busy && html`<p class="race-busy" role="status"><i />${t("race.atWork")}</p>`}
    </section>
    ${children({ state, tick, span })}
    <p class="note race-legend"><span><i class="key-train" />${t("race.train")}</span><span><i
        class="key-test" />${t("race.test")}</span><span><i class="key-best" />${t("race.best")}</span>
      <span><i class="key-point" />${t("race.trainPoint")}</span><span><i
          class="key-point ringed" />${t("race.testPoint")}</span></p></div>`;
}

/** A loss in three decimals, or small ones by their power. @param {number | null} loss */
export const lossText = (loss) =>
  loss === null
    ? "∞"
    : loss < 0.001 && loss > 0
      ? loss.toExponential(0).replace("e-", "e−")
      : loss.toFixed(3);

/** The numbers of a network. @param {{racer: any}} props */
export function Numbers({ racer }) {
  const { loss, scores, best } = racer;
  const percent = (/** @type {number | undefined} */ v) =>
    typeof v === "number" ? `${(100 * v).toFixed(0)} %` : "–";
  return html`<table class="race-numbers"><thead><tr><td /><th scope="col">${t("race.training")}</th><th
      scope="col">${t("race.testing")}</th></tr></thead><tbody>
    <tr><th scope="row">${t("race.loss")}</th><td>${lossText(loss.train)}</td><td
        class="strong">${lossText(loss.test)}</td></tr>
    <tr><th scope="row">${t("race.right")}</th><td>${percent(scores.train?.accuracy)}</td><td
        class="strong">${percent(scores.test?.accuracy)}</td></tr>
    <tr><th scope="row">${t("race.bestTest")}</th><td
        colspan="2">${t("race.bestAt", { loss: lossText(best.test), epoch: best.epoch })}</td></tr></tbody>
        </table>`;
}
