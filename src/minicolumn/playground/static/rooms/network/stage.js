/**
 * The network, drawn: features, hidden layers and outputs in columns, with links that can be touched. Neurons are buttons
 * with names over the drawing; arrow keys move among them.
 *
 * @typedef {import("./model.js").Neuron} Neuron
 * @typedef {import("./model.js").Link} Link
 * @typedef {import("./model.js").Live} Live
 */
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../kit/html.js";
import { everyFrame } from "../../kit/canvas.js";
import { IconButton, Select, short } from "../../kit/controls.js";
import { placeOn, viewport } from "../../kit/scale.js";
import { Icon } from "../../kit/icons.js";
import { t } from "../../i18n.js";
import { Drawing } from "./drawing.js";
import { arrange, heightFor, linkAt } from "./geometry.js";
import { columnName, hasLink, isOutput, neuronName, normal, pretty, sourceName } from "./model.js";
import { choicesOf, activationOptions, hides, wordsOf } from "./fields.js";

/** The features that are always offered. */
export const OFFERED = ["x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)"];

/**
 * What the first column lists: features that are on, and those that are offered.
 * @param {any} state @returns {{formula: string, name: string, input: number}[]}  input: number of the input, -1 where it is off
 */
export function listed(state) {
  /** @type {string[]} */
  const on = state.inputs.map((/** @type {any} */ i) => normal(i.formula ?? i.name));
  const offered = (state.whole ? [] : isTable(state) ? state.columns : OFFERED).filter((/** @type {string} */ f) => !hides(state, f));
  const rest = state.inputs
    .map((/** @type {any} */ i) => i.formula ?? i.name)
    .filter((/** @type {string} */ f) => !offered.map(normal).includes(normal(f)));
  return [...offered, ...rest].map((/** @type {string} */ formula) => {
    const input = on.indexOf(normal(formula));
    return { formula, input, name: isTable(state) ? (state.inputs[input]?.name ?? columnName(state, formula)) : formula };
  });
}

/** How tall the drawing is. */
const tall = () => {
  const { width, height } = viewport();
  return heightFor(width, height);
};

/** Whether the inputs are columns of a table. @param {any} state */
export const isTable = (state) => state.setup.dataset === "table";

/**
 * @param {{live: Live, state: any, set: (changes: object) => void, send: (doing: string, fields?: object) => any,
 *   onEdit: (what: {link?: Link, bias?: Neuron, at: {x: number, y: number}}) => void, onSelect: (neuron: Neuron | null) => void,
 *   onFormula: () => void, selected: Neuron | null}} props
 */
export function Stage({ live, state, set, send, onEdit, onSelect, onFormula, selected }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const links = useRef(/** @type {any} */ (null)),
    biases = useRef(/** @type {any} */ (null)),
    flow = useRef(/** @type {any} */ (null)),
    tiles = useRef(/** @type {any} */ (null));
  const drawing = useRef(/** @type {Drawing | null} */ (null));
  const [room, setRoom] = useState(700);
  const [height, setHeight] = useState(tall);
  const features = listed(state);
  const units = state.layers.map((/** @type {any} */ l) => l.units);
  const geometry = useMemo(
    () => arrange(features.length, units, room, height),
    [features.length, units.join(), room, height],
  );
  const inputs = useMemo(
    () =>
      state.inputs.map(
        (/** @type {any} */ _, /** @type {number} */ i) =>
          geometry.features[features.findIndex((f) => f.input === i)] ?? geometry.features[i],
      ),
    [geometry, features.map((f) => f.input).join()],
  );

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setRoom(Math.floor(entry.contentRect.width)));
    observer.observe(element);
    drawing.current = new Drawing(live, {
      links: links.current,
      flow: flow.current,
      tiles: tiles.current,
      biases: biases.current,
    });
    const stop = everyFrame((time) => drawing.current?.frame(time), { idle: true });
    const resize = () => setHeight(tall());
    addEventListener("resize", resize);
    return () => {
      observer.disconnect();
      stop();
      removeEventListener("resize", resize);
    };
  }, []);
  useLayoutEffect(() => {
    drawing.current?.place(geometry, inputs);
  }, [geometry, inputs]);

  const size = { width: `${geometry.width}px`, height: `${geometry.height}px` };
  return html`<div class="stage-scroll" ref=${box}><div class="stage" style=${size} role="group"
      aria-label=${t("network.drawing")}>
    <canvas ref=${links} style=${size} aria-hidden="true" /><canvas ref=${flow} style=${size}
        aria-hidden="true" /><canvas ref=${tiles} style=${size} aria-hidden="true" />
    <${Links} live=${live} drawing=${drawing} onEdit=${onEdit} size=${size}
        onSelect=${onSelect} />
    <${Features} geometry=${geometry} features=${features} state=${state} set=${set} onFormula=${onFormula} />
    <${Heads} geometry=${geometry} state=${state} set=${set} send=${send} />
    <${Neurons} geometry=${geometry} live=${live} state=${state} selected=${selected} onSelect=${onSelect}
        onEdit=${onEdit} />
    <canvas ref=${biases} class="over" style=${size} aria-hidden="true" />
  </div></div>`;
}

