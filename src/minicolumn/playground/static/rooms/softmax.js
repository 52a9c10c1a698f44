/**
 * The room `softmax`: scores become probabilities, step by step, each with its numbers; then the loss, and where it pushes.
 * Untouched, the temperature sweeps once, down and up.
 */
import { html, useEffect, useMemo, useRef } from "../kit/html.js";
import { Button, Slider, useKeys } from "../kit/controls.js";
import { everyFrame } from "../kit/canvas.js";
import { Intro, newest, useRoom } from "../kit/room.js";
import { stillness } from "../kit/theme.js";
import { t } from "../i18n.js";
import { Bars, Scores, figure } from "./softmax/bars.js";
import { Loss } from "./softmax/loss.js";
import { Sweep } from "./softmax/sweep.js";

export const styled = true;

/** @typedef {import("../app.js").Room} Room */
const COLD = 0.05, HOT = 20, LIMIT = 20, REACH = 6, SCALED = 10;
const SWEEP = 7_000; // ms of the sweep on arrival
/** @type {Record<string, {scores: number[], temperature: number, target: number}>} */
const PRESETS = {
  start: { scores: [2, 1, -1], temperature: 1, target: 0 },
  undecided: { scores: [0.2, 0, 0.1], temperature: 1, target: 0 },
  sure: { scores: [5, -1, -2], temperature: 1, target: 0 },
  mistaken: { scores: [-2, 5, -1], temperature: 1, target: 0 },
  soft: { scores: [5, 3, 1], temperature: 5, target: 1 },
};

/** ln T on arrival: from 0 down, up, and back to 0. @param {number} share */
const course = (share) => (share < 0.4 ? -1.8 * Math.sin((Math.PI * share) / 0.4) : 1.9 * Math.sin((Math.PI * (share - 0.4)) / 0.6));

/** @param {{room: Room}} props */
export default function SoftmaxRoom({ room }) {
  const setup = useRef(PRESETS.start), say = useMemo(() => newest(room), [room]);
  const state = useRoom(room, () => setup.current);
  const sweeping = useRef(/** @type {(() => void) | null} */ (null));
  const act = useMemo(() => {
    const change = (/** @type {Partial<typeof PRESETS.start>} */ changes) => { setup.current = { ...setup.current, ...changes }; say("set", setup.current); };
    const rest = () => { sweeping.current?.(); sweeping.current = null; };
    return {
      rest, set: (/** @type {Partial<typeof PRESETS.start>} */ changes) => { rest(); change(changes); },
      score: (/** @type {number} */ i, /** @type {number} */ value) => act.set({ scores: setup.current.scores.map((was, k) => (k === i ? value : was)) }),
      temperature: (/** @type {number} */ T) => act.set({ temperature: clean(T) }),
      sweep: () => {
        rest();
        let start = 0;
        sweeping.current = everyFrame((time) => {
          start ||= time;
          const share = (time - start) / SWEEP;
          change({ temperature: share < 1 ? clean(Math.exp(course(share))) : 1 });
          if (share >= 1) rest();
        });
      },
    };
  }, [room]);
  const there = state !== null;
  useEffect(() => {
    const wait = there && !stillness() ? setTimeout(act.sweep, 900) : 0;
    const stop = () => { clearTimeout(wait); act.rest(); };
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, stop, true); // before what the key itself may begin
    return () => { stop(); for (const event of ["pointerdown", "keydown"]) removeEventListener(event, stop, true); };
  }, [there]);
  useKeys({ r: () => act.set(PRESETS.start), " ": act.sweep });
  if (!state) return html`<div class="room softmax"><${Intro} name="softmax" /></div>`;

  const { scores, scaled, powers, probabilities, temperature, target, gradient } = state;
  const reach = Math.max(REACH, ...scores.map(Math.abs));
  const plain = (/** @type {number} */ v) => figure(v), percent = (/** @type {number} */ p) => (p > 0 && p < 5e-4 ? "< 0.1 %" : `${figure(100 * p, 1)} %`);
  return html`<div class="room softmax"><${Intro} name="softmax" />
    <div class="presets" role="group" aria-label=${t("softmax.presets")}>${Object.keys(PRESETS).map((name) => html`<${Button} key=${name} onClick=${() => act.set(PRESETS[name])}>${t(`softmax.preset.${name}`)}<//>`)}
      <${Button} kind="quiet" icon="play" onClick=${act.sweep}>${t("softmax.sweepAgain")}<//></div>
    <div class="stages">
      <${Stage} name="scores" formula=${html`<i>s</i>`}><${Scores} values=${scores} reach=${reach} limit=${LIMIT} gradient=${gradient} target=${target} asked=${() => setup.current.scores} onScore=${act.score} /><//>
      <${Stage} name="scaled" formula=${html`<i>z</i> = <i>s</i> / ${figure(temperature)}`}><${Bars} label=${t("softmax.stage.scaled")} values=${scaled} low=${-SCALED} high=${SCALED} show=${plain} target=${target} /><//>
      <${Stage} name="powers" formula=${html`e<sup><i>z</i> − max <i>z</i></sup>`} foot=${html`Σ = <b>${figure(state.sum, 3)}</b>`}><${Bars} label=${t("softmax.stage.powers")} values=${powers} show=${(/** @type {number} */ v) => figure(v, 3)} target=${target} /><//>
      <${Stage} name="probabilities" formula=${html`<i>p</i> = e<sup><i>z</i> − max</sup> / ${figure(state.sum, 3)}`} foot=${html`Σ = <b>1</b>`}><${Bars} label=${t("softmax.stage.probabilities")} values=${probabilities} show=${percent} target=${target} /><//>
    </div>
    <div class="softmax-below">
      <section class="panel" aria-label=${t("softmax.temperature")}><h2>${t("softmax.temperatures")}</h2>
        <${Slider} label=${t("softmax.temperature")} value=${Math.log(temperature)} min=${Math.log(COLD)} max=${Math.log(HOT)} step=${0.01} show=${() => `T = ${figure(temperature)}`} onChange=${(/** @type {number} */ v) => act.temperature(Math.exp(v))} />
        <${Sweep} state=${state} onTemperature=${act.temperature} />
        <p class="note">${t("softmax.temperatureHelp")} ${t("softmax.entropy", { entropy: figure(state.entropy, 3) })}</p></section>
      <${Loss} state=${state} onTarget=${(/** @type {number} */ value) => act.set({ target: value })} />
    </div></div>`;
}

/** A temperature of three digits within what is allowed. @param {number} T */
const clean = (T) => Number(Math.min(HOT, Math.max(COLD, T)).toPrecision(3));

/** One step of the way, with its formula. @param {{name: string, formula: any, foot?: any, children?: any}} props */
function Stage({ name, formula, foot, children }) {
  return html`<section class=${`panel stage-of ${name}`} aria-label=${t(`softmax.stage.${name}`)}><header><h2>${t(`softmax.stage.${name}`)}</h2><span class="stage-formula">${formula}</span></header>${children}<p class="note foot">${foot ?? t(`softmax.foot.${name}`)}</p></section>`;
}
