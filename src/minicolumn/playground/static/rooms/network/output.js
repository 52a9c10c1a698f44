/**
 * What the network answers, large, with what can be done there: points are painted, erased and dragged.
 *
 * @typedef {import("./model.js").Live} Live
 * @typedef {import("./model.js").Neuron} Neuron
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../../kit/html.js";
import { everyFrame, sized } from "../../kit/canvas.js";
import { classColour, colourOf } from "../../kit/colour.js";
import { Button, Segmented, Toggle } from "../../kit/controls.js";
import { t } from "../../i18n.js";
import { hides } from "./fields.js";
import { neuronName } from "./model.js";
import { Picture, severalClasses, targetColour } from "./picture.js";
import { pointerTools } from "./pointer.js";

/**
 * @param {{live: Live, state: any, set: (changes: object) => void, paint: (fields: object) => Promise<any>, selected: Neuron | null,
 *   onPoint: (point: [number, number] | null) => void}} props
 */
export function Output({ live, state, set, paint, selected, onPoint }) {
  const canvas = useRef(/** @type {any} */ (null)),
    picture = useRef(/** @type {Picture | null} */ (null));
  const [tool, setTool] = useState("look");
  const [brush, setBrush] = useState(0);
  const read = useRef(/** @type {HTMLElement | null} */ (null)),
    caption = useRef(/** @type {HTMLElement | null} */ (null));
  const now = useRef(state);
  now.current = state;

  useLayoutEffect(() => {
    const drawn = (picture.current = new Picture(live, canvas.current));
    return everyFrame(() => drawn.frame(), { idle: true });
  }, []);
  const name = () => {
    const neuron = live.hovered ?? live.selected;
    if (caption.current)
      caption.current.textContent = neuron ? neuronName(now.current, neuron) : t("network.outputMap");
  };
  useEffect(() => {
    name();
    return live.watch(name);
  });

  const classes = state.classes.length ? state.classes : null;
  return html`<section class="panel output-panel" aria-label=${t("network.outputPanel")}>
    <div class="panel-head"><h2 ref=${caption}>${t("network.outputMap")}</h2><span class="map-read"
        ref=${read} /></div>
    <canvas class=${`map tool-${tool}`} ref=${canvas} role="img"
        aria-label=${t("network.mapLabel", { x: state.axes[0], y: state.axes[1] })}
      ...${pointerTools({ picture, live, now, tool, brush, paint, read, onPoint })} />
    <${Legend} state=${state} selected=${selected} />
    <div class="map-controls">
      ${
        !hides(state, "show_test") &&
        html`<${Toggle} label=${t("network.showTest")}
          value=${state.setup.show_test} onChange=${(/** @type {boolean} */ on) => set({ show_test: on })} />`
      }
      ${
        !hides(state, "discretize") &&
        html`<${Toggle} label=${t("network.discretize")}
          value=${state.setup.discretize}
          onChange=${(/** @type {boolean} */ on) => set({ discretize: on })} />`
      }
    </div>
    <div class="paint-row">
      <${Segmented} label=${t("network.tool")} value=${tool} onChange=${setTool} options=${[
        { value: "look", label: t("network.toolLook") },
        { value: "brush", label: t("network.toolBrush"), icon: "brush" },
        { value: "move", label: t("network.toolMove"), icon: "move" },
        { value: "erase", label: t("network.toolErase"), icon: "erase" },
      ]} />
      ${
        tool === "brush" &&
        html`<${Swatches} state=${state} classes=${classes} brush=${brush}
          onBrush=${setBrush} />`
      }
      ${
        tool !== "look" &&
        html`<${Button} kind="quiet" icon="trash" onClick=${() => {
          if (picture.current) picture.current.pending = [];
          setTool("brush");
        }}>${t("network.clearPoints")}<//>`
      }
    </div>
  </section>`;
}

/** Which class, or which number, the brush paints. @param {any} props */
function Swatches({ state, classes, brush, onBrush }) {
  const values = classes
    ? classes.map((/** @type {string} */ _, /** @type {number} */ i) => i)
    : [-1, -0.5, 0, 0.5, 1];
  return html`<div class="swatches" role="radiogroup" aria-label=${t("network.brushOf")}>${values.map(
    (/** @type {number} */ value) => html`<button type="button" key=${value}
    role="radio" aria-checked=${String(value === brush)} aria-label=${classes ? classes[value] : String(value)}
        title=${classes ? classes[value] : String(value)}
    style=${{ background: targetColour(state, value) }} onClick=${() => onBrush(value)} />`,
  )}</div>`;
}

/** @param {any} props */
function Legend({ state, selected }) {
  const ref = useRef(/** @type {any} */ (null));
  const several = severalClasses(state) && !selected;
  useEffect(() => {
    if (!ref.current) return;
    const context = sized(ref.current, ref.current.clientWidth, 8);
    const wide = ref.current.clientWidth;
    for (let x = 0; x < wide; x++) {
      context.fillStyle = colourOf((2 * x) / wide - 1);
      context.fillRect(x, 0, 1.5, 8);
    }
  });
  if (several) {
    return html`<ul
        class="class-legend">${state.classes.map(
          (/** @type {string} */ name, /** @type {number} */ i) => html`<li
        key=${name}><span style=${{ background: classColour(i) }} />${name}</li>`,
        )}</ul>`;
  }
  const [low, high] = state.classes.length === 2 && !selected ? state.classes : ["−1", "1"];
  return html`<div class="colour-bar"><canvas ref=${ref} aria-hidden="true" /><div><span>${low}</span>
      <span>0</span><span>${high}</span></div></div>`;
}
