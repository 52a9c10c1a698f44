/**
 * The room `network`: the playground itself. Data, features, network and output side by side, the bar over them.
 *
 * What is drawn many times a second (maps, links, curves, numbers) is kept in `Live` and drawn on canvases; the page itself
 * is rendered anew with each `state` alone.
 */
import { html, useState } from "../kit/html.js";
import { Button, IconButton, Popover, useKeys } from "../kit/controls.js";
import { Icon } from "../kit/icons.js";
import { t } from "../i18n.js";
import { Bar } from "./network/bar.js";
import { Data } from "./network/data.js";
import { Exports, Formula, Goal, Help, Presets } from "./network/dialogs.js";
import { hides } from "./network/fields.js";
import { Editor, Inspector } from "./network/inspector.js";
import { Confusion, Losses } from "./network/loss.js";
import { More } from "./network/more.js";
import { LayerNorms } from "./network/norms.js";
import { Output } from "./network/output.js";
import { Plane } from "./network/plane.js";
import { useSession } from "./network/session.js";
import { Stage } from "./network/stage.js";
import { Summary } from "./network/summary.js";
import { Columns, OwnData, useDrop } from "./network/table.js";

export const styled = true;

/**
 * @typedef {import("../app.js").Room} Room
 * @typedef {{what: string, at: {x: number, y: number}}} Dialog
 */

/** @param {{room: Room, link: string | null}} props */
export default function NetworkRoom({ room, link }) {
  const session = useSession(room, link);
  const { live, state, running, speed, selected, select, columns, summary, act } = session;
  const [point, setPoint] = useState(/** @type {[number, number] | null} */ (null));
  const [editing, setEditing] = useState(/** @type {any} */ (null));
  const [dialog, setDialog] = useState(/** @type {Dialog | null} */ (null));
  const help = () => setDialog({ what: "help", at: { x: innerWidth / 2, y: 120 } });
  useKeys({ " ": act.run, s: act.step, r: act.reset, "?": help, Escape: () => select(null) });
  const over = useDrop(act.takeFile);
  if (!state) return html`<div class="room network"><p class="waiting">${t("shell.connecting")}</p></div>`;

  const show = (/** @type {string} */ what) => (/** @type {any} */ e) => setDialog({ what, at: placeOf(e) });
  const paint = (/** @type {object} */ fields) => room.send("points", fields);
  return html`<div class="room network">
    <h1 class="sr">${t("network.title")}</h1>
    <${Bar} live=${live} state=${state} running=${running} speed=${speed} set=${act.set}
      act=${{ ...act, goal: show("goal") }} />
    <div class="desk">
      <${Data} state=${state} set=${act.set} act=${act} onTable=${show("own")} />
      <section class="network-column" aria-label=${t("network.network")}>
        <${Head} send=${act.send} state=${state} show=${show} onSummary=${act.summary} />
        <${Stage} live=${live} state=${state} set=${act.set} send=${act.send} selected=${selected}
          onEdit=${setEditing} onSelect=${select} onFormula=${show("formula")} />
        ${
          selected
            ? html`<${Inspector} live=${live} state=${state} neuron=${selected} point=${point}
                ask=${room.ask} send=${act.edit} onClose=${() => select(null)} />`
            : !hides(state, "text") && !state.whole && html`<p class="hint">${t("network.hint")}</p>`
        }
        ${!state.whole && html`<${LayerNorms} live=${live} state=${state} room=${room} />`}
      </section>
      <div class="output-column">
        <${Losses} live=${live} state=${state} />
        <${Output} live=${live} state=${state} set=${act.set} paint=${paint} selected=${selected}
          onPoint=${setPoint} />
        <${Plane} state=${state} send=${room.send} />
        ${state.classes.length > 1 && html`<${Confusion} live=${live} state=${state} />`}
      </div>
    </div>
    ${
      editing &&
      html`<${Editor} live=${live} state=${state} what=${editing} send=${act.edit}
        onClose=${() => setEditing(null)} />`
    }
    ${summary && html`<${Summary} summary=${summary} onClose=${act.putAway} />`}
    ${columns && html`<${Columns} columns=${columns} onClose=${act.forget} onLearn=${act.learn} />`}
    ${
      dialog &&
      html`<${Shown} ...${dialog} room=${room} state=${state} act=${act}
        onClose=${() => setDialog(null)} />`
    }
    ${
      over &&
      html`<div class="drop" aria-hidden="true"><${Icon} name="upload" size=${40} /><p>${t("network.dropHere")}
          </p></div>`
    }
  </div>`;
}

