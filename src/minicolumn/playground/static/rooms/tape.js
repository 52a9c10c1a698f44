/**
 * The room `tape`: reverse-mode differentiation on the graph of a formula. The session differentiates; the
 *   player shows
 * values forward, and adjoints backward, one node at a time.
 */
import { html, useEffect, useMemo, useRef, useState } from "../kit/html.js";
import { Slider, short } from "../kit/controls.js";
import { Intro } from "../kit/room.js";
import { PlayerBar, usePlayer } from "../kit/player.js";
import { changing, useSetup } from "../kit/setup.js";
import { t, told } from "../i18n.js";
import { Counters } from "./tape/counters.js";
import { Graph } from "./tape/graph.js";
import { Listing } from "./tape/listing.js";
import { Now, saidOf } from "./tape/now.js";
import { knownAt, stepsOf } from "./tape/steps.js";

export const styled = true;

/** @typedef {import("../app.js").Room} Room @typedef {import("./tape/layout.js").Tape} Tape */

const NAMES = ["x", "y", "z", "w"];
const REACH = 4; // of the sliders
/** @type {Record<string, import("../kit/setup.js").Kind>} */
const FIELDS = { formula: "text", at: "list" };
/** What `open` says, as it was last. @type {import("../kit/setup.js").Kept} */
const kept = { setup: {} };
/** How long a step stays, by how much there is to read. @type {Record<string, number>} */
const PACE = { inputs: 0.7, forward: 0.8, seed: 0.9, backward: 1.6 };

/** @param {{room: Room}} props */
export default function TapeRoom({ room }) {
  const state = /** @type {Tape | null} */ (useSetup(room, FIELDS, kept));
  const [wrong, setWrong] = useState(/** @type {import("../i18n.js").Line | null} */ (null));
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  const change = useMemo(
    () =>
      changing(room, kept, (said, changes) => {
        if (said || "formula" in changes) setWrong(said);
      }),
    [room],
  );
  const steps = useMemo(() => (state ? stepsOf(state) : []), [state]);
  const player = usePlayer(steps.length, (at) => PACE[steps[at].phase]);
  const shown = useRef("");
  useEffect(() => {
    if (!state) return;
    if (shown.current && shown.current !== state.parsed) player.replay();
    shown.current = state.parsed;
  }, [state?.parsed]);
  if (!state) return html`<div class="room tape"><${Intro} name="tape" /></div>`;
  const text = typed ?? state.formula,
    { at } = player,
    step = steps[at];
  const known = knownAt(state, steps, at),
    said = saidOf(state, step),
    seed = steps.findIndex((s) => s.phase === "seed");
  /** @param {string} formula */
  const type = (formula) => {
    setTyped(formula);
    change({ formula });
  };
  /** @param {number} place @param {number} value */
  const move = (place, value) => {
    change({ at: state.at.map((v, i) => (i === place ? value : v)) });
  };
  /** @param {number} place */
  const pick = (place) => {
    const back = at >= seed;
    const found = steps.findIndex((s, i) => s.node === place && i >= seed === back);
    if (found >= 0) player.go(found);
  };
  const phases = [
    { key: "forward", label: t("tape.phase.forward"), from: 0, to: seed - 1 },
    { key: "backward", label: t("tape.phase.backward"), from: seed, to: steps.length - 1 },
  ];
  return html`<div class="room tape"><${Intro} name="tape" />
    <section class="panel tape-program" aria-label=${t("tape.program")}>
      <div class="tape-formula"><label for="tape-formula">f(${state.used.join(", ")}) =</label>
        <input id="tape-formula" class="text-input" type="text" value=${text} maxlength="120" spellcheck="false"
            autocomplete="off"
          autocapitalize="off" aria-invalid=${wrong ? "true" : "false"} aria-describedby="tape-wrong"
          onInput=${(/** @type {any} */ e) => type(e.target.value)} />
        <p id="tape-wrong" class="tape-wrong" role="status">${told(wrong ?? "")}</p>
        <div class="tape-examples" role="group" aria-label=${t("tape.examples")}>${state.examples.map(
          (example) => html`<button type="button" key=${example} class="example"
              aria-pressed=${String(example === text)}
            onClick=${() => type(example)}>${example}</button>`,
        )}</div></div>
      <div class="tape-values">${state.used.map((name) => {
        const place = NAMES.indexOf(name);
        return html`<${Slider} key=${name} label=${name} value=${state.at[place]} min=${-REACH} max=${REACH}
            step=${0.1}
          show=${(/** @type {number} */ v) => short(v)}
              onChange=${(/** @type {number} */ v) => move(place, v)} />`;
      })}</div>
    </section>
    <section class="panel tape-stage">
      <${PlayerBar} player=${player} phases=${phases} said=${said} />
      <div class=${`tape-desk ${state.nodes.some((node) => node.depth > 5) ? "long" : ""}`}>
        <${Graph} tape=${state} step=${step} known=${known} label=${`${t("tape.picture")} ${said}`}
            onPick=${pick} />
        <${Now} tape=${state} step=${step} at=${at} last=${at === steps.length - 1} />
      </div>
    </section>
    <div class="tape-below">
      <${Listing} tape=${state} step=${step} known=${known} />
      <${Counters} tape=${state} step=${step} at=${at} />
    </div>
  </div>`;
}
