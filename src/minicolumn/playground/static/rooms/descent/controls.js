/** What is raced on, who races, at which rate, and for how many steps. */
import { html } from "../../kit/html.js";
import { NumberPick, Segmented, Select } from "../../kit/controls.js";
import { t } from "../../i18n.js";
import { Mark } from "./results.js";
import { MOST, WHO, nameOf } from "./who.js";

/** @typedef {import("../../frames.js").Frame} Frame */

const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const USUAL = 0.01;
const STEPS = [50, 150, 400, 1000];

/** A formula in x and y, with its powers raised. @param {string} text */
const written = (text) =>
  text
    .replaceAll(" pi ", " π ")
    .split(/(\^\d+|\b[xy]\b)/)
    .map((part) =>
      part.startsWith("^")
        ? html`<sup>${part.slice(1)}</sup>`
        : /^[xy]$/.test(part)
          ? html`<var>${part}</var>`
          : part.replaceAll("-", "−"),
    );

/** @param {{state: Frame, onChange: (changes: object) => void}} props */
export function Controls({ state, onChange }) {
  const racing = state.racers.map((/** @type {any} */ racer) => racer.optimizer);
  const choose = (/** @type {string} */ optimizer) => {
    const next = racing.includes(optimizer)
      ? racing.filter((/** @type {string} */ o) => o !== optimizer)
      : [...racing, optimizer];
    onChange({ optimizers: WHO.filter((o) => next.includes(o)) });
  };
  const own = state.learning_rate === null;
  return html`<section class="panel race-controls" aria-label=${t("descent.controls")}>
    <${Select} label=${t("descent.surfaceOf")} value=${state.surface}
        onChange=${(/** @type {string} */ surface) => onChange({ surface, start: null })}
        options=${state.surfaces.map((/** @type {string} */ value) => ({ value, label: t(`descent.surface.${value}`) }))} />
    <p class="surface-text"><span class="written"><var>f</var> = ${written(state.formula)}
        </span>${t(`descent.about.${state.surface}`)}</p>
    <div class="race-row">
      <div class="field"><span class="field-label">${t("descent.rate")}</span><div class="rate-row">
          <${Segmented} label=${t("descent.rate")} value=${own}
          onChange=${(/** @type {boolean} */ next) => onChange({ learning_rate: next ? null : USUAL })}
          options=${[
            { value: true, label: t("descent.own") },
            { value: false, label: t("descent.one") },
          ]} />
        ${!own && html`<${NumberPick} label=${t("descent.rateOfAll")} value=${state.learning_rate}
            options=${RATES} onChange=${(/** @type {number} */ rate) => onChange({ learning_rate: rate })} />`}
            </div></div>
      <div class="field"><span class="field-label">${t("descent.steps")}</span><${Segmented}
          label=${t("descent.steps")} value=${state.steps}
          onChange=${(/** @type {number} */ steps) => onChange({ steps })}
              options=${STEPS.map((value) => ({ value, label: String(value) }))} /></div>
    </div>
    <div class="field"><span class="field-label">${t("descent.whoRaces")}</span><div class="who" role="group"
        aria-label=${t("descent.whoRaces")}>
      ${WHO.map((optimizer) => {
        const on = racing.includes(optimizer);
        return html`<button type="button" class="chip" key=${optimizer} aria-pressed=${String(on)}
            onClick=${() => choose(optimizer)}
            disabled=${on ? racing.length === 1 : racing.length >= MOST}><${Mark}
                optimizer=${optimizer} />${nameOf(optimizer)}</button>`;
      })}</div></div>
  </section>`;
}
