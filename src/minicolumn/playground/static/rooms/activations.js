/**
 * The room `activations`: every function with its slope, and what many layers of it leave of a signal and of a gradient.
 * Untouched, a network of logistic neurons grows layer by layer beside one of ReLU.
 */
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../kit/html.js";
import { Button, Select, Slider, useKeys } from "../kit/controls.js";
import { everyFrame } from "../kit/canvas.js";
import { Intro, useFrame } from "../kit/room.js";
import { stillness } from "../kit/theme.js";
import { t } from "../i18n.js";
import { Curves } from "./activations/curves.js";
import { Gallery } from "./activations/gallery.js";
import { Layers } from "./activations/layers.js";
import { nameOf, pretty } from "./activations/words.js";

export const styled = true;

/** @typedef {import("../app.js").Room} Room @typedef {{first: string, second: string | null, depth: number}} Wanted */
const DEEPEST = 30, AT_FIRST = 10, LAYER = 520; // ms for each layer that grows on arrival
const PAIRS = [["logistic", "relu"], ["tanh", "logistic"], ["relu", "gelu"], ["step", "logistic"], ["relu", "selu"], ["linear", "relu"]];

/** Look at two functions in one network's depth, the newest wish alone. @param {Room} room @param {Wanted} start */
function useLooks(room, start) {
  const [shown, setShown] = useState(/** @type {any} */ (null));
  const wanted = useRef(start), busy = useRef(false);
  const look = useCallback(async (/** @type {Partial<Wanted>} */ changes) => {
    wanted.current = { ...wanted.current, ...changes };
    if (busy.current) return;
    busy.current = true;
    for (let done = /** @type {Wanted | null} */ (null); done !== wanted.current;) {
      done = wanted.current;
      const { first, second, depth } = done;
      const one = await room.send("look", { activation: first, depth }), two = second && (await room.send("look", { activation: second, depth }));
      if (one) setShown({ first: one, second: two || null });
    }
    busy.current = false;
  }, [room]);
  useEffect(() => room.onOpen(async () => { 
    busy.current = false;
    const gallery = await room.send("open", { depth: 1 }), known = (/** @type {string | null} */ name) => name === null || gallery?.names.includes(name);
    look({ ...(known(wanted.current.first) ? {} : { first: "logistic" }), ...(known(wanted.current.second) ? {} : { second: "relu" }) });
  }), [room]);
  return { shown, look, wanted };
}

/** @param {{room: Room}} props */
export default function ActivationsRoom({ room }) {
  const asked = room.query.get("f"), against = room.query.get("and");
  const { shown, look, wanted } = useLooks(room, { first: asked ?? "logistic", second: against === "none" ? null : (against ?? "relu"), depth: stillness() || asked ? AT_FIRST : 1 });
  const gallery = useFrame(room, "gallery");
  const [at, setAt] = useState(240);
  const growing = useRef(/** @type {(() => void) | null} */ (null));
  const act = useMemo(() => {
    const rest = () => { growing.current?.(); growing.current = null; };
    return {
      rest,
      choose: (/** @type {Partial<Wanted>} */ changes) => {
        rest();
        look(changes);
        room.remember({ f: wanted.current.first, and: wanted.current.second ?? "none" });
      },
      grow: () => {
        rest();
        let start = 0, last = 0;
        growing.current = everyFrame((time) => {
          start ||= time;
          const share = Math.min(1, (time - start) / (LAYER * AT_FIRST)), depth = 1 + Math.floor(share * (AT_FIRST - 1));
          setAt(Math.round(240 - 200 * Math.cos(Math.PI * 2 * share) * (1 - share) ** 0.3));
          if (depth !== last) { last = depth; look({ depth }); }
          if (share === 1) rest();
        });
      },
    };
  }, [room]);
  const there = shown !== null;
  useEffect(() => {
    const wait = there && !stillness() && !asked ? setTimeout(act.grow, 500) : 0;
    const stop = () => {
      clearTimeout(wait);
      if (growing.current) look({ depth: AT_FIRST });
      act.rest();
    };
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, stop, true); // before what the key itself may begin
    return () => { clearTimeout(wait); act.rest(); for (const event of ["pointerdown", "keydown"]) removeEventListener(event, stop, true); };
  }, [there]);
  useKeys({ " ": act.grow });
  if (!shown || !gallery) return html`<div class="room activations"><${Intro} name="activations" /></div>`;

  const { first, second } = shown, { depth } = first;
  const others = [{ value: null, label: t("activations.nothing") }, ...gallery.names.map((/** @type {string} */ value) => ({ value, label: nameOf(value) }))];
  return html`<div class="room activations"><${Intro} name="activations" />
    <div class="pairs" role="group" aria-label=${t("activations.pairs")}>${PAIRS.map(([a, b]) => html`<${Button} key=${a + b} aria-pressed=${String(a === first.activation && b === second?.activation)} onClick=${() => act.choose({ first: a, second: b })}>${t("activations.pair", { first: nameOf(a), second: nameOf(b) })}<//>`)}</div>
    <div class="activations-desk">
      <section class="panel" aria-label=${t("activations.function")}><header><div><h2>${nameOf(first.activation)}</h2><p class="formula-of"><i>f</i>(<i>x</i>) = ${pretty(first.formula)}</p></div>
        <${Select} label=${t("activations.against")} value=${second?.activation ?? null} options=${others} onChange=${(/** @type {string | null} */ name) => act.choose({ second: name })} /></header>
        <${Curves} first=${first} second=${second} at=${at} onAt=${(/** @type {number} */ next) => { if (!growing.current) setAt(next); }} /></section>
      <section class="panel depth-panel" aria-label=${t("activations.layers")}><header><h2>${t("activations.layers")}</h2><${Button} kind="quiet" icon="play" onClick=${act.grow}>${t("activations.grow")}<//></header>
        <${Slider} label=${t("activations.depth")} value=${depth} min=${1} max=${DEEPEST} onChange=${(/** @type {number} */ next) => act.choose({ depth: next })} />
        <${Layers} what="gradient" first=${first} second=${second} /><${Layers} what="signal" first=${first} second=${second} />
        <p class="note">${t("activations.layersHelp")}</p></section>
    </div>
    <section class="panel gallery-panel" aria-label=${t("activations.all")}><header><h2>${t("activations.all")}</h2><span class="note">${t("activations.allHelp")}</span></header>
      <${Gallery} gallery=${gallery} chosen=${first.activation} second=${second?.activation ?? null} onChoose=${(/** @type {string} */ name) => act.choose({ first: name })} /></section></div>`;
}
