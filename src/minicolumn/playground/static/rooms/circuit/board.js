/** The circuit as a drawing: inputs to be switched, neurons to be chosen, wires to be drawn from one to the other. */
import { html, useEffect, useRef, useState } from "../../kit/html.js";
import { useWidth } from "../../kit/room.js";
import { placeOn } from "../../kit/scale.js";
import { t } from "../../i18n.js";
import { RADIUS, curve, linkOf, placed } from "./plan.js";

/** @typedef {import("./plan.js").Neuron} Neuron @typedef {import("./plan.js").Place} Place */

/**
 * Drag from the source of a wire to a neuron; without a move it is a click.
 * @param {{current: HTMLElement | null}} board @param {(from: string, to: string) => void} onLink
 */
function useDrag(board, onLink) {
  const [drag, setDrag] = useState(/** @type {{from: string, x: number, y: number, moved: boolean, over: string | null} | null} */ (null));
  const now = useRef(drag);
  const suppress = useRef(false);
  const put = (/** @type {typeof drag} */ next) => { now.current = next; setDrag(next); };
  useEffect(() => {
    const move = (/** @type {PointerEvent} */ e) => {
      const was = now.current;
      if (!was || !board.current) return;
      const [x, y] = placeOn(e, board.current);
      const moved = was.moved || Math.hypot(x - was.x, y - was.y) > 8;
      if (!moved) return;
      const target = document.elementFromPoint(e.clientX, e.clientY)?.closest("[data-neuron]");
      put({ from: was.from, x, y, moved, over: target?.getAttribute("data-neuron") ?? null });
    };
    const up = () => {
      const was = now.current;
      if (was?.moved) { suppress.current = true; setTimeout(() => { suppress.current = false; }); }
      if (was?.moved && was.over && was.over !== was.from) onLink(was.from, was.over);
      if (was) put(null);
    };
    const cancel = () => put(null);
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", cancel);
    return () => { removeEventListener("pointermove", move); removeEventListener("pointerup", up); removeEventListener("pointercancel", cancel); };
  }, [onLink]);
  const begin = (/** @type {string} */ from) => (/** @type {PointerEvent} */ e) => {
    const [x, y] = board.current ? placeOn(e, board.current) : [0, 0];
    /** @type {Element} */ (e.currentTarget).releasePointerCapture?.(e.pointerId);
    if (board.current) put({ from, x, y, moved: false, over: null });
  };
  return { drag: drag?.moved ? drag : null, begin, clicked: () => !suppress.current };
}

/**
 * @param {{circuit: any, row: number, selected: string | null, onSelect: (name: string) => void, onInput: (name: string) => void,
 *   onLink: (from: string, to: string) => void, onWire: (from: string, to: string) => void}} props
 */
export function Board({ circuit, row, selected, onSelect, onInput, onLink, onWire }) {
  const [ref, width] = useWidth();
  const { drag, begin, clicked } = useDrag(ref, onLink);
  const { inputs, outputs } = circuit, neurons = /** @type {Neuron[]} */ (circuit.neurons);
  const { places, height } = placed(inputs, neurons, outputs, width || 600);
  const at = (/** @type {string} */ name) => /** @type {Place} */ (places.get(name));
  const wires = wiresOf(neurons, at, [...places.values()], (name) => circuit.on(name, row));
  const from = drag && at(drag.from);
  return html`<div class="board" ref=${ref} style=${{ height: `${height}px` }}>
    ${width > 0 && html`<svg class="wires" width=${width} height=${height} aria-hidden="true">
      ${wires.map((wire) => html`<g key=${wire.key} class=${`wire ${wire.kind} ${wire.lit ? "lit" : ""}`}>
        <path class="line" d=${wire.d} />${wire.lit && html`<path class="flow" d=${wire.d} />`}
        ${wire.kind === "inhibits" ? html`<circle class="end" cx=${wire.x} cy=${wire.y} r="5.5" />` : html`<path class="end" d=${`M${wire.x - 3} ${wire.y - 6}l10 6l-10 6z`} />`}
        <path class="hit" d=${wire.d} onClick=${() => onWire(wire.from, wire.to)}><title>${t(`circuit.wire.${wire.kind}`, { from: wire.from, to: wire.to })}</title></path>
      </g>`)}
      ${from && drag && html`<path class="rubber" d=${`M${from.x + 20} ${from.y}L${drag.x} ${drag.y}`} />`}
    </svg>
    ${inputs.map((/** @type {string} */ name) => html`<button key=${name} type="button" class=${`source input ${circuit.on(name, row) ? "on" : ""}`} style=${{ left: `${at(name).x}px`, top: `${at(name).y}px` }}
      aria-pressed=${String(!!circuit.on(name, row))} onPointerDown=${begin(name)} onClick=${() => clicked() && onInput(name)}>
      <span class="bit" aria-hidden="true">${circuit.on(name, row)}</span><span class="wire-name" aria-hidden="true">${name}</span><span class="sr">${t("circuit.input", { name })}</span></button>`)}
    ${neurons.map((neuron) => html`<${Unit} key=${neuron.name} neuron=${neuron} place=${at(neuron.name)} circuit=${circuit} row=${row} chosen=${selected === neuron.name}
      over=${drag?.over === neuron.name} begin=${begin(neuron.name)} onSelect=${() => clicked() && onSelect(neuron.name)} />`)}`}
  </div>`;
}

/** @param {Neuron[]} neurons @param {(name: string) => Place} at @param {Place[]} all @param {(name: string) => number} on */
function wiresOf(neurons, at, all, on) {
  return neurons.flatMap((neuron) => {
    const sources = [...neuron.excitatory, ...neuron.inhibitory].sort((a, b) => at(a).y - at(b).y);
    return sources.map((from, i) => ({
      key: `${from} ${neuron.name}`, from, to: neuron.name, kind: linkOf(neuron, from), lit: on(from) === 1,
      ...curve(at(from), at(neuron.name), sources.length > 1 ? (i / (sources.length - 1) - 0.5) * Math.min(36, 16 * sources.length) : 0, all),
    }));
  });
}

/** A neuron: how many of its excitatory inputs fire, of how many it takes. @param {any} props */
function Unit({ neuron, place, circuit, row, chosen, over, begin, onSelect }) {
  const fires = circuit.on(neuron.name, row), sum = circuit.sum(neuron.name, row), held = circuit.held(neuron.name, row);
  const answer = circuit.outputs.includes(neuron.name);
  const said = t(fires ? "circuit.fires" : held ? "circuit.held" : "circuit.silent");
  return html`<button type="button" class=${`source unit ${fires ? "on" : ""} ${held ? "held" : ""} ${answer ? "answer" : ""} ${over ? "over" : ""}`} data-neuron=${neuron.name}
    style=${{ left: `${place.x}px`, top: `${place.y}px`, "--r": `${RADIUS}px` }} aria-pressed=${String(chosen)}
    onPointerDown=${begin} onClick=${onSelect}>
    <span class="body" aria-hidden="true"><span class="sum">${sum}</span><span class="threshold">≥ ${neuron.threshold} ?</span></span>
    <span class="wire-name" aria-hidden="true">${neuron.name}${answer && html`<em>${t("circuit.answer")}</em>`}</span>
    <span class="sr">${t("circuit.unit", { name: neuron.name, sum, threshold: neuron.threshold, said })}</span></button>`;
}
