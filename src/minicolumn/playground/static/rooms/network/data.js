/** The data: which points, how many, how noisy, and one's own. */
import { html, useEffect, useRef } from "../../kit/html.js";
import { sized } from "../../kit/canvas.js";
import { Button, Segmented, Slider } from "../../kit/controls.js";
import { language, t, tOr } from "../../i18n.js";
import { theme } from "../../kit/theme.js";
import { targetColour } from "./picture.js";
import { hides } from "./fields.js";

/**
 * @typedef {{name: string, task: string, classes: number, points: number[][]}} Dataset
 * @param {{state: any, set: (changes: object) => void, act: any, onTable: (event: any) => void}} props
 */
export function Data({ state, set, act, onTable }) {
  const { setup } = state,
    own = setup.dataset === "own" || setup.dataset === "table";
  const task = state.classes.length ? "classification" : "regression";
  const total = state.rows.train + state.rows.test;
  const datasetsOf = (/** @type {string} */ kind) =>
    /** @type {Dataset[]} */ (state.datasets ?? []).filter((dataset) => dataset.task === kind);
  const choose = (/** @type {string} */ kind) => {
    if (kind !== task) set({ dataset: datasetsOf(kind)[0].name });
  };
  return html`<section class="data" aria-label=${t("network.data")}>
    <h2>${t("network.data")}</h2>
    ${
      !hides(state, "task") &&
      html`<${Segmented} label=${t("network.problem")} value=${task} onChange=${choose} class="wide"
      options=${[
        { value: "classification", label: t("network.classification") },
        { value: "regression", label: t("network.regression") },
      ]} />`
    }
    ${
      !hides(state, "dataset") &&
      html`<div class="thumbs" role="radiogroup" aria-label=${t("network.dataset")}>
      ${datasetsOf(task).map(
        (dataset) => html`<${Thumb} key=${dataset.name} dataset=${dataset} state=${state}
          chosen=${setup.dataset.split(":")[0] === dataset.name}
          onChoose=${() => set({ dataset: dataset.name })} />`,
      )}
    </div>`
    }
    ${
      own &&
      html`<p
        class="note own-note">${t(setup.dataset === "own" ? "network.ownPoints" : "network.ownTable", { count: total })}
        </p>`
    }
    ${
      !hides(state, "train_percent") &&
      html`<${Slider} label=${t("network.ratio")} value=${setup.train_percent}
        min=${10} max=${90} step=${10} show=${(/** @type {number} */ v) => `${v} %`} disabled=${own}
        onChange=${(/** @type {number} */ v) => set({ train_percent: v })} />`
    }
    ${
      !hides(state, "noise") &&
      html`<${Slider} label=${t("network.noise")} value=${setup.noise} min=${0}
        max=${Math.max(50, setup.noise)} step=${5} disabled=${own}
        onChange=${(/** @type {number} */ v) => set({ noise: v })} />`
    }
    <${Slider} label=${t("network.points")} value=${Math.log10(setup.points)} min=${Math.log10(20)}
        max=${Math.log10(5000)} step=${0.01} disabled=${own}
      show=${() => String(own ? total : setup.points)}
          onChange=${(/** @type {number} */ v) => set({ points: round(10 ** v) })} />
    ${
      !hides(state, "batch_size") &&
      html`<${Slider} label=${t("network.batch")} value=${batchPlace(setup.batch_size)} min=${0}
          max=${BATCHES.length - 1} step=${1}
      show=${() => String(setup.batch_size)}
          onChange=${(/** @type {number} */ v) => set({ batch_size: BATCHES[v] })} />`
    }
    <div class="data-buttons">
      <${Button} icon="refresh" disabled=${own} onClick=${act.regenerate}>${t("network.regenerate")}<//>
      <${Button} icon="upload" onClick=${onTable}>${t("network.ownData")}<//>
    </div>
  </section>`;
}

/** Batch sizes of the slider: each to 30, then wider. */
const BATCHES = [
  ...Array.from({ length: 30 }, (_, i) => i + 1),
  40,
  50,
  64,
  80,
  100,
  128,
  200,
  256,
  500,
  1000,
  2500,
  5000,
];
const batchPlace = (/** @type {number} */ size) => BATCHES.findIndex((b) => b >= size);
/** Two digits. @param {number} value */
const round = (value) => Math.max(20, Math.min(5000, Number(value.toPrecision(2))));

/** @param {{dataset: Dataset, state: any, chosen: boolean, onChoose: () => void}} props */
function Thumb({ dataset, state, chosen, onChoose }) {
  const ref = useRef(/** @type {any} */ (null));
  useEffect(() => {
    if (!ref.current) return;
    const side = 52,
      context = sized(ref.current, side, side);
    context.clearRect(0, 0, side, side);
    const kinds = dataset.classes;
    const like = {
      classes: Array(kinds).fill(""),
      layers: [{ units: kinds > 2 ? kinds : 1 }],
    };
    for (const [x, y, target] of dataset.points) {
      context.fillStyle = targetColour(like, target);
      context.beginPath();
      context.arc(side / 2 + (x / 6.4) * (side / 2), side / 2 - (y / 6.4) * (side / 2), 1.5, 0, 7);
      context.fill();
    }
  }, [theme(), dataset]);
  const name = tOr(`network.set.${dataset.name}`, dataset.name);
  return html`<button type="button" class="thumb" role="radio" aria-checked=${String(chosen)} aria-label=${name}
      title=${name} lang=${language()} onClick=${() => {
        if (!chosen) onChoose();
      }}><canvas ref=${ref} aria-hidden="true" /></button>`;
}
