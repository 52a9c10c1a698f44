/** How the race goes: the run through its steps, where each ended, and the values along the paths. */
import { html, useEffect, useMemo, useRef } from "../../kit/html.js";
import { IconButton, short } from "../../kit/controls.js";
import { Curve } from "../../kit/curve.js";
import { Icon } from "../../kit/icons.js";
import { onTheme, theme } from "../../kit/theme.js";
import { t } from "../../i18n.js";
import { colourOf, markPath, nameOf } from "./who.js";

/** @typedef {import("../../frames.js").Frame} Frame @typedef {import("./clock.js").Clock} Clock */

const EVERY = 60; // ms between two drawings of the curves
const DASHES = [undefined, [7, 3], [2, 3], [10, 3, 2, 3], [4, 4], undefined];

/** @param {{optimizer: string}} props */
export const Mark = ({ optimizer }) =>
  html`<svg class="mark" width="14" height="14" viewBox="0 0 16 16" aria-hidden="true"><path
      d=${markPath(optimizer)} fill=${colourOf(optimizer)} /></svg>`;

/** @param {{clock: Clock}} props */
export function Transport({ clock }) {
  const range = useRef(/** @type {HTMLInputElement | null} */ (null)),
    text = useRef(/** @type {HTMLElement | null} */ (null)),
    buttons = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const show = () => {
      const step = Math.floor(clock.step);
      if (range.current) {
        range.current.max = String(clock.steps);
        range.current.value = String(step);
        range.current.style.setProperty("--share", `${(100 * step) / Math.max(1, clock.steps)}%`);
      }
      if (text.current) text.current.textContent = t("descent.stepOf", { step, steps: clock.steps });
      buttons.current?.classList.toggle("playing", clock.playing);
    };
    show();
    return clock.watch(show);
  });
  const go = () => (clock.step < clock.steps ? clock.play(clock.step) : clock.play(0));
  return html`<div class="transport" ref=${buttons}>
    <span class="when-still"><${IconButton} icon="play" label=${`${t("descent.play")} (${t("shell.space")})`}
        onClick=${go} /></span>
    <span class="when-playing"><${IconButton} icon="pause" label=${`${t("shell.pause")} (${t("shell.space")})`}
        onClick=${() => {
          clock.stop();
          clock.show(clock.step);
        }} /></span>
    <input class="slider" ref=${range} type="range" min="0" step="1" aria-label=${t("descent.step")} onInput=${(
      /** @type {any} */ e,
    ) => {
      clock.stop();
      clock.show(Number(e.target.value));
    }} />
    <output ref=${text} />
  </div>`;
}

const WORDS = { "still moving": "moving", diverged: "diverged" };

/** @param {Frame} state @param {any} racer */
function endingOf(state, racer) {
  if (racer.reached === null)
    return t(`descent.ending.${WORDS[/** @type {keyof typeof WORDS} */ (racer.ending)]}`);
  const { label, kind, lowest } = state.stationary[racer.reached];
  return t(`descent.ending.${kind === "minimum" ? (lowest ? "lowest" : "local") : kind}`, { label });
}

/** @param {{state: Frame, clock: Clock, only: string | null, onOnly: (optimizer: string | null) => void}} props */
export function Results({ state, clock, only, onOnly }) {
  const body = useRef(/** @type {HTMLElement | null} */ (null));
  const settled = state.racers
    .map((/** @type {any} */ racer) => racer.settled)
    .filter((/** @type {any} */ s) => s !== null);
  const first = settled.length ? Math.min(...settled) : null;
  useEffect(() => {
    const show = () => {
      const step = Math.floor(clock.step);
      const { values } = state.arrays,
        length = state.shapes.values[1];
      state.racers.forEach((/** @type {any} */ racer, /** @type {number} */ k) => {
        const row = /** @type {HTMLElement | undefined} */ (body.current?.children[k]);
        if (!row) return;
        const value = row.querySelector(".value"),
          now = values[k * length + Math.min(length - 1, step)];
        const there = step >= (racer.settled ?? state.steps) || !Number.isFinite(now);
        row.classList.toggle("there", there);
        if (value) value.textContent = Number.isFinite(now) ? short(now) : "∞";
      });
    };
    show();
    return clock.watch(show);
  });
  return html`<section class="panel results" aria-label=${t("descent.results")}><div class="scroll"><table>
    <thead><tr><th scope="col">${t("descent.optimizer")}</th><th scope="col" class="number">${t("descent.rate")}
        </th><th scope="col" class="number">${t("descent.value")}</th>
      <th scope="col" class="number">${t("descent.settled")}</th><th scope="col">${t("descent.endingOf")}</th>
          </tr></thead>
    <tbody ref=${body}>${state.racers.map(
      (
        /** @type {any} */ racer,
      ) => html`<tr key=${racer.optimizer} class=${racer.optimizer === only ? "only" : ""}
          onPointerEnter=${(/** @type {PointerEvent} */ e) => e.pointerType === "mouse" && onOnly(racer.optimizer)}
              onPointerLeave=${() => onOnly(null)}>
        <th scope="row"><button type="button" onFocus=${() => onOnly(racer.optimizer)}
            onBlur=${() => onOnly(null)}><${Mark} optimizer=${racer.optimizer} />${nameOf(racer.optimizer)}
            </button></th>
        <td class="number">${short(racer.learning_rate, 2)}</td><td class="number value" />
        <td class="number arrival">${racer.settled === first && first !== null && html`<span class="first"
            title=${t("descent.first")}><${Icon} name="goal" size=${14} /><span class="sr">${t("descent.first")}
            </span></span>`}${racer.settled ?? "–"}</td>
        <td class="arrival">${endingOf(state, racer)}</td></tr>`,
    )}</tbody></table></div></section>`;
}

/** @param {{state: Frame, clock: Clock}} props */
export function Values({ state, clock }) {
  const handle = useRef(/** @type {any} */ (null));
  const look = theme();
  const names = state.racers.map((/** @type {any} */ racer) => racer.optimizer).join();
  const series = useMemo(
    () =>
      state.racers.map((/** @type {any} */ { optimizer }, /** @type {number} */ k) => ({
        label: nameOf(optimizer),
        colour: colourOf(optimizer),
        dash: DASHES[k],
        width: 1.9,
      })),
    [names, look],
  );
  useEffect(() => {
    const { above } = state.arrays,
      length = state.shapes.above[1];
    const steps = Array.from({ length }, (_, i) => i);
    let last = 0;
    const show = () => {
      const now = performance.now();
      if (now - last < EVERY && clock.playing) return;
      last = now;
      const shown = Math.floor(clock.step);
      const rows = state.racers.map((/** @type {any} */ _, /** @type {number} */ k) =>
        steps.map((i) =>
          i <= shown && Number.isFinite(above[k * length + i]) ? above[k * length + i] : null,
        ),
      );
      handle.current?.set([steps, ...rows]);
    };
    show();
    const ends = [clock.watch(show), onTheme(show)];
    return () => ends.forEach((end) => end());
  }, [state, clock, series]);
  return html`<section class="panel values" aria-label=${t("descent.values")}><h2>${t("descent.values")}</h2>
    <${Curve} series=${series} handle=${handle} label=${t("descent.values")} log=${true} height=${190} />
    <p class="note">${t("descent.valuesHelp")}</p></section>`;
}
