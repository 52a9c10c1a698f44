/**
 * The room `circuit`: McCulloch and Pitts' neurons of 1943, built by hand until their truth table is the one that is wanted.
 * Untouched, it walks through the rows of the table.
 */
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../kit/html.js";
import { Button, IconButton, Segmented, useKeys } from "../kit/controls.js";
import { Icon } from "../kit/icons.js";
import { Intro, useFrame } from "../kit/room.js";
import { stillness } from "../kit/theme.js";
import { t } from "../i18n.js";
import { Board } from "./circuit/board.js";
import { Inspector } from "./circuit/inspector.js";
import { linkOf, linked, newName, ordered, reachedFrom } from "./circuit/plan.js";
import { Table } from "./circuit/table.js";

export const styled = true;

/** @typedef {import("../app.js").Room} Room @typedef {import("../frames.js").Frame} Frame @typedef {import("./circuit/plan.js").Neuron} Neuron */

const EVERY = 1_500; // ms that each row is shown
const NEXT = { none: "excites", excites: "inhibits", inhibits: "none" };
/** What was built for the last goal: it outlives a visit to another room, and a new connection. @type {{said: any}} */
const kept = { said: null };

/** A state with its bits by name. @param {Frame} state */
function readable(state) {
  const { inputs, outputs, neurons, goal, goals, reached, limits, arrays } = state;
  const names = neurons.map((/** @type {Neuron} */ n) => n.name), rows = arrays.rows.length / inputs.length;
  const at = (/** @type {string} */ key, /** @type {string} */ name, /** @type {number} */ row) => arrays[key][row * names.length + names.indexOf(name)];
  const bit = (/** @type {string} */ key, /** @type {number} */ row, /** @type {number} */ i) => arrays[key][row * outputs.length + i];
  return {
    inputs, outputs, neurons, goal, goals, reached, limits, rows,
    on: (/** @type {string} */ name, /** @type {number} */ row) => (inputs.includes(name) ? arrays.rows[row * inputs.length + inputs.indexOf(name)] : at("fires", name, row)),
    sum: (/** @type {string} */ name, /** @type {number} */ row) => at("sums", name, row),
    held: (/** @type {string} */ name, /** @type {number} */ row) => at("forbidden", name, row) === 1,
    answer: (/** @type {number} */ row, /** @type {number} */ i) => bit("answers", row, i),
    want: (/** @type {number} */ row, /** @type {number} */ i) => bit("wanted", row, i),
    right: (/** @type {number} */ row) => outputs.every((/** @type {string} */ _, /** @type {number} */ i) => bit("answers", row, i) === bit("wanted", row, i)),
  };
}

/** Open at each connection, with what was built. @param {Room} room */
function useCircuit(room) {
  const state = useFrame(room, "state", (frame) => {
    const neurons = frame.neurons.map(plain);
    kept.said = { goal: frame.goal, neurons, outputs: frame.outputs };
  });
  useEffect(() => {
    let asked = room.query.get("goal"); // by the address, once: what is built from then on stays
    return room.onOpen(async () => {
      const before = asked && asked !== kept.said?.goal ? null : kept.said, goal = before?.goal ?? asked;
      asked = null;
      (await room.send("open", goal ? { goal } : {})) ?? (await room.send("open"));
      if (before) await room.send("build", { neurons: before.neurons, outputs: before.outputs });
    });
  }, [room]);
  return useMemo(() => state && readable(state), [state]);
}

const plain = (/** @type {Neuron} */ { name, excitatory, inhibitory, threshold }) => ({ name, excitatory, inhibitory, threshold });

