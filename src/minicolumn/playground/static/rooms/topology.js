/** The room `topology`: networks of other shapes on the same points, ranked by their loss on the test points. */
import { html } from "../kit/html.js";
import { t } from "../i18n.js";
import { Losses } from "./race/chart.js";
import { Answers } from "./race/paint.js";
import { Numbers, Race, lossText } from "./race/race.js";
import { Shape } from "./race/shape.js";

export const styled = true;

/** @typedef {import("./race/race.js").Seen} Seen */

const EPOCHS = 400;

/** @param {number[]} units */
const nameOf = (units) => (units.length ? units.join(" – ") : t("topology.none"));

/** Who has the smaller loss on the test points goes first. @param {import("../frames.js").Frame} tick @returns {number[]} */
const ranked = (tick) =>
  tick.racers
    .map((/** @type {any} */ _, /** @type {number} */ k) => k)
    .sort(
      (/** @type {number} */ a, /** @type {number} */ b) =>
        (tick.racers[a].loss.test ?? Infinity) - (tick.racers[b].loss.test ?? Infinity),
    );

/** @param {Seen & {rank: number}} props */
function Card({ state, tick, span, k, rank }) {
  const { units, parameters } = state.racers[k],
    name = nameOf(units);
  return html`<article class=${`panel race-card ${rank === 1 ? "ahead" : ""}`}>
    <header><span class="rank" title=${t("topology.rank", { rank })}>${rank}</span><div><h2>${name}</h2>
        <p>${t("topology.parameters", { count: parameters })}</p></div>
      <${Shape} units=${units} label=${t("topology.shape", { name })} /></header>
    <div class="topology-seen"><${Answers} state=${state} tick=${tick} k=${k}
        label=${t("race.map", { name })} />
      <div class="topology-curve"><${Losses} tick=${tick} k=${k} span=${span} height=${126} /><${Numbers}
          racer=${tick.racers[k]} /></div></div></article>`;
}

/** @param {Omit<Seen, "k">} props */
function Ranking({ state, tick }) {
  const order = ranked(tick);
  const largest = Math.max(...tick.racers.map((/** @type {any} */ racer) => racer.loss.test ?? 0), 1e-9);
  return html`<section class="panel ranking" aria-label=${t("topology.ranking")}><h2>${t("topology.ranking")}
      </h2><ol>
    ${order.map((k, i) => {
      const { units, parameters } = state.racers[k],
        { loss } = tick.racers[k];
      return html`<li key=${k} style=${{ "--rank": String(i) }}><span class="rank">${i + 1}</span><span
          class="rank-name">${nameOf(units)}</span>
        <span class="rank-bar"><i style=${{ width: `${(100 * (loss.test ?? largest)) / largest}%` }} /></span>
            <span class="rank-loss">${lossText(loss.test)}</span><span
            class="rank-count">${t("topology.parameters", { count: parameters })}</span></li>`;
    })}</ol></section>`;
}

/** @param {{room: import("../app.js").Room}} props */
export default function TopologyRoom({ room }) {
  return html`<${Race} room=${room} epochs=${EPOCHS}>${(/** @type {Omit<Seen, "k">} */ seen) => {
    const order = ranked(seen.tick);
    return html`<${Ranking} ...${seen} /><div class="race-cards">${seen.state.racers.map(
      (/** @type {any} */ { name }, /** @type {number} */ k) =>
        html`<${Card} key=${name} ...${seen} k=${k} rank=${order.indexOf(k) + 1} />`,
    )}</div>`;
  }}<//>`;
}
