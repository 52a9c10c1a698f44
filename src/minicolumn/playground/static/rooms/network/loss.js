/**
 * How well it learns: losses and scores in numbers and as curves, a pinned run to compare with, and the confusion matrix.
 *
 * @typedef {import("./model.js").Live} Live
 */
import { html, useEffect, useRef, useState } from "../../kit/html.js";
import { everyFrame } from "../../kit/canvas.js";
import { Curve } from "../../kit/curve.js";
import { Button, Segmented, Toggle, short } from "../../kit/controls.js";
import { has, t } from "../../i18n.js";
import { targetColour } from "./picture.js";

const EVERY = 120; // ms between two drawings of the curves: they change slowly

/** Numbers that move, written without rendering the page anew. @param {Live} live @param {(live: Live) => string} text */
function useText(live, text) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  const say = useRef(text);
  say.current = text;
  useEffect(() => {
    let seen = -1;
    return everyFrame(
      () => {
        if (seen === live.version || !ref.current) return;
        seen = live.version;
        const next = say.current(live);
        if (ref.current.textContent !== next) ref.current.textContent = next;
      },
      { idle: true },
    );
  }, []);
  return ref;
}

/** @param {{live: Live, text: (live: Live) => string, class?: string}} props */
export function Moving({ live, text, class: name }) {
  const ref = useText(live, text);
  useEffect(() => {
    if (ref.current) ref.current.textContent = text(live);
  });
  return html`<span ref=${ref} class=${name} />`;
}

/** @param {number | null | undefined} value */
const loss = (value) =>
  typeof value === "number"
    ? value !== 0 && Math.abs(value) < 0.001
      ? value.toExponential(1).replace("e-", "e−")
      : value.toFixed(3)
    : "–";
/** @param {string} name @param {number | null | undefined} value */
const score = (name, value) =>
  typeof value !== "number"
    ? "–"
    : name === "accuracy"
      ? `${(100 * value).toFixed(1)} %`
      : Math.abs(value) < 100
        ? value.toFixed(3).replace("-", "−")
        : short(value);

/** Names of the scores of the newest tick; renders again when they change. @param {Live} live @returns {string[]} */
function useScores(live) {
  const read = () => Object.keys(live.tick?.scores?.train ?? {}).join();
  const [names, setNames] = useState(read);
  useEffect(() => {
    const look = () => {
      if (live.tick) setNames(read());
    };
    look(); // a tick may have come since it was rendered
    return live.watch(look);
  }, []);
  return names ? names.split(",") : [];
}

