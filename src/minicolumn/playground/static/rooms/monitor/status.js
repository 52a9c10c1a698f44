/** How far a training is, and how fast: the line of large figures over the curves. */
import { html } from "../../kit/html.js";
import { short } from "../../kit/controls.js";
import { has, t } from "../../i18n.js";

/** A time as on a clock. @param {number} seconds */
function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds)), minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** @param {{about: any, tick: any}} props */
export function Status({ about, tick }) {
  const within = tick.done < about.steps ? tick.done / about.steps : 0;
  const share = Math.min(1, (tick.epoch + within) / Math.max(1, about.epochs));
  const key = `monitor.status.${String(tick.stopped ?? "running").replaceAll(" ", "_")}`;
  const status = has(key) ? t(key) : t("monitor.status.stopped", { why: tick.stopped });
  const left = tick.running && share > 0 ? (tick.seconds * (1 - share)) / share : null;
  const { train, held } = about.rows;
  const rows = { train: train.toLocaleString(), held: held.toLocaleString() };
  const facts = [
    ["rate", short(tick.last.learning_rate)],
    ["speed", Number.isFinite(tick.last.steps_per_second) ? Math.round(tick.last.steps_per_second).toLocaleString() : "–"],
    ["time", clock(tick.seconds)],
    ...(left === null ? [] : [["left", clock(left)]]),
    ["parameters", about.parameters.toLocaleString()],
    ["rows", t(held ? "monitor.rowsSay" : "monitor.allRows", rows)],
  ];
  const said = t("monitor.progress", { done: tick.epoch, all: about.epochs });
  return html`<section class="panel status" aria-label=${t("monitor.run")}>
    <div class="how-far"><p class="epoch-now"><span class="label">${t("monitor.epoch")}</span>
        <b>${tick.epoch.toLocaleString()}</b> <span class="of">${t("monitor.of", { epochs: about.epochs.toLocaleString() })}</span></p>
      <p class=${`pill ${tick.running ? "running" : tick.stopped === "diverged" ? "bad" : "ended"}`} role="status"><i aria-hidden="true" />${status}</p></div>
    <div class="progress" role="progressbar" aria-label=${said} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(100 * share)}>
      <span style=${{ transform: `scaleX(${share})` }} /></div>
    <dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${t(`monitor.${name}`)}</dt><dd>${value}</dd></div>`)}</dl>
  </section>`;
}
