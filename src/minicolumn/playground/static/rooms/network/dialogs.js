/** Small dialogs of the room: help, export, a feature of one's own, and presets. */
import { html, useState } from "../../kit/html.js";
import { Button, Popover } from "../../kit/controls.js";
import { t } from "../../i18n.js";
import { download } from "./files.js";
import { pretty } from "./model.js";
import { PRESETS } from "./presets.js";

/** @typedef {{x: number, y: number}} Place */

/** @param {{at: Place, onClose: () => void}} props */
export function Help({ at, onClose }) {
  const keys = [
    [t("shell.space"), "run"],
    ["S", "step"],
    ["R", "reset"],
    ["?", "help"],
    ["↑ ↓ ← →", "arrows"],
    ["Enter", "enter"],
  ];
  return html`<${Popover} at=${at} label=${t("network.help")} onClose=${onClose} class="help">
      <h3>${t("network.helpTitle")}</h3>
    <p>${t("network.helpText")}</p><dl>${keys.map(
      ([key, what]) => html`<div key=${what}><dt><kbd>${key}</kbd>
        </dt><dd>${t(`network.key.${what}`)}</dd></div>`,
    )}</dl>
    <div class="row-end"><${Button} onClick=${onClose}>${t("shell.close")}<//></div><//>`;
}

/** How far to run. @param {{at: Place, onRun: (goal: object) => void, onClose: () => void}} props */
export function Goal({ at, onRun, onClose }) {
  const [epochs, setEpochs] = useState("100"),
    [until, setUntil] = useState("");
  const goal = {
    ...(Number(epochs) >= 1 ? { epochs: Math.round(Number(epochs)) } : {}),
    ...(until.trim() && Number(until) >= 0 ? { until: Number(until) } : {}),
  };
  const row = (
    /** @type {string} */ key,
    /** @type {string} */ value,
    /** @type {(v: string) => void} */ set,
  ) => html`<label class="goal-row"><span>${t(key)}</span>
    <input class="text-input" inputmode="decimal" value=${value}
        onInput=${(/** @type {any} */ e) => set(e.target.value)} onKeyDown=${(/** @type {any} */ e) => {
          if (e.key === "Enter") onRun(goal);
        }} /></label>`;
  return html`<${Popover} at=${at} label=${t("network.goal")} onClose=${onClose} class="goal">
      <h3>${t("network.goal")}</h3>
    ${row("network.goalEpochs", epochs, setEpochs)}${row("network.goalLoss", until, setUntil)}
    <div class="row-end"><${Button} kind="main" icon="play" onClick=${() => onRun(goal)}>${t("shell.run")}<//>
        </div><//>`;
}

/** @param {{at: Place, state: any, ask: (doing: string, fields?: object) => Promise<any>, onClose: () => void}} props */
export function Exports({ at, ask, onClose }) {
  const [copied, setCopied] = useState(false);
  /** @param {string} what */
  const get = async (what) => {
    const frame = await ask("export", { what });
    if (frame?.kind === "file") download(frame);
    onClose();
  };
  const copy = async () => {
    await navigator.clipboard?.writeText(location.href).catch(() => {});
    setCopied(true);
  };
  return html`<${Popover} at=${at} label=${t("network.export")} onClose=${onClose} class="menu">
    ${["model", "numpy", "weights", "data"].map(
      (what) => html`<button type="button" class="menu-item"
        key=${what} onClick=${() => get(what)}><b>${t(`network.exports.${what}`)}</b><span
        class="note">${t(`network.exportsHelp.${what}`)}</span></button>`,
    )}
    <button type="button" class="menu-item" onClick=${copy}>
        <b>${t(copied ? "network.copied" : "network.exports.link")}</b><span
        class="note">${t("network.exportsHelp.link")}</span></button><//>`;
}

/** @param {{at: Place, ask: (doing: string, fields?: object) => Promise<any>, features: string[], table: boolean, set: (changes: object) => void, onClose: () => void}} props */
export function Formula({ at, ask, features, table, set, onClose }) {
  const [text, setText] = useState("");
  const [said, setSaid] = useState(/** @type {{text?: string, error?: string} | null} */ (null));
  const check = (/** @type {string} */ next) => {
    setText(next);
    if (!next.trim()) {
      setSaid(null);
      return;
    }
    ask("formula", { text: next }).then(
      (frame) => setSaid(frame ? { text: frame.text } : null),
      (error) => setSaid({ error: error.message }),
    );
  };
  const add = () => {
    if (said?.text) {
      set({ features: [...features, said.text] });
      onClose();
    }
  };
  return html`<${Popover} at=${at} label=${t("network.addFormula")} onClose=${onClose} class="formula-dialog">
      <h3>${t("network.formulaTitle")}</h3><p class="note">${t(table ? "network.formulaOfColumns" : "network.formulaHelp")}</p>
    <input class="text-input formula" aria-label=${t("network.addFormula")} placeholder="sin(x1 * x2)"
        value=${text} spellcheck="false" autocapitalize="off"
        onInput=${(/** @type {any} */ e) => check(e.target.value)} onKeyDown=${(/** @type {any} */ e) => {
          if (e.key === "Enter") add();
        }} />
    <p class=${`formula-said ${said?.error ? "wrong" : ""}`}
        role="status">${said?.error ?? (said?.text ? pretty(said.text) : "")}</p>
    <div class="row-end"><${Button} kind="main" disabled=${!said?.text} onClick=${add}>${t("network.add")}<//>
        </div><//>`;
}

/** @param {{at: Place, room: import("../../app.js").Room, onClose: () => void}} props */
export function Presets({ at, room, onClose }) {
  const take = async (/** @type {any} */ preset) => {
    onClose();
    await room.send("open", { setup: preset.setup });
    room.say(t(`network.preset.${preset.name}.watch`), [], "note");
    room.send("run");
  };
  return html`<${Popover} at=${at} label=${t("network.presets")} onClose=${onClose} class="menu presets">
    ${PRESETS.map(
      (preset) => html`<button type="button" class="menu-item" key=${preset.name}
        onClick=${() => take(preset)}><b>${t(`network.preset.${preset.name}.name`)}</b><span
        class="note">${t(`network.preset.${preset.name}.watch`)}</span></button>`,
    )}<//>`;
}
