/**
 * The room `monitor`: a training that runs in a program elsewhere, shown live. It only looks; the newest training is followed
 * unless one is chosen.
 */
import { html, useEffect, useState } from "../kit/html.js";
import { Select, Toggle } from "../kit/controls.js";
import { Intro, useFrame } from "../kit/room.js";
import { has, t } from "../i18n.js";
import { Figures, LossChart, NormsChart, ScoreChart } from "./monitor/charts.js";
import { Confusion } from "./monitor/confusion.js";
import { Status } from "./monitor/status.js";

export const styled = true;

/** @typedef {import("../app.js").Room} Room */
const SHOWN_APART = new Set(["epoch", "loss", "val_loss", "seconds", "learning_rate", "steps_per_second"]);

/** @param {{room: Room}} props */
export default function MonitorRoom({ room }) {
  const state = useFrame(room, "state"), tick = useFrame(room, "tick");
  const [chosen, setChosen] = useState(/** @type {number | null} */ (null));
  const open = (/** @type {number | null} */ run) =>
    room.ask("open", run ? { run } : {}).catch(() => room.send("open"));
  useEffect(() => room.onOpen(() => { open(chosen); }), [room, chosen]);

  if (!state || !state.shown || !tick || tick.number !== state.shown) {
    return html`<div class="room monitor"><${Intro} name="monitor" />
      <p class="waiting" role="status">${state && !state.shown ? t("monitor.waiting") : ""}</p></div>`;
  }
  const { about, runs } = state, figures = new Figures(tick);
  const scores = figures.names.filter((name) => !SHOWN_APART.has(name));
  return html`<div class="room monitor"><${Intro} name="monitor" />
    ${runs.length > 1 && html`<${Chooser} state=${state} chosen=${chosen} onChoose=${setChosen} />`}
    <${Status} about=${about} tick=${tick} />
    <div class="monitor-desk">
      <${LossChart} figures=${figures} tick=${tick} held=${about.rows.held > 0} />
      ${scores.length > 0 && html`<${ScoreChart} figures=${figures} names=${scores} title=${t("monitor.scores")} />`}
      ${tick.arrays.confusion && html`<${Confusion} tick=${tick} held=${about.rows.held > 0} names=${about.classes ?? []} />`}
      <${NormsChart} title=${t("monitor.gradients")} help=${t("monitor.gradientsHelp")} matrix=${tick.arrays.gradients}
        shape=${tick.shapes.gradients} about=${about} log=${true} empty=${t("monitor.noGradients")} />
      <${NormsChart} title=${t("monitor.weights")} help=${t("monitor.weightsHelp")} matrix=${tick.arrays.weights}
        shape=${tick.shapes.weights} about=${about} log=${false} empty="" />
      <${ScoreChart} figures=${figures} names=${["learning_rate", "steps_per_second"]} title="" small=${true} />
      <${Layers} about=${about} />
    </div>
  </div>`;
}

/** Which training is shown. @param {{state: any, chosen: number | null, onChoose: (run: number | null) => void}} props */
function Chooser({ state, chosen, onChoose }) {
  const said = (/** @type {any} */ run) => {
    const key = `monitor.status.${String(run.stopped ?? "running").replaceAll(" ", "_")}`;
    const how = has(key) ? t(key) : t("monitor.status.stopped", { why: run.stopped });
    return `${run.name || t("monitor.runNumber", { number: run.number })} · ${how}`;
  };
  return html`<div class="chooser"><${Select} label=${t("monitor.run")} value=${state.shown}
      options=${state.runs.map((/** @type {any} */ run) => ({ value: run.number, label: said(run) }))} onChange=${onChoose} />
    <${Toggle} label=${t("monitor.follow")} value=${chosen === null}
      onChange=${(/** @type {boolean} */ on) => onChoose(on ? null : state.shown)} /></div>`;
}

/** The layers from the input on. @param {{about: any}} props */
function Layers({ about }) {
  const settings = { loss: about.loss, optimizer: about.optimizer, batch: about.batch_size };
  return html`<section class="panel layers-panel wide"><h2>${t("monitor.layers")}</h2>
    <div class="layers-scroll"><table class="layers"><thead><tr><th scope="col">${t("monitor.layer")}</th>
      <th scope="col" class="number">${t("monitor.shape")}</th><th scope="col" class="number">${t("monitor.weightsCount")}</th></tr></thead>
      <tbody>${about.layers.map((/** @type {any} */ layer) => html`<tr key=${layer.path}>
        <th scope="row" title=${layer.text}><span class="path">${layer.path}</span> ${layer.kind}</th>
        <td class="number">${layer.shape.join(" × ")}</td><td class="number">${layer.parameters ? layer.parameters.toLocaleString() : "–"}</td></tr>`)}
      </tbody></table></div>
    <p class="note">${t("monitor.setting", settings)}</p></section>`;
}
