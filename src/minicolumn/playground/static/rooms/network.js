/**
 * The room `network`: the playground itself. Data, features, network and output side by side, the bar over them.
 *
 * What is drawn many times a second (maps, links, curves, numbers) is kept in `Live` and drawn on canvases; the page itself
 * is rendered anew with each `state` alone.
 */
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../kit/html.js";
import { Button, IconButton, Popover, useKeys } from "../kit/controls.js";
import { Icon } from "../kit/icons.js";
import { gathering, newest } from "../kit/room.js";
import { has, t } from "../i18n.js";
import { Bar } from "./network/bar.js";
import { Data } from "./network/data.js";
import { Help, Exports, Formula, Goal, Presets } from "./network/dialogs.js";
import { hides } from "./network/fields.js";
import { Editor, Inspector } from "./network/inspector.js";
import { Live } from "./network/model.js";
import { Confusion, Losses } from "./network/loss.js";
import { More } from "./network/more.js";
import { Output } from "./network/output.js";
import { Stage } from "./network/stage.js";
import { Plane } from "./network/plane.js";
import { Columns, OwnData, sendTable, useDrop } from "./network/table.js";
import { sendModel } from "./network/files.js";

export const styled = true;

/** @typedef {import("../app.js").Room} Room @typedef {import("../frames.js").Frame} Frame @typedef {import("./network/model.js").Neuron} Neuron */

/** What outlives a visit to another room: all that is drawn. @type {{live: Live | null}} */
const kept = { live: null };

