/**
 * A model that cannot be drawn, told instead: its layers with the spread of their weights, its scores, how it was trained.
 * What was drawn before stays behind it.
 */
import { html, useEffect, useMemo, useRef, useState } from "../../kit/html.js";
import { Button, IconButton, Popover, Toggle, short } from "../../kit/controls.js";
import { Curve } from "../../kit/curve.js";
import { t, tOr, told } from "../../i18n.js";

/** @typedef {import("../../frames.js").Frame} Frame */

/** The name of a score. @param {string} name */
const scoreName = (name) => tOr(`network.summary.score.${name}`, tOr(`network.score.${name}`, name.replaceAll("_", " ")));

/** @param {{summary: any, onClose: () => void}} props */
export function Summary({ summary, onClose }) {
  const { name, why, parameters, input_shape, loss, dtype, target, task, metrics } = summary;
  const facts = [
    ["parameters", parameters.toLocaleString()], ["inputs", input_shape.join(" × ")],
    ...(target ? [["target", target]] : []), ...(task ? [["task", t(`network.summary.tasks.${task}`)]] : []),
    ["loss", loss || "–"], ["dtype", dtype],
  ];
  return html`<${Popover} at=${{ x: innerWidth / 2, y: 40 }} label=${t("network.summary.title", { name })} onClose=${onClose} class="summary">
    <header><h3>${name}</h3><${IconButton} icon="close" label=${t("shell.close")} onClick=${onClose} /></header>
    <p class="why">${t("network.summary.why")}</p><p class="note because">${told(why)}</p>
    <dl class="facts">${facts.map(([key, value]) => html`<div key=${key}><dt>${t(`network.summary.${key}`)}</dt><dd>${value}</dd></div>`)}</dl>
    ${metrics.length > 0 && html`<${Scores} metrics=${metrics} />`}
    <${History} summary=${summary} />
    <${Layers} summary=${summary} />
    <${Columns} summary=${summary} />
    ${summary.training.length > 0 && html`<details><summary>${t("network.summary.training")}</summary><dl class="settings">
      ${summary.training.map((/** @type {string[]} */ [key, value]) => html`<div key=${key}><dt>${key.replaceAll("_", " ")}</dt><dd>${value}</dd></div>`)}</dl></details>`}
    <div class="row-end"><${Button} onClick=${onClose}>${t("shell.close")}<//></div><//>`;
}

/** Scores on the test rows, beside the baseline's. @param {{metrics: any[]}} props */
function Scores({ metrics }) {
  const compared = metrics.some((score) => typeof score.baseline === "number");
  return html`<section><h4>${t("network.summary.scores")}</h4><table class="scores"><thead><tr><td />
    <th scope="col">${t("network.summary.model")}</th>${compared && html`<th scope="col">${t("network.summary.baseline")}</th>`}</tr></thead>
    <tbody>${metrics.map((score) => html`<tr key=${score.name}><th scope="row">${scoreName(score.name)}</th><td><b>${short(score.value, 4)}</b></td>
      ${compared && html`<td>${short(score.baseline, 4)}</td>`}</tr>`)}</tbody></table></section>`;
}

/** Losses over the epochs that the file remembers. @param {{summary: any}} props */
function History({ summary }) {
  const handle = useRef(/** @type {any} */ (null)), [log, setLog] = useState(true), [read, setRead] = useState(/** @type {any} */ (null));
  const { x, lines } = useMemo(() => columnsOf(summary), [summary]);
  useEffect(() => {
    const kept = (/** @type {(number | null)[]} */ values) => (log ? values.map((v) => (v !== null && v > 0 ? v : null)) : values);
    handle.current?.set([x, ...lines.map((line) => kept(line.values))]);
  }, [x, lines, log]);
  if (x.length < 2 || !lines.length) return null;
  return html`<section><div class="head"><h4>${t("network.summary.history")}</h4><${Toggle} label=${t("network.log")} value=${log} onChange=${setLog} /></div>
    <${Curve} series=${lines} handle=${handle} log=${log} height=${150} along="epoch" label=${t("network.summary.history")} onRead=${setRead} />
    <ul class="legend">${read && html`<li>${t("network.summary.epoch")} ${read[0]}</li>`}${lines.map((line, i) => {
      const last = line.values[line.values.length - 1];
      return html`<li key=${line.label}><i class="dot" style=${{ background: `var(${line.colour})` }} />${line.label} <b>${short(read ? read[i + 1] : last, 4)}</b></li>`;
    })}</ul></section>`;
}

