/** A neuron taken apart: its formula with live numbers, every weight and its bias to be set; and a link's own weight. */
import { html, useEffect, useState } from "../../kit/html.js";
import { IconButton, Popover, short } from "../../kit/controls.js";
import { colourOf, signColour } from "../../kit/colour.js";
import { t } from "../../i18n.js";
import { hasLink, hasNeuron, isOutput, layout, neuronName, sourceName } from "./model.js";
import { wordsOf } from "./fields.js";
import { rawOf } from "./units.js";

/** @typedef {import("./model.js").Live} Live @typedef {import("./model.js").Neuron} Neuron */
const EVERY = 200; // ms between two looks at a neuron while the network learns

/**
 * A number that is shown as it moves, until it is typed over.
 * @param {{label: string, value: number | null, onSet: (value: number) => void, step?: number}} props
 */
export function LiveNumber({ label, value, onSet, step = 0.1 }) {
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  const take = (/** @type {string} */ text) => {
    if (text.trim() !== "" && Number.isFinite(Number(text))) onSet(Number(text));
  };
  return html`<input class="text-input live-number" type="number" step=${step} aria-label=${label}
      value=${typed ?? (value === null ? "" : Number(value.toFixed(4)))}
    onInput=${(/** @type {any} */ e) => {
      setTyped(e.target.value);
      take(e.target.value);
    }} onBlur=${() => setTyped(null)} />`;
}

/** Look again now and then while something moves. @param {Live} live @param {() => void} look */
export function useLooks(live, look) {
  useEffect(() => {
    let last = 0,
      later = 0;
    const again = () => {
      clearTimeout(later);
      const wait = EVERY - (performance.now() - last);
      if (wait > 0) {
        later = window.setTimeout(again, wait);
        return;
      }
      last = performance.now();
      look();
    };
    const stop = live.watch(again);
    return () => {
      stop();
      clearTimeout(later);
    };
  }, [look]);
}

/** A point in the units of its columns. @param {any} state @param {number[]} point */
const pointOf = (state, point) => point.map((v, i) => short(rawOf(state.units?.[i] ?? null, v), 3)).join(", ");

/**
 * @param {{live: Live, state: any, neuron: Neuron, point: [number, number] | null, ask: (doing: string, fields?: object) => Promise<any>,
 *   send: (doing: string, fields?: object) => any, onClose: () => void}} props
 */
