/**
 * What the room says and hears: frames into `Live` and the page, the first word at each connection, the address.
 *
 * @typedef {import("../../app.js").Room} Room
 * @typedef {import("../../frames.js").Frame} Frame
 * @typedef {import("./model.js").Neuron} Neuron
 */
import { useCallback, useEffect, useMemo, useRef, useState } from "../../kit/html.js";
import { gathering, newest } from "../../kit/room.js";
import { stillness } from "../../kit/theme.js";
import { has, t } from "../../i18n.js";
import { sendModel } from "./files.js";
import { Live } from "./model.js";
import { sendTable } from "./table.js";

/** What outlives a visit to another room: all that is drawn. @type {{live: Live | null}} */
const kept = { live: null };

/** A reader who only looks sees it learn: so far, in steps a second that can be watched. */
const ARRIVAL = { epochs: 120, speed: 500 };

/**
 * The room's state for the page, and what can be done.
 * @param {Room} room @param {string | null} link
 */
export function useSession(room, link) {
  const live = useMemo(() => (kept.live ??= new Live()), []);
  const [state, setState] = useState(/** @type {any} */ (live.state));
  const [running, setRunning] = useState(false);
  const [speed, setSpeed] = useState(/** @type {number | null} */ (null));
  const [selected, setSelected] = useState(/** @type {Neuron | null} */ (null));
  const [columns, setColumns] = useState(/** @type {any} */ (null));
  const [summary, setSummary] = useState(/** @type {Frame | null} */ (null));
  const arriving = useRef(false);
  const pace = useRef(speed);
  pace.current = speed;

  useEffect(() => {
    /** @param {Frame} frame */
    const take = (frame) => {
      if (frame.reset && `${frame.setup.units}` !== `${live.state?.setup.units}`) live.selected = null;
      live.takeState(frame);
      setState(live.state);
      setSelected(live.selected);
      room.say(frame.said?.length ? frame.said.join(" ") : null, [], "note");
      address(frame);
    };
    /** @param {Frame} tick */
    const move = (tick) => {
      const ended = Boolean(live.tick?.running) && !tick.running;
      live.takeTick(tick);
      setRunning(tick.running);
      if (!ended) return;
      if (arriving.current) {
        arriving.current = false;
        room.send("speed", { steps_per_second: pace.current });
      } else tellEnd(room, tick.stopped);
    };
    const diverged = (/** @type {Frame} */ frame) =>
      room.say(
        frame.message,
        frame.remedies.map((/** @type {any} */ remedy) => remedyOf(room, remedy)),
      );
    /** @type {Record<string, (frame: Frame) => void>} */
    const hear = { state: take, tick: move, diverged, columns: setColumns, summary: setSummary };
    return room.onFrame((frame) => hear[frame.kind]?.(frame));
  }, [room]);

  useEffect(() => {
    let first = true;
    const end = room.onOpen(() => {
      if (first && live.state && !link) room.send("set", { changes: {} });
      else if (open(room, first ? link : null, live.state?.setup) && !stillness()) {
        arriving.current = true;
        room.send("speed", { steps_per_second: ARRIVAL.speed });
        room.send("run", { epochs: ARRIVAL.epochs });
      } else if (pace.current !== null) room.send("speed", { steps_per_second: pace.current });
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
  const act = useMemo(() => {
    const begin = (/** @type {string} */ doing, /** @type {object} */ fields = {}) => {
      room.say(null);
      return room.send(doing, fields);
    };
    const set = gathering(room);
    return {
      set,
      send: async (/** @type {string} */ doing, /** @type {object} */ fields = {}) => {
        await set.settled();
        return room.send(doing, fields);
      },
      edit: newest(room),
      run: () => begin(live.tick?.running ? "pause" : "run"),
      runTo: (/** @type {object} */ goal) => begin("run", goal),
      step: () => begin("step"),
      reset: () => begin("reset"),
      again: () => begin("reset", { same: true }),
      regenerate: () => room.send("regenerate"),
      speed: (/** @type {number | null} */ value) => {
        arriving.current = false;
        setSpeed(value);
        room.send("speed", { steps_per_second: value });
      },
      takeFile: (/** @type {File} */ file) => takeFile(room, file),
      takeText: (/** @type {string} */ name, /** @type {string} */ text) => sendTable(room.send, name, text),
      learn: (/** @type {string} */ column, /** @type {string | null} */ task) => {
        setColumns(null);
        begin("target", { column, ...(task ? { task } : {}) });
      },
      forget: () => setColumns(null),
      putAway: () => setSummary(null),
    };
  }, [room]);
  return { live, state, running, speed, selected, select, columns, summary, act };
}

/**
 * Begin: by a link, by what was there before the connection was lost, by what the command was given, or as it comes.
 * @param {Room} room @param {string | null} link @param {any} setup
 * @returns {boolean} whether it begins as it comes
 */
function open(room, link, setup) {
  const own = setup && (setup.dataset === "own" || setup.dataset === "table");
  if (link) room.send("open", { link });
  else if (setup && !own) room.send("open", { setup });
  else if (room.session.opening > 0) room.opening();
  else room.send("open");
  return !link && !setup && !(room.session.opening > 0);
}

/** Keep the address at what is shown, so that it can be sent to others. @param {Frame} state */
function address(state) {
  if (typeof state.link !== "string") return;
  const said = state.link.replace(/^#/, "");
  const now = said ? `#${said}` : "#/network";
  if (location.hash !== now) history.replaceState(null, "", now);
}

/** Say why a run ended by itself. @param {Room} room @param {string | null} why */
function tellEnd(room, why) {
  const key = `network.stopped.${String(why).replaceAll(" ", "_")}`;
  if (why && why !== "diverged" && has(key)) room.say(t(key), [], "note");
}

/** A remedy of the session as a button. @param {Room} room @param {any} remedy */
function remedyOf(room, { label, do: doing, ...fields }) {
  const key = `network.remedy.${label}`;
  const onClick = () => {
    room.say(null);
    room.send(doing, fields);
  };
  return { label: has(key) ? t(key) : label, onClick };
}

/** A file that was dropped or chosen: a model file, or else a table. @param {Room} room @param {File} file */
async function takeFile(room, file) {
  const most = room.session.limits?.upload ?? Infinity;
  if (file.size > most) {
    room.say(t("network.tooLarge", { name: file.name, most: Math.floor(most / 2 ** 20) }));
    return;
  }
  if (file.name.endsWith(".safetensors")) await sendModel(room.send, file);
  else await sendTable(room.send, file.name, await file.text());
}
