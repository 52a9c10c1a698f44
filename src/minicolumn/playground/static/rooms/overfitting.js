/** The room `overfitting`: one network far too large for its few noisy points, left alone and held back in three ways. */
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { t } from "../i18n.js";
import { Losses } from "./race/chart.js";
import { Answers } from "./race/paint.js";
import { Numbers, Race } from "./race/race.js";

export const styled = true;

/** @typedef {import("./race/race.js").Seen} Seen */

const EPOCHS = 300; // five seconds of training on arrival

/** @param {Seen} props */
function Card({ state, tick, span, k }) {
  const racer = tick.racers[k];
  return html`<article class="panel race-card">
    <header><h2>${t(`overfitting.${racer.name}`)}</h2><p>${t(`overfitting.about.${racer.name}`)}</p></header>
    <${Answers} state=${state} tick=${tick} k=${k}
        label=${t("race.map", { name: t(`overfitting.${racer.name}`) })} />
    <${Losses} tick=${tick} k=${k} span=${span} />
    <${Numbers} racer=${racer} />
    ${
      racer.stopped &&
      html`<p class="stopped" role="status"><${Icon} name="check"
          size=${15} />${racer.stopped === "early stopping" ? t("overfitting.stopped", { epoch: racer.epoch }) : t("race.diverged")}
          </p>`
    }</article>`;
}

/** @param {{room: import("../app.js").Room}} props */
export default function OverfittingRoom({ room }) {
  return html`<${Race} room=${room} epochs=${EPOCHS}>${(/** @type {Omit<Seen, "k">} */ seen) =>
    html`<div class="race-cards">${seen.state.racers.map(
      (/** @type {any} */ { name }, /** @type {number} */ k) =>
        html`<${Card} key=${name} ...${seen} k=${k} />`,
    )}</div>`}<//>`;
}