/** @param {{live: Live, state: any}} props */
export function Losses({ live, state }) {
  const handle = useRef(/** @type {any} */ (null));
  const [log, setLog] = useState(false);
  const [what, setWhat] = useState("loss");
  const [pinned, setPinned] = useState(/** @type {(number | null)[][] | null} */ (null));
  const [at, setAt] = useState(/** @type {(number | null)[] | null} */ (null));
  const from = what === "loss" ? 1 : 3;
  useEffect(() => {
    let last = 0,
      seen = -1;
    return everyFrame(
      (time) => {
        if (seen === live.version || time - last < EVERY || !handle.current) return;
        seen = live.version;
        last = time;
        handle.current.set(joined(live.curves.columns, pinned, from, log && what === "loss"));
      },
      { idle: true },
    );
  }, [pinned, from, log]);
  const names = useScores(live);
  const main = names[0];
  const series = [
    { label: t("network.training"), colour: "--train" },
    { label: t("network.test"), colour: "--test" },
    ...(pinned
      ? [
          { label: t("network.pinned"), colour: "--neg", dash: [4, 3], width: 1.25 },
          { label: t("network.pinned"), colour: "--pos", dash: [4, 3], width: 1.25 },
        ]
      : []),
  ];
  const scoreName = (/** @type {string} */ name) =>
    has(`network.score.${name}`) ? t(`network.score.${name}`) : name;
  return html`<section class="panel loss-panel" aria-label=${t("network.losses")}>
    <table class="losses"><thead><tr><td /><th scope="col"><i class="dot test" />${t("network.test")}</th><th
        scope="col"><i class="dot train" />${t("network.training")}</th></tr></thead>
      <tbody><tr class="first"><th scope="row">${t("network.loss")}</th><td><${Moving} live=${live}
          text=${(/** @type {Live} */ l) => loss(l.tick?.loss?.test)} /></td><td><${Moving} live=${live}
          text=${(/** @type {Live} */ l) => loss(l.tick?.loss?.train)} /></td></tr>
      ${names.map(
        (name) => html`<tr key=${name}><th scope="row">${scoreName(name)}</th>
        <td><${Moving} live=${live}
            text=${(/** @type {Live} */ l) => score(name, l.tick?.scores?.test?.[name])} /></td>
        <td><${Moving} live=${live}
            text=${(/** @type {Live} */ l) => score(name, l.tick?.scores?.train?.[name])} /></td></tr>`,
      )}</tbody></table>
    <${Curve} series=${series} handle=${handle} log=${log && what === "loss"} height=${112}
        label=${t("network.curves")} onRead=${setAt} />
    <div class="curve-controls">${
      at
        ? html`<${Read} row=${at} />`
        : html`<${Segmented} label=${t("network.curveOf")} value=${what} onChange=${setWhat} options=${[
            { value: "loss", label: t("network.loss") },
            { value: "score", label: main ? scoreName(main) : t("network.scores") },
          ]} />
      <${Toggle} label=${t("network.log")} value=${log} disabled=${what !== "loss"} onChange=${setLog} />
      <${Button} kind="quiet" icon="pin" title=${t("network.pinHelp")} aria-pressed=${String(Boolean(pinned))}
          onClick=${() => setPinned(pinned ? null : live.curves.columns.map((c) => [...c]))}>
        ${t(pinned ? "network.unpin" : "network.pin")}<//>`
    }</div>
  </section>`;
}

/** What the curves say under the pointer: step, training, test, and the same of a pinned run. @param {{row: (number | null)[]}} props */
function Read({ row: [step, train, test, pinnedTrain, pinnedTest] }) {
  const pinned = Number.isFinite(pinnedTest ?? NaN);
  return html`<div class="curve-read" aria-hidden="true">
      <span>${t("network.step")} ${Number(step).toLocaleString()}</span>
    <span><i class="dot test" />${short(test)}</span><span><i class="dot train" />${short(train)}</span>
    ${
      pinned &&
      html`<span class="note">${t("network.pinned")}: ${short(pinnedTest)}, ${short(pinnedTrain)}
        </span>`
    }</div>`;
}

/**
 * The columns of a plot: this run's, and a pinned run's at the same steps.
 * @param {(number | null)[][]} run @param {(number | null)[][] | null} pinned @param {number} from @param {boolean} positive  whether 0 and less are left out, as a log axis has no place for them
 */
function joined(run, pinned, from, positive) {
  const keep = (/** @type {(number | null)[]} */ column) =>
    positive ? column.map((v) => (v !== null && v > 0 ? v : null)) : column;
  if (!pinned) return [run[0], keep(run[from]), keep(run[from + 1])];
  const steps = [...new Set([...run[0], ...pinned[0]])].sort((a, b) => Number(a) - Number(b));
  const placed = (/** @type {(number | null)[][]} */ source, /** @type {number} */ k) => {
    const found = new Map(source[0].map((step, i) => [step, source[k][i]]));
    return keep(steps.map((step) => found.get(step) ?? null));
  };
  return [steps, placed(run, from), placed(run, from + 1), placed(pinned, from), placed(pinned, from + 1)];
}

/** Which classes are taken for which. @param {{live: Live, state: any}} props */
export function Confusion({ live, state }) {
  const now = useRef(state);
  now.current = state;
  const body = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    let seen = -1;
    return everyFrame(
      () => {
        const counts = /** @type {Int32Array | undefined} */ (live.tick?.arrays.confusion);
        if (!counts || seen === live.version || !body.current) return;
        seen = live.version;
        const cells = body.current.querySelectorAll("td"),
          k = Math.round(Math.sqrt(counts.length));
        for (let i = 0; i < cells.length && i < counts.length; i++) {
          const row = Math.floor(i / k),
            total =
              counts
                .subarray(row * k, row * k + k)
                .reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0) || 1;
          cells[i].textContent = String(counts[i]);
          cells[i].style.background = counts[i]
            ? `color-mix(in srgb, ${targetColour(now.current, row)} ${Math.round(8 + 40 * (counts[i] / total))}%, transparent)`
            : "";
        }
      },
      { idle: true },
    );
  }, []);
  return html`<section class="panel confusion" aria-label=${t("network.confusion")}>
      <h2>${t("network.confusion")}</h2><div class="confusion-scroll"><table>
    <thead><tr><td class="corner" />${state.classes.map(
      (/** @type {string} */ name) => html`<th key=${name}
        scope="col" title=${name}>${name}</th>`,
    )}</tr></thead>
    <tbody ref=${body}>${state.classes.map(
      (/** @type {string} */ name, /** @type {number} */ i) => html`<tr
        key=${name}><th scope="row" title=${name}><i class="dot" style=${{ background: targetColour(state, i) }} />${name}
        </th>${state.classes.map((/** @type {string} */ other) => html`<td key=${other} />`)}</tr>`,
    )}</tbody>
  </table></div></section>`;
}