/** Over the network: how many layers, and what else can be done. @param {any} props */
function Head({ send, state, show, onSummary }) {
  const count = state.setup.units.length;
  if (state.whole) {
    return html`<div class="network-head"><div class="layers-count"><h2>${t("network.whole")}</h2>
      <span class="note">${t("network.parameters", { count: state.parameters.toLocaleString() })}</span></div>
      <${Tools} show=${show}><${Button} kind="quiet" onClick=${onSummary}>${t("network.wholeLayers")}<//><//>
      <p class="note whole">${t("network.wholeWhy")}</p></div>`;
  }
  return html`<div class="network-head">
    <div class="layers-count">
      ${
        !hides(state, "units") &&
        html`<${IconButton} icon="minus" size=${15} label=${t("network.fewerLayers")} disabled=${!count}
            onClick=${() => send("layer", { at: count - 1, add: false })} />
          <${IconButton} icon="plus" size=${15} label=${t("network.moreLayers")} disabled=${count >= 10}
            onClick=${() => send("layer", { at: count, add: true, units: 2 })} />`
      }
      <h2>${t("network.hiddenLayers", { count })}</h2>
      <span class="note">${t("network.parameters", { count: state.parameters.toLocaleString() })}</span>
    </div>
    <${Tools} show=${show} />
  </div>`;
}

/** @param {{show: (what: string) => any, children?: any}} props */
function Tools({ show, children }) {
  return html`<div class="network-tools">${children}
    <${Button} kind="quiet" onClick=${show("presets")}>${t("network.presets")}<//>
    <${Button} kind="quiet" onClick=${show("more")}>${t("network.moreSettings")}<//>
    <${Button} kind="quiet" icon="download" onClick=${show("export")}>${t("network.export")}<//>
    <${IconButton} icon="help" label=${`${t("network.help")} (?)`} onClick=${show("help")} />
  </div>`;
}

/** The dialog that is open. @param {any} props */
function Shown({ what, at, room, state, act, onClose }) {
  switch (what) {
    case "own":
      return html`<${OwnData} at=${at} onFile=${act.takeFile} onText=${act.takeText} onClose=${onClose} />`;
    case "help":
      return html`<${Help} at=${at} onClose=${onClose} />`;
    case "goal":
      return html`<${Goal} at=${at} onClose=${onClose}
        onRun=${(/** @type {object} */ goal) => {
          onClose();
          act.runTo(goal);
        }} />`;
    case "export":
      return html`<${Exports} at=${at} state=${state} ask=${room.send} onClose=${onClose} />`;
    case "formula":
      return html`<${Formula} at=${at} ask=${room.ask} features=${state.setup.features}
        table=${state.setup.dataset === "table"} set=${act.set}
        onClose=${onClose} />`;
    case "presets":
      return html`<${Presets} at=${at} room=${room} onClose=${onClose} />`;
    default:
      return html`<${Popover} at=${at} label=${t("network.moreSettings")} onClose=${onClose} class="more">
        <h3>${t("network.moreSettings")}</h3><${More} state=${state} set=${act.set} /><//>`;
  }
}

/** Where a dialog opens: under what was pressed. @param {any} e */
function placeOf(e) {
  const area = e.currentTarget.getBoundingClientRect();
  return { x: area.left + area.width / 2, y: area.bottom - 8 };
}