/** @param {any} summary */
function columnsOf(summary) {
  const [rows, count] = summary.shapes.curve, numbers = summary.arrays.curve;
  const column = (/** @type {number} */ k) =>
    Array.from({ length: rows }, (_, i) => (Number.isFinite(numbers[i * count + k]) ? numbers[i * count + k] : null));
  const lines = [["loss", "--neg", t("network.training")], ["val_loss", "--pos", t("network.summary.held")]]
    .filter(([name]) => summary.history.includes(name))
    .map(([name, colour, label]) => ({ label, colour, values: column(summary.history.indexOf(name)) }));
  return { x: column(0), lines };
}

/** The layers from the input on. @param {{summary: any}} props */
function Layers({ summary }) {
  return html`<section><h4>${t("network.summary.layers")}</h4><div class="layers-scroll"><table class="layers"><thead><tr>
    ${["layer", "output", "parameters", "norm", "spread"].map((key) => html`<th key=${key} scope="col">${t(`network.summary.${key}`)}</th>`)}</tr></thead>
    <tbody>${summary.layers.map((/** @type {any} */ layer) => html`<tr key=${layer.path} title=${layer.text}>
      <th scope="row"><span class="path">${layer.path}</span> ${layer.kind}</th><td>${layer.shape.join(" × ")}</td>
      <td>${layer.parameters ? layer.parameters.toLocaleString() : "–"}</td><td>${layer.parameters ? short(layer.norm) : "–"}</td>
      <td>${layer.histogram && html`<${Bars} histogram=${layer.histogram} />`}</td></tr>`)}</tbody></table></div>
    ${summary.more_layers > 0 && html`<p class="note">${t("network.summary.more", { count: summary.more_layers })}</p>`}</section>`;
}

/** How the weights of a layer are spread: blue from 0 up, orange below. @param {{histogram: any}} props */
function Bars({ histogram }) {
  const { low, high, counts } = histogram, most = Math.max(...counts), wide = 4;
  const said = t("network.summary.spreadSay", { low: short(low), high: short(high) });
  const middle = (/** @type {number} */ i) => low + ((i + 0.5) * (high - low)) / counts.length;
  return html`<span class="spread"><span>${short(low, 2)}</span><svg width=${counts.length * wide} height="22" role="img" aria-label=${said}>
    ${counts.map((/** @type {number} */ count, /** @type {number} */ i) => {
      const tall = count ? Math.max(1, (21 * count) / most) : 0;
      return html`<rect key=${i} class=${middle(i) < 0 ? "neg" : "pos"} x=${i * wide} y=${22 - tall} width=${wide - 1} height=${tall} />`;
    })}</svg><span>${short(high, 2)}</span></span>`;
}

/** The columns of its table, and the classes. @param {{summary: any}} props */
function Columns({ summary }) {
  const { columns, classes, class_count: count, more_columns: more } = summary;
  const chip = (/** @type {string} */ text, /** @type {string} */ kind) => html`<li key=${text}>${text}${kind && html` <span class="note">${kind}</span>`}</li>`;
  return html`${columns.length > 0 && html`<section><h4>${t("network.summary.columns")}</h4><ul class="chips">
      ${columns.map((/** @type {any} */ column) => chip(column.name, tOr(`network.summary.kind.${column.kind}`, column.kind)))}
      ${more > 0 && chip(t("network.summary.more", { count: more }), "")}</ul></section>`}
    ${classes.length > 0 && html`<section><h4>${t("network.summary.classes")}</h4><ul class="chips">${classes.map((/** @type {string} */ label) => chip(label, ""))}
      ${count > classes.length && chip(t("network.summary.more", { count: count - classes.length }), "")}</ul></section>`}`;
}
