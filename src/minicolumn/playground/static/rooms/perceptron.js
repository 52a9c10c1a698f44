/**
 * The room `perceptron`: the threshold unit that learns by its own mistakes, correction by correction, and what no line can
 * divide. Untouched, it learns OR row by row.
 */
import { html, useEffect, useMemo, useRef, useState } from "../kit/html.js";
import { Button, NumberPick, RunButtons, Segmented, Slider, short, useKeys } from "../kit/controls.js";
import { Icon } from "../kit/icons.js";
import { Intro, useFrame } from "../kit/room.js";
import { stillness } from "../kit/theme.js";
import { t } from "../i18n.js";
import { Arithmetic } from "./perceptron/arithmetic.js";
import { Plane } from "./perceptron/plane.js";
import { Weights } from "./perceptron/weights.js";

export const styled = true;

/** @typedef {import("../app.js").Room} Room */
const SPEEDS = [0.5, 1, 2, 4, 10, 30, 100, 1000];
const QUICK = 4; // rows a second from which on nothing glides
const MOST_BARS = 60;

/** @param {{room: Room}} props */
export default function PerceptronRoom({ room }) {
  const [seen, setSeen] = useState(/** @type {any} */ (null)), [speed, setSpeed] = useState(2);
  const setup = useRef(/** @type {any} */ (null));
  const state = useFrame(room, "state", (frame) => {
    setup.current = { data: frame.data, learning_rate: frame.learning_rate, seed: frame.seed };
    setSeen(null);
  });
  const tick = useFrame(room, "tick", (frame) => { if (frame.look) setSeen(frame); });
  const pace = useRef(speed);
  pace.current = speed;
  useEffect(() => {
    const data = room.query.get("data");
    const end = room.onOpen(async () => {
      (await room.send("open", setup.current ?? (data ? { data } : {}))) ?? (await room.send("open"));
      if (!stillness()) room.send("run", { rows_per_second: pace.current });
    });
    return () => { end(); room.send("pause"); };
  }, [room]);

  const act = useMemo(() => ({
    run: (/** @type {boolean} */ on) => room.send(on ? "pause" : "run", on ? {} : { rows_per_second: pace.current }),
    step: () => room.send("step"),
    epoch: () => room.send("epoch"),
    reset: () => room.send("reset"),
    open: async (/** @type {object} */ changes) => {
      const next = { ...setup.current, ...changes };
      room.remember({ data: next.data });
      await room.send("open", next);
      room.send("run", { rows_per_second: pace.current });
    },
  }), [room]);
  const running = !!tick?.running, done = !!tick?.converged;
  const run = () => (done ? act.open({}) : act.run(running));
  useKeys({ " ": run, s: !done && act.step, e: !done && act.epoch, r: act.reset });
  const faster = (/** @type {number} */ i) => { setSpeed(SPEEDS[i]); if (running) room.send("run", { rows_per_second: SPEEDS[i] }); };
  if (!state || !tick) return html`<div class="room perceptron"><${Intro} name="perceptron" /></div>`;

  const shown = running || tick.row !== null || !seen ? tick : { ...tick, row: seen.row, wrong: seen.wrong, look: seen.look };
  const quick = running && speed > QUICK, clouds = ["clouds", "overlap"].includes(state.data);
  return html`<div class="room perceptron"><${Intro} name="perceptron" />
    <div class="perceptron-bar"><${RunButtons} running=${running} onRun=${run} onStep=${!done && act.step} onReset=${act.reset} step=${t("perceptron.oneRow")} />
      <${Button} kind="quiet" onClick=${act.epoch} disabled=${done} title="E">${t("perceptron.oneEpoch")}<//>
      <div class="fields"><${Slider} label=${t("perceptron.speed")} value=${SPEEDS.indexOf(speed)} min=${0} max=${SPEEDS.length - 1} show=${(/** @type {number} */ i) => t("perceptron.perSecond", { rows: SPEEDS[i] })} onChange=${faster} />
        <${NumberPick} label=${t("perceptron.rate")} value=${state.learning_rate} options=${[0.1, 0.5, 1, 2]} title=${t("perceptron.rateHelp")} onChange=${(/** @type {number} */ rate) => act.open({ learning_rate: rate })} /></div>
      <div class="rows"><${Segmented} label=${t("perceptron.data")} value=${state.data} options=${state.choices.map((/** @type {string} */ value) => ({ value, label: t(`perceptron.set.${value}`) }))} onChange=${(/** @type {string} */ data) => act.open({ data })} />
        ${clouds && html`<${Button} kind="quiet" icon="refresh" onClick=${() => act.open({ seed: state.seed + 1 })}>${t("perceptron.newPoints")}<//>`}</div>
    </div>
    <div class="perceptron-desk">
      <section class="panel plane-panel" aria-label=${t("perceptron.plane")}><${Plane} state=${state} tick=${shown} quick=${quick} />
        <${Verdict} state=${state} tick=${tick} onXor=${() => act.open({ data: "xor" })} /></section>
      <div class="perceptron-side"><${Arithmetic} state=${state} seen=${seen} />
        <div class="pair"><section class="panel"><h2>${t("perceptron.weights")}</h2><${Weights} tick=${shown} quick=${quick} /></section>
          <section class="panel"><h2>${t("perceptron.mistakes")}</h2><${Mistakes} tick=${tick} /></section></div>
        <${Facts} state=${state} tick=${tick} /></div>
    </div></div>`;
}

/** What came of it, or what is to be expected. @param {{state: any, tick: any, onXor: () => void}} props */
function Verdict({ state, tick, onXor }) {
  const { converged, cycle, corrections, epoch } = tick;
  const kind = converged ? "done" : cycle ? "cycle" : state.separable ? "learning" : "never";
  const values = { corrections, epoch, bound: short(state.bound === null ? null : Math.floor(state.bound)), from: cycle?.[0], to: cycle?.[1] };
  return html`<div class=${`verdict ${kind}`} role="status">${converged && html`<${Icon} name="check" size=${18} />`}${cycle && !converged && html`<${Icon} name="refresh" size=${18} />`}
    <p>${t(`perceptron.verdict.${kind}`, values)}</p>${converged && state.data !== "xor" && html`<${Button} onClick=${onXor}>${t("perceptron.nowXor")}<//>`}</div>`;
}

/** Mistakes in each epoch, the one that runs last. @param {{tick: any}} props */
function Mistakes({ tick }) {
  const all = /** @type {number[]} */ (tick.mistakes), first = Math.max(0, all.length - MOST_BARS), most = Math.max(1, ...all);
  const last = all[all.length - 1], before = Math.max(1, Math.ceil(tick.looked / tick.rows)) - all.length; // epochs that are listed no more
  return html`<div class=${`bars ${all.length > 24 ? "many" : ""}`} role="img" aria-label=${t("perceptron.mistakesSay", { epoch: before + all.length, mistakes: last })}>${all.slice(first).map((count, i) => html`<div key=${first + i} class=${`bar-of ${count ? "" : "none"}`} title=${t("perceptron.mistakesSay", { epoch: before + first + i + 1, mistakes: count })}>
    ${all.length <= 14 && html`<span class="count">${count}</span>`}<span class="bar-body" style=${{ transform: `scaleY(${Math.max(0.012, count / most)})` }} />${all.length <= 14 && html`<span class="epoch-of">${before + first + i + 1}</span>`}</div>`)}</div>`;
}

/** How many corrections it took, and how many it can take at most. @param {{state: any, tick: any}} props */
function Facts({ state, tick }) {
  const facts = [
    ["epoch", tick.epoch], ["corrections", tick.corrections], ["right", `${tick.right}/${tick.rows}`],
    ["margin", state.separable ? short(state.margin) : t("perceptron.noMargin")], ["radius", short(state.radius)],
    ["bound", state.separable && state.bound !== null ? Math.floor(state.bound).toLocaleString() : "∞"],
  ];
  return html`<section class="panel facts-panel"><dl class="facts">${facts.map(([key, value]) => html`<div key=${key}><dt>${t(`perceptron.fact.${key}`)}</dt><dd>${value}</dd></div>`)}</dl><p class="note">${t(state.separable ? "perceptron.boundHelp" : "perceptron.noBound")}</p></section>`;
}