/** @param {{room: Room, link: string | null}} props */
export default function NetworkRoom({ room, link }) {
  const live = useMemo(() => (kept.live ??= new Live()), []);
  const [state, setState] = useState(/** @type {any} */ (live.state));
  const [running, setRunning] = useState(false);
  const [speed, setSpeed] = useState(/** @type {number | null} */ (null));
  const [selected, setSelected] = useState(/** @type {Neuron | null} */ (null));
  const [point, setPoint] = useState(/** @type {[number, number] | null} */ (null));
  const [editing, setEditing] = useState(/** @type {any} */ (null));
  const [dialog, setDialog] = useState(
    /** @type {{what: string, at: {x: number, y: number}} | null} */ (null),
  );
  const [columns, setColumns] = useState(/** @type {any} */ (null));
  const setup = useRef(/** @type {any} */ (null));
  const set = useMemo(() => gathering(room), [room]);
  const edit = useMemo(() => newest(room), [room]);

  useEffect(
    () =>
      room.onFrame((frame) => {
        if (frame.kind === "state") {
          if (frame.reset && `${frame.setup.units}` !== `${live.state?.setup.units}`) live.selected = null;
          live.takeState(frame);
          setup.current = frame.setup;
          setState(live.state);
          setSelected(live.selected);
          room.say(frame.said?.length ? frame.said.join(" ") : null, [], "note");
          address(frame);
        } else if (frame.kind === "tick") {
          live.takeTick(frame);
          setRunning(frame.running);
          if (
            frame.stopped &&
            !frame.running &&
            frame.stopped !== "diverged" &&
            has(`network.stopped.${frame.stopped.replaceAll(" ", "_")}`)
          )
            room.say(t(`network.stopped.${frame.stopped.replaceAll(" ", "_")}`), [], "note");
        } else if (frame.kind === "diverged") {
          room.say(
            frame.message,
            frame.remedies.map((/** @type {any} */ remedy) => remedyOf(room, remedy)),
          );
        } else if (frame.kind === "columns") setColumns(frame);
      }),
    [room],
  );
  useEffect(() => {
    let first = true;
    const end = room.onOpen(() => {
      if (first && live.state && !link) room.send("set", { changes: {} });
      else open(room, first ? link : null, setup.current ?? live.state?.setup);
      first = false;
    });
    return () => {
      end();
      if (live.tick?.running) room.send("pause");
    };
  }, [room]);

  const select = useCallback((/** @type {Neuron | null} */ neuron) => {
    live.selected = neuron;
    live.touch();
    setSelected(neuron);
  }, []);
  const act = useMemo(
    () => ({
      run: () => {
        const on = live.tick?.running;
        room.say(null);
        room.send(on ? "pause" : "run");
        setRunning(!on);
      },
      step: () => room.send("step"),
      reset: () => {
        room.say(null);
        room.send("reset");
      },
      regenerate: () => room.send("regenerate"),
      speed: (/** @type {number | null} */ value) => {
        setSpeed(value);
        room.send("speed", { steps_per_second: value });
      },
      leave: () => select(null),
      again: () => {
        room.say(null);
        room.send("reset", { same: true });
      },
      goal: (/** @type {any} */ e) => setDialog({ what: "goal", at: placeOf(e) }),
      help: () => setDialog({ what: "help", at: { x: innerWidth / 2, y: 120 } }),
    }),
    [room],
  );
  useKeys({ " ": act.run, s: act.step, r: act.reset, "?": act.help, Escape: act.leave });
  const take = (/** @type {File} */ file) => takeFile(room, file);
  const over = useDrop(take);
  if (!state) return html`<div class="room network"><p class="waiting">${t("shell.connecting")}</p></div>`;

  const openDialog = (/** @type {string} */ what) => (/** @type {any} */ e) =>
    setDialog({ what, at: placeOf(e) });
  const close = () => setDialog(null);
  return html`<div class="room network">
    <h1 class="sr">${t("network.title")}</h1>
    <${Bar} live=${live} state=${state} running=${running} speed=${speed} set=${set} act=${act} />
    <div class="desk">
      <${Data} state=${state} set=${set} act=${act} onTable=${openDialog("own")} />
      <section class="network-column" aria-label=${t("network.network")}>
        <div class="network-head">
          <div class="layers-count">${
            !hides(state, "units") &&
            html`<${IconButton} icon="minus" size=${15} label=${t("network.fewerLayers")}
                disabled=${!state.setup.units.length}
                onClick=${() => room.send("layer", { at: state.setup.units.length - 1, add: false })} />
            <${IconButton} icon="plus" size=${15} label=${t("network.moreLayers")}
                disabled=${state.setup.units.length >= 10}
                onClick=${() => room.send("layer", { at: state.setup.units.length, add: true, units: 2 })} />`
          }
            <h2>${t("network.hiddenLayers", { count: state.setup.units.length })}</h2><span
                class="note">${t("network.parameters", { count: state.parameters.toLocaleString() })}</span>
                </div>
          <div class="network-tools"><${Button} kind="quiet"
              onClick=${openDialog("presets")}>${t("network.presets")}<//><${Button} kind="quiet"
              onClick=${openDialog("more")}>${t("network.moreSettings")}<//>
            <${Button} kind="quiet" icon="download" onClick=${openDialog("export")}>${t("network.export")}<//>
            <${IconButton} icon="help" label=${`${t("network.help")} (?)`} onClick=${openDialog("help")} />
                </div>
        </div>
        <${Stage} live=${live} state=${state} set=${set} send=${room.send} selected=${selected}
            onEdit=${setEditing} onSelect=${select} onFormula=${openDialog("formula")} />
        ${
          selected
            ? html`<${Inspector} live=${live} state=${state} neuron=${selected} point=${point} ask=${room.ask}
                send=${edit} onClose=${() => select(null)} />`
            : !hides(state, "text") && html`<p class="hint">${t("network.hint")}</p>`
        }
      </section>
      <div class="output-column">
        <${Losses} live=${live} state=${state} />
        <${Output} live=${live} state=${state} set=${set}
            paint=${(/** @type {object} */ fields) => room.send("points", fields)} selected=${selected}
            onPoint=${setPoint} />
        <${Plane} state=${state} send=${room.send} />
        ${state.classes.length > 1 && html`<${Confusion} live=${live} state=${state} />`}
      </div>
    </div>
    ${editing && html`<${Editor} live=${live} state=${state} what=${editing} send=${edit}
        onClose=${() => setEditing(null)} />`}
    ${
      columns &&
      html`<${Columns} columns=${columns} onClose=${() => setColumns(null)} onLearn=${(
        /** @type {string} */ column,
        /** @type {string | null} */ task,
      ) => {
        setColumns(null);
        room.send("target", { column, ...(task ? { task } : {}) });
      }} />`
    }
    ${dialog?.what === "own" && html`<${OwnData} at=${dialog.at} onFile=${take}
        onText=${(/** @type {string} */ name, /** @type {string} */ text) => sendTable(room.send, name, text)}
        onClose=${close} />`}
    ${dialog?.what === "help" && html`<${Help} at=${dialog.at} onClose=${close} />`}
    ${
      dialog?.what === "goal" &&
      html`<${Goal} at=${dialog.at} onRun=${(/** @type {object} */ goal) => {
        close();
        room.say(null);
        room.send("run", goal);
      }} onClose=${close} />`
    }
    ${dialog?.what === "export" && html`<${Exports} at=${dialog.at} state=${state} ask=${room.send}
        onClose=${close} />`}
    ${dialog?.what === "formula" && html`<${Formula} at=${dialog.at} ask=${room.ask}
        features=${state.setup.features} set=${set} onClose=${close} />`}
    ${dialog?.what === "presets" && html`<${Presets} at=${dialog.at} room=${room} onClose=${close} />`}
    ${dialog?.what === "more" && html`<${Popover} at=${dialog.at} label=${t("network.moreSettings")}
        onClose=${close} class="more"><h3>${t("network.moreSettings")}</h3><${More} state=${state} set=${set} />
        <//>`}
    ${over && html`<div class="drop" aria-hidden="true"><${Icon} name="upload" size=${40} />
        <p>${t("network.dropHere")}</p></div>`}
  </div>`;
}

/** Where a dialog opens: under what was pressed. @param {any} e */
function placeOf(e) {
  const area = e.currentTarget?.getBoundingClientRect?.();
  return area ? { x: area.left + area.width / 2, y: area.bottom - 8 } : { x: e.clientX, y: e.clientY };
}

/** Begin: by a link, by what was there before the connection was lost, or as it comes. @param {Room} room @param {string | null} link @param {any} setup */
function open(room, link, setup) {
  const own = setup && (setup.dataset === "own" || setup.dataset === "table");
  if (link) room.send("open", { link });
  else if (setup && !own) room.send("open", { setup });
  else if (room.session.opening > 0) room.opening();
  else room.send("open");
}

/** Keep the address at what is shown, so that it can be sent to others. @param {Frame} state */
function address(state) {
  if (typeof state.link !== "string") return;
  const now =
    state.link.length > 1 ? (state.link.startsWith("#") ? state.link : `#${state.link}`) : "#/network";
  if (location.hash !== now) history.replaceState(null, "", now);
}

/** A remedy of the session as a button. @param {Room} room @param {any} remedy */
function remedyOf(room, { label, do: doing, ...fields }) {
  return {
    label: has(`network.remedy.${label}`) ? t(`network.remedy.${label}`) : label,
    onClick: () => {
      room.say(null);
      room.send(doing, fields);
    },
  };
}

/** A file that was dropped or chosen: a model file, or else a table. @param {Room} room @param {File} file */
async function takeFile(room, file) {
  if (file.name.endsWith(".safetensors")) await sendModel(room.send, file);
  else await sendTable(room.send, file.name, await file.text());
}