export function Inspector({ live, state, neuron, point, ask, send, onClose }) {
  const [said, setSaid] = useState(/** @type {any} */ (null));
  const { layer, unit } = neuron,
    key = `${layer},${unit},${point}`;
  const [look] = useState(() => ({ run: () => {} }));
  look.run = () => {
    if (state.whole) return;
    const at = point && state.columns?.length === 2 ? { point } : {};
    ask("neuron", { layer, unit, ...at }).then(
      (frame) => {
        if (frame?.kind === "neuron") setSaid(frame);
      },
      () => setSaid(null),
    );
  };
  const [steady] = useState(() => () => look.run());
  useLooks(live, steady);
  useEffect(() => look.run(), [key, state]);
  const name = neuronName(state, neuron);
  const ofNow = said?.layer === layer && said.unit === unit && said.terms.length === layout(state)[layer]?.fanIn;
  if (state.whole)
    return html`<section class="inspector" aria-label=${name}><header><h3>${name}</h3>
      <span class="note">${t("network.wholeNeuron")}</span>
      <${IconButton} icon="close" size=${15} label=${t("shell.close")} onClick=${onClose} /></header></section>`;
  if (!ofNow)
    return html`<section class="inspector" aria-label=${name}><h3>${name}</h3></section>`;
  const most = Math.max(
    1e-9,
    Math.abs(said.bias),
    ...said.terms.map((/** @type {any} */ term) => Math.abs(term.product)),
  );
  return html`<section class="inspector" aria-label=${name}>
    <header><h3>${name}</h3><p
        class="formula">${said.activation === "linear" ? "" : `${wordsOf(said.activation)} (`}
        <b>${short(said.sum)}</b>${said.activation === "linear" ? "" : ")"} = <b class="out"
        style=${{ background: colourOf(said.output, 0.35) }}>${short(said.output)}</b></p>
      <span class="note">${t("network.atPoint", { point: pointOf(state, said.point) })}
          </span>
      ${
        !isOutput(state, layer) &&
        state.layers[layer].units > 1 &&
        html`<${IconButton} icon="trash" size=${15} label=${t("network.removeNeuron")} onClick=${() => {
          send("units", { layer, remove: unit });
          onClose();
        }} />`
      }
      <${IconButton} icon="close" size=${15} label=${t("shell.close")} onClick=${onClose} /></header>
    <div class="terms-scroll"><table class="terms"><thead><tr><th scope="col">${t("network.from")}</th><th
        scope="col">${t("network.weight")}</th><td /><th scope="col" class="num">${t("network.value")}</th>
        <td /><th scope="col" class="num">${t("network.product")}</th><td class="bar-cell" /></tr></thead>
      <tbody>${said.terms.map(
        (
          /** @type {any} */ term,
          /** @type {number} */ source,
        ) => html`<tr key=${source}><th scope="row">${sourceName(state, layer, source)}</th>
        <td><${LiveNumber} label=${t("network.weightFrom", { name: sourceName(state, layer, source) })}
            value=${term.weight}
            onSet=${(/** @type {number} */ value) => send("weight", { layer, source, unit, value })} /></td>
        <td class="sign">×</td><td class="num">${short(term.value)}</td><td class="sign">=</td><td
            class="num">${short(term.product)}</td><${BarCell} value=${term.product / most} /></tr>`,
      )}
      <tr><th scope="row">${t("network.bias")}</th><td><${LiveNumber} label=${t("network.bias")}
          value=${said.bias} onSet=${(/** @type {number} */ value) => send("bias", { layer, unit, value })} />
          </td><td /><td /><td /><td class="num">${short(said.bias)}</td><${BarCell}
          value=${said.bias / most} /></tr></tbody>
      <tfoot><tr><th scope="row">${t("network.sum")}</th><td /><td /><td /><td class="sign">=</td><td
          class="num"><b>${short(said.sum)}</b></td><td /></tr></tfoot></table></div>
  </section>`;
}

/** @param {{value: number}} props */
function BarCell({ value }) {
  const share = `${50 * Math.min(1, Math.abs(value))}%`;
  return html`<td class="bar-cell" aria-hidden="true"><span
      style=${{ width: share, background: signColour(value, 0.85), ...(value < 0 ? { right: "50%" } : { left: "50%" }) }} />
      </td>`;
}

/**
 * A weight or a bias, in a small dialog by where it was touched.
 * @param {{live: Live, state: any, what: {link?: any, bias?: Neuron, at: {x: number, y: number}}, send: (doing: string, fields?: object) => any, onClose: () => void}} props
 */
export function Editor({ live, state, what, send, onClose }) {
  const [, again] = useState(0);
  const [look] = useState(() => () => again((n) => n + 1));
  useLooks(live, look);
  const { link, bias } = what;
  const gone = link ? !hasLink(state, link) : bias && !hasNeuron(state, bias);
  useEffect(() => {
    if (gone) onClose();
  }, [gone]);
  if (gone) return null;
  const value = link ? live.weightOf(link) : bias ? live.biasOf(bias) : null;
  const name = link
    ? `${sourceName(state, link.layer, link.source)} → ${neuronName(state, link)}`
    : neuronName(state, /** @type {Neuron} */ (bias));
  const set = (/** @type {number} */ v) =>
    link ? send("weight", { ...link, value: v }) : send("bias", { ...bias, value: v });
  const label = t(link ? "network.weight" : "network.bias");
  return html`<${Popover} at=${what.at} label=${`${label}: ${name}`} onClose=${onClose} class="editor">
    <span class="field-label">${name}</span>
    <div class="editor-row"><span>${label}</span><${LiveNumber} label=${label} value=${value} onSet=${set} />
        </div>
    <input class="slider" type="range" min="-5" max="5" step="0.01" aria-label=${label} value=${value ?? 0}
        style=${{ "--share": `${10 * ((value ?? 0) + 5)}%` }}
      onInput=${(/** @type {any} */ e) => set(Number(e.target.value))} />
  <//>`;
}