/** @param {{room: Room}} props */
export default function CircuitRoom({ room }) {
  const circuit = useCircuit(room);
  const [row, setRow] = useState(0), [walking, setWalking] = useState(!stillness());
  const [selected, setSelected] = useState(/** @type {string | null} */ (null));
  const rows = circuit?.rows ?? 0, shown = row < rows ? row : 0;
  useEffect(() => {
    if (!walking || !rows) return;
    const timer = setInterval(() => setRow((now) => (now + 1) % rows), EVERY);
    return () => clearInterval(timer);
  }, [walking, rows]);
  const look = useCallback((/** @type {number} */ next) => { setWalking(false); setRow(next); }, []);
  const step = () => look((shown + 1) % Math.max(1, rows));
  const now = useRef(circuit);
  now.current = circuit;

  const act = useMemo(() => ({
    build: (/** @type {Neuron[]} */ neurons) => {
      const was = now.current;
      if (was) { room.say(null); room.send("build", { neurons: ordered(neurons, was.inputs).map(plain), outputs: was.outputs }); }
    },
    change: (/** @type {Neuron} */ next) => act.build((now.current?.neurons ?? []).map((/** @type {Neuron} */ n) => (n.name === next.name ? next : n))),
    link: (/** @type {string} */ from, /** @type {string} */ to, /** @type {any} */ kind) => {
      const neurons = /** @type {Neuron[]} */ (now.current?.neurons ?? []), neuron = neurons.find((n) => n.name === to);
      if (!neuron) return;
      if (reachedFrom(neurons, to).has(from)) { room.say(t("circuit.loop", { from, to }), [], "note"); return; }
      act.change(linked(neuron, from, kind ?? NEXT[linkOf(neuron, from)]));
      setSelected(to);
    },
    connect: (/** @type {string} */ from, /** @type {string} */ to) => act.link(from, to, "excites"),
    cycle: (/** @type {string} */ from, /** @type {string} */ to) => act.link(from, to, null),
    add: () => {
      const { inputs = [], neurons = [] } = now.current ?? {}, names = neurons.map((/** @type {Neuron} */ n) => n.name);
      const name = newName([...inputs, ...names]);
      act.build([{ name, excitatory: [...inputs], inhibitory: [], threshold: 1, layer: 1, text: "" }, ...neurons]);
      setSelected(name);
    },
    remove: (/** @type {string} */ name) => {
      const left = /** @type {Neuron[]} */ (now.current?.neurons ?? []).filter((n) => n.name !== name);
      act.build(left.map((n) => linked(n, name, "none")));
      setSelected(null);
    },
    goal: (/** @type {string} */ goal) => { begin("open", goal); room.remember({ goal }); },
  }), [room]);
  const begin = (/** @type {string} */ doing, /** @type {string} */ goal) => { 
    room.say(doing === "solve" && goal !== "half_adder" ? t("circuit.recipe") : null, [], "note");
    setSelected(null);
    setRow(0);
    setWalking(true);
    room.send(doing, { goal });
  };
  const walk = () => setWalking((on) => !on);
  useKeys({ " ": walk, s: step, r: () => circuit && begin("open", circuit.goal) });
  if (!circuit) return html`<div class="room circuit"><${Intro} name="circuit" /></div>`;

  const chosen = circuit.neurons.find((/** @type {Neuron} */ n) => n.name === selected) ?? circuit.neurons.find((/** @type {Neuron} */ n) => circuit.outputs.includes(n.name));
  const flip = (/** @type {string} */ name) => look(rowWith(circuit, shown, name));
  const next = circuit.goals[circuit.goals.indexOf(circuit.goal) + 1];
  const right = Array.from({ length: rows }, (_, r) => circuit.right(r)).filter(Boolean).length;
  return html`<div class="room circuit"><${Intro} name="circuit" />
    <div class="goals"><span class="goals-label">${t("circuit.goal")}</span><${Segmented} label=${t("circuit.goal")} value=${circuit.goal} options=${circuit.goals.map((/** @type {string} */ value) => ({ value, label: t(`circuit.goals.${value}`) }))} onChange=${act.goal} /></div>
    <div class="circuit-desk">
      <section class="panel board-panel" aria-label=${t("circuit.board")}>
        <header><p class="task">${t(`circuit.task.${circuit.goal}`)}</p>
          <div class="board-tools"><${Button} icon="plus" onClick=${act.add} disabled=${circuit.neurons.length >= circuit.limits.neurons}>${t("circuit.add")}<//>
            <${Button} kind="quiet" onClick=${() => begin("solve", circuit.goal)}>${t("circuit.solve")}<//>
            <${IconButton} icon="reset" label=${`${t("circuit.again")} (R)`} onClick=${() => begin("open", circuit.goal)} /></div></header>
        <${Board} circuit=${circuit} row=${shown} selected=${chosen?.name ?? null} onSelect=${setSelected} onInput=${flip} onLink=${act.connect} onWire=${act.cycle} />
        <footer class="legend"><span class="key excites"><${Sample} kind="excites" />${t("circuit.legend.excites")}</span><span class="key inhibits"><${Sample} kind="inhibits" />${t("circuit.legend.inhibits")}</span><span class="note">${t("circuit.how")}</span></footer>
      </section>
      <div class="circuit-side">
        <section class="panel table-panel" aria-label=${t("circuit.table")}>
          <header><h2>${t("circuit.table")}</h2><div class="walk"><${IconButton} icon=${walking ? "pause" : "play"} label=${`${t(walking ? "circuit.stop" : "circuit.walk")} (${t("shell.space")})`} onClick=${walk} /><${IconButton} icon="step" label=${`${t("circuit.next")} (S)`} onClick=${step} /></div></header>
          <${Table} circuit=${circuit} row=${shown} onRow=${look} />
          <div class=${`verdict ${circuit.reached ? "reached" : ""}`}><p role="status">${circuit.reached && html`<${Icon} name="check" size=${18} />`}${t(circuit.reached ? "circuit.reached" : "circuit.notYet", { right, rows })}</p>
            ${circuit.reached && next && html`<${Button} onClick=${() => act.goal(next)}>${t("circuit.nextGoal", { goal: t(`circuit.goals.${next}`) })}<//>`}</div>
        </section>
        ${chosen && html`<${Inspector} circuit=${circuit} row=${shown} neuron=${chosen} onChange=${act.change} onRemove=${() => act.remove(chosen.name)} />`}
      </div>
    </div></div>`;
}

/** The row that differs in one input alone. @param {any} circuit @param {number} row @param {string} name */
function rowWith(circuit, row, name) {
  const same = (/** @type {number} */ r) => circuit.inputs.every((/** @type {string} */ input) => (circuit.on(input, r) === circuit.on(input, row)) !== (input === name));
  return Array.from({ length: circuit.rows }, (_, r) => r).find(same) ?? row;
}

/** A wire of the legend. @param {{kind: string}} props */
const Sample = ({ kind }) => html`<svg width="38" height="14" viewBox="0 0 38 14" aria-hidden="true"><g class=${`wire ${kind} lit`}><path class="line" d="M1 7H27" />${kind === "inhibits" ? html`<circle class="end" cx="30" cy="7" r="5" />` : html`<path class="end" d="M26 1.500l10 5.500l-10 5.500z" />`}</g></svg>`;
