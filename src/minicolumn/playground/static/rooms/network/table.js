/** One's own data: a table that is dropped, chosen or pasted, then the column that is to be learnt. */
import { html, useEffect, useRef, useState } from "../../kit/html.js";
import { Button, Popover, Select } from "../../kit/controls.js";
import { t } from "../../i18n.js";

const PART = 250_000; // letters of a message, of at most three bytes each: the server takes 1 MiB

/** Cut a text into parts, never within a letter of two code units. @param {string} text @returns {string[]} */
export function cut(text) {
  const parts = [];
  for (let at = 0; at < text.length || !parts.length;) {
    let end = Math.min(text.length, at + PART);
    if (end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00) end--;
    parts.push(text.slice(at, end));
    at = end;
  }
  return parts;
}

/**
 * Send a text in parts.
 * @param {(doing: string, fields?: object) => Promise<any>} send @param {string} name @param {string} text
 * @returns {Promise<any>} what answers the last part
 */
export async function sendTable(send, name, text) {
  const parts = cut(text);
  const answers = parts.map((part, i) => send("table", { name, part: i, parts: parts.length, text: part }));
  return answers.at(-1);
}

/** Take files that are dropped anywhere on the page. @param {(file: File) => void} take @returns {boolean} whether one is held over it */
export function useDrop(take) {
  const [over, setOver] = useState(false);
  const now = useRef(take);
  now.current = take;
  useEffect(() => {
    const hold = (/** @type {DragEvent} */ e) => {
      if (e.dataTransfer?.types.includes("Files")) {
        e.preventDefault();
        setOver(true);
      }
    };
    const leave = (/** @type {DragEvent} */ e) => {
      if (!e.relatedTarget) setOver(false);
    };
    const drop = (/** @type {DragEvent} */ e) => {
      setOver(false);
      const file = e.dataTransfer?.files[0];
      if (file) {
        e.preventDefault();
        now.current(file);
      }
    };
    addEventListener("dragover", hold);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", hold);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  return over;
}

/**
 * @param {{at: {x: number, y: number}, onText: (name: string, text: string) => void, onFile: (file: File) => void, onPaint: () => void, onClose: () => void}} props
 */
export function OwnData({ at, onText, onFile, onClose }) {
  const [pasted, setPasted] = useState("");
  return html`<${Popover} at=${at} label=${t("network.ownData")} onClose=${onClose} class="own-data">
    <h3>${t("network.ownData")}</h3><p class="note">${t("network.ownDataHelp")}</p>
    <label class="button file-button"><input class="sr" type="file"
        accept=".csv,.tsv,.txt,.json,.jsonl,.parquet,.arrow,.feather,.xlsx,.xls,.ods,.gz,.zst,.bz2,.xz,.zip,text/csv,.safetensors" onChange=${(/** @type {any} */ e) => {
          const file = e.target.files[0];
          if (file) onFile(file);
          onClose();
        }} />${t("network.chooseFile")}</label>
    <textarea class="text-input" rows="5" aria-label=${t("network.paste")} placeholder=${t("network.paste")}
        value=${pasted} onInput=${(/** @type {any} */ e) => setPasted(e.target.value)} />
    <div class="row-end"><${Button} kind="main" disabled=${!pasted.trim()} onClick=${() => {
      onText(t("network.pastedName"), pasted);
      onClose();
    }}>${t("network.usePasted")}<//></div>
  <//>`;
}

/**
 * Which column is learnt. @param {{columns: any, onLearn: (column: string, task: string | null) => void, onClose: () => void}} props
 */
export function Columns({ columns, onLearn, onClose }) {
  const [target, setTarget] = useState(columns.suggested ?? columns.columns.at(-1)?.name);
  const [task, setTask] = useState(/** @type {string | null} */ (null));
  const tasks = [
    { value: null, label: t("network.guessed") },
    { value: "binary", label: t("network.twoClasses") },
    { value: "multiclass", label: t("network.manyClasses") },
    { value: "regression", label: t("network.regression") },
  ];
  return html`<${Popover} at=${{ x: innerWidth / 2, y: Math.max(80, innerHeight / 2 - 260) }}
      label=${t("network.columns")} onClose=${onClose} class="columns">
    <h3>${t("network.columnsTitle")}</h3><p class="note">${t("network.rowsOf", { count: columns.rows })}</p>
    <div class="columns-scroll"><table><thead><tr><th scope="col">${t("network.column")}</th><th
        scope="col">${t("network.values")}</th></tr></thead>
      <tbody>${columns.columns.map(
        (
          /** @type {any} */ c,
        ) => html`<tr key=${c.name} class=${c.name === target ? "chosen" : ""}><th scope="row">
        <label><input type="radio" name="target" checked=${c.name === target}
            onChange=${() => setTarget(c.name)} /> ${c.name}</label></th><td
            class="note">${[c.kind, (c.examples ?? []).join(", "), c.said].filter(Boolean).join(" · ")}</td>
            </tr>`,
      )}</tbody></table></div>
    <${Select} label=${t("network.problem")} value=${task} options=${tasks} onChange=${setTask} />
    <div class="row-end"><${Button} onClick=${onClose}>${t("shell.cancel")}<//><${Button} kind="main"
        onClick=${() => onLearn(target, task)}>${t("network.learnColumn", { name: target })}<//></div>
  <//>`;
}