/** The surface under the neurons: a link near the pointer is named, and edited on a click. @param {any} props */
function Links({ live, drawing, onEdit, size, onSelect }) {
  const tip = useRef(/** @type {HTMLElement | null} */ (null));
  const near = useRef(/** @type {Link | null} */ (null));
  useEffect(() => live.watch(() => say()), []);
  const say = () => {
    const element = tip.current,
      now = live.state;
    if (!element || !now) return;
    if (near.current && !hasLink(now, near.current)) near.current = null;
    const link = near.current;
    element.hidden = !link;
    if (link)
      element.textContent = `${sourceName(now, link.layer, link.source)} → ${neuronName(now, link)}: ${short(live.weightOf(link))}`;
  };
  /** @param {PointerEvent} e */
  const find = (e) => {
    const [x, y] = placeOn(e, /** @type {HTMLElement} */ (e.currentTarget));
    near.current = linkAt(drawing.current?.placed ? drawing.current.spots : [], x, y, e.pointerType === "touch" ? 14 : 7);
    /** @type {HTMLElement} */ (e.currentTarget).style.cursor = near.current ? "pointer" : "";
    if (tip.current) {
      tip.current.style.left = `${x}px`;
      tip.current.style.top = `${y}px`;
    }
    say();
  };
  return html`<div class="stage-links" style=${size} onPointerMove=${find} onPointerLeave=${() => {
    near.current = null;
    say();
  }}
      onClick=${(/** @type {any} */ e) => {
        find(e);
        if (near.current) onEdit({ link: near.current, at: { x: e.clientX, y: e.clientY } });
        else onSelect(null);
        near.current = null;
        say();
      }} />
    <div class="stage-tip" ref=${tip} hidden aria-hidden="true" />`;
}

/** @param {any} props */
function Features({ geometry, features, state, set, onFormula }) {
  const table = isTable(state);
  /** @param {{formula: string, input: number}} feature */
  const flip = (feature) => {
    const now = state.setup.features;
    set({
      features:
        feature.input < 0
          ? [...now, feature.formula]
          : now.filter((/** @type {string} */ f) => normal(f) !== normal(feature.formula)),
    });
  };
  return html`<div class="feature-head" style=${{ left: "0px", width: `${geometry.columns[0] + 34}px` }}>
      <h2>${t("network.features")}</h2>
      ${
        !state.whole &&
        html`<button type="button" class="tiny-button" onClick=${onFormula}>${t("network.addFormula")}</button>`
      }</div>
    ${features.map((/** @type {any} */ feature, /** @type {number} */ i) => {
      const { x, y, size } = geometry.features[i],
        on = feature.input >= 0;
      return html`<button type="button" key=${feature.formula} class=${`feature ${on ? "on" : ""} ${size < 28 ? "small" : ""}`}
          aria-pressed=${String(on)}
        title=${feature.name}
        style=${{ left: "0px", width: `${x + size / 2}px`, top: `${y - size / 2}px`, height: `${size}px` }}
            disabled=${state.whole} onClick=${() => flip(feature)}>
        <span class="sr">${t("network.feature")} ${feature.name}</span><span class="feature-name"
            aria-hidden="true">${table ? feature.name : html`<${Formatted} formula=${feature.formula} />`}
            </span><span class="feature-tile" style=${{ width: `${size}px` }}>${
              !on &&
              html`<${Icon} name="plus"
            size=${14} />`
            }</span></button>`;
    })}`;
}

/** A formula with raised and lowered digits. @param {{formula: string}} props */
function Formatted({ formula }) {
  const parts = pretty(formula).split(/([₀-₉]+|[²³])/);
  return parts.map((part) =>
    /^[²³]$/.test(part)
      ? html`<sup>${part === "²" ? 2 : 3}</sup>`
      : /^[₀-₉]/.test(part)
        ? html`<sub>${[...part].map((c) => c.charCodeAt(0) - 0x2080).join("")}</sub>`
        : part,
  );
}

/** Over each layer: how many neurons, and their activation. @param {any} props */
function Heads({ geometry, state, set, send }) {
  const most = 64,
    last = state.layers.length - 1;
  return state.layers.map((/** @type {any} */ layer, /** @type {number} */ i) => {
    const left = { left: `${geometry.columns[i + 1]}px` };
    if (state.whole) {
      return html`<div class=${`layer-head ${i === last ? "output" : ""}`} key=${`whole${i}`} style=${left}>
        <h2>${i === last ? t("network.output") : layer.units}</h2><span class="note">${layer.activation}</span></div>`;
    }
    if (i === last) {
      return html`<div class="layer-head output" key="output" style=${left}><h2>${t("network.output")}</h2><span
          class="note">${wordsOf(layer.activation)}</span></div>`;
    }
    const label = t("network.layer", { layer: i + 1 });
    const count = (/** @type {number} */ by) => send("units", { layer: i, units: layer.units + by });
    return html`<div class="layer-head" key=${i} style=${left} role="group" aria-label=${label}>
      <div class="stepper"><${IconButton} icon="minus" size=${13}
          label=${t("network.fewerNeurons", { layer: i + 1 })} disabled=${layer.units <= 1}
          onClick=${() => count(-1)} />
        <output aria-label=${t("network.neuronsIn", { layer: i + 1 })}>${layer.units}</output>
        <${IconButton} icon="plus" size=${13} label=${t("network.moreNeurons", { layer: i + 1 })}
            disabled=${layer.units >= most} onClick=${() => count(1)} /></div>
      <${Select} bare label=${t("network.activationOf", { layer: i + 1 })}
          value=${state.setup.activations[i] ?? layer.activation}
          options=${activationOptions(choicesOf(state, "activations"))}
        onChange=${(/** @type {string} */ name) => set({ activations: state.setup.activations.map((/** @type {string} */ a, /** @type {number} */ k) => (k === i ? name : a)) })} />
      <${IconButton} class="layer-remove" icon="close" size=${12}
          label=${t("network.removeLayer", { layer: i + 1 })}
          onClick=${() => send("layer", { at: i, add: false, units: layer.units })} />
    </div>`;
  });
}

/** @param {any} props */
function Neurons({ geometry, live, state, selected, onSelect, onEdit }) {
  const group = useRef(/** @type {HTMLElement | null} */ (null));
  const [stop, setStop] = useState("0,0");
  const all = geometry.layers.flatMap((/** @type {any[]} */ column, /** @type {number} */ layer) =>
    column.map((spot, unit) => ({ spot, layer, unit, key: `${layer},${unit}` })),
  );
  const here = all.some((/** @type {any} */ n) => n.key === stop) ? stop : all[0]?.key;
  /** @param {Neuron | null} neuron */
  const hover = (neuron) => {
    live.hovered = neuron;
    live.touch();
  };
  /** @param {KeyboardEvent} e @param {Neuron} neuron */
  const move = (e, { layer, unit }) => {
    const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[e.key];
    if (!by) return;
    e.preventDefault();
    const to = Math.max(0, Math.min(geometry.layers.length - 1, layer + by[0]));
    const next = `${to},${Math.max(0, Math.min(geometry.layers[to].length - 1, unit + by[1]))}`;
    setStop(next);
    /** @type {HTMLElement | null | undefined} */ (
      group.current?.querySelector(`[data-key="${next}"]`)
    )?.focus();
  };
  return html`<div class="neurons" ref=${group} role="group" aria-label=${t("network.neurons")}>${all.map(
    (/** @type {any} */ { spot, layer, unit, key }) => {
      const name = neuronName(state, { layer, unit }),
        picked = selected?.layer === layer && selected?.unit === unit;
      const style = {
        left: `${spot.x - spot.size / 2}px`,
        top: `${spot.y - spot.size / 2}px`,
        width: `${spot.size}px`,
        height: `${spot.size}px`,
      };
      return html`<button type="button" key=${key} data-key=${key}
          class=${`neuron ${isOutput(state, layer) ? "output" : ""}`} aria-label=${name}
          aria-pressed=${String(picked)}
      tabindex=${key === here ? 0 : -1} style=${style}
          onKeyDown=${(/** @type {any} */ e) => move(e, { layer, unit })}
      onPointerEnter=${() => hover({ layer, unit })} onPointerLeave=${() => hover(null)}
      onFocus=${(/** @type {any} */ e) => {
        setStop(key);
        if (e.target.matches(":focus-visible")) hover({ layer, unit });
      }} onBlur=${() => hover(null)}
      onClick=${(/** @type {any} */ e) => {
        if (e.target.className === "bias-spot")
          onEdit({ bias: { layer, unit }, at: { x: e.clientX, y: e.clientY } });
        else onSelect(picked ? null : { layer, unit });
      }}>${!state.whole && html`<span class="bias-spot" title=${t("network.bias")} />`}</button>
      ${
        isOutput(state, layer) &&
        state.outputs.length > 1 &&
        html`<span class="output-name"
          style=${{ left: `${spot.x}px`, top: `${spot.y + spot.size / 2 + 2}px` }}>${state.outputs[unit]}
          </span>`
      }`;
    },
  )}</div>`;
}
