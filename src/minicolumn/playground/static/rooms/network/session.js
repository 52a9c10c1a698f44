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
import { place } from "../../address.js";
import { Refused } from "../../socket.js";
import { beginning, goOn, leaving, leftFor, standing } from "./again.js";
import { sendFile } from "./files.js";
import { Live } from "./model.js";
import { sendTable } from "./table.js";

/**
 * What outlives a visit to another room: all that is drawn, to which connection it belongs, and what it came from.
 * @type {import("./again.js").Kept}
 */
const kept = { live: null, connection: 0, data: [], past: null };
leaving(kept);

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
  const told = useRef(/** @type {Frame | null} */ (null)); // the newest summary
  const deaf = useRef(false); // while a session is told what was: its states on the way are not those of the page
  const followed = useRef(false); // whether the link, if there is one, was answered: a connection may be lost before
  const named = useRef(link); // what the address said when it was last looked at
  const hear = useRef(/** @type {Record<string, (frame: Frame) => void>} */ ({}));

  useEffect(() => {
    /** @param {Frame} frame */
    const take = (frame) => {
      if (frame.reset && `${frame.setup.units}` !== `${live.state?.setup.units}`) live.selected = null;
      if (frame.reset) kept.past = null;
      live.takeState(frame);
      setState(live.state);
      setSelected(live.selected);
      room.say(frame.said?.length ? frame.said : null, [], "note");
      if (followed.current) named.current = address(frame, named.current);
    };
    /** @param {Frame} tick */
    const move = (tick) => {
      const ended = Boolean(live.tick?.running) && !tick.running;
      live.takeTick(tick);
      kept.past = null;
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
    /** Of a network that is drawn, if as a whole, it is told when it is asked for. @param {Frame} frame */
    const tellSummary = (frame) => {
      told.current = frame;
      if (!live.state?.whole) setSummary(frame);
    };
    hear.current = { state: take, tick: move, diverged, columns: setColumns, summary: tellSummary };
    return room.onFrame((frame) => {
      if (!deaf.current) hear.current[frame.kind]?.(frame);
    });
  }, [room]);

  useEffect(() => {
    /** Say something; where it is refused, begin as it comes, if nothing is shown yet, and say why. @param {() => Promise<any>} saying */
    const attempt = async (saying) => {
      try {
        if (await saying()) followed.current = true;
        if (followed.current && live.state) named.current = address(live.state, named.current);
      } catch (error) {
        deaf.current = false;
        kept.past = null;
        followed.current = true;
        if (!(error instanceof Refused)) throw error;
        if (!live.state || kept.connection !== room.connection) await room.send("open");
        room.say(error.line);
      }
      kept.connection = room.connection;
      if (!arriving.current && pace.current !== null) room.send("speed", { steps_per_second: pace.current });
    };
    const begin = async () => {
      if (room.session.opening > 0) {
        await room.ask("open"); // something to see where a column has to be chosen first, or nothing can be drawn
        return room.opening();
      }
      arriving.current = !stillness();
      if (!arriving.current) return room.ask("open");
      room.send("open");
      room.send("speed", { steps_per_second: ARRIVAL.speed });
      return room.send("run", { epochs: ARRIVAL.epochs });
    };
    /** @param {import("./again.js").Past} past */
    const resume = async (past) => {
      deaf.current = true;
      kept.past = past;
      kept.data = past.data;
      const state = await goOn(room, past);
      deaf.current = false;
      if (state) hear.current.state(state);
      return state;
    };
    const end = room.onOpen(() => {
      const known = kept.past ?? live.state;
      const follows = !followed.current && link && link !== known?.link ? link : null;
      followed.current ||= !follows;
      const past = known ? (follows ? null : standing(kept)) : leftFor(link);
      if (past && live.state && kept.connection === room.connection) room.send("set", { changes: {} });
      else if (past) attempt(() => resume(past));
      else if (follows) attempt(() => room.ask("open", { link: follows }));
      else attempt(begin);
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
    /** @type {import("./again.js").Message[]} the newest file, as it was sent */
    let parts = [];
    const recorded = async (/** @type {string} */ doing, /** @type {any} */ fields) => {
      if (fields.part === 0) parts = [];
      const sent = (parts = [...parts, [doing, fields]]);
      const answer = await room.send(doing, fields);
      if (doing === "load" && answer?.kind === "state") kept.data = sent;
      return answer;
    };
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
      takeFile: (/** @type {File} */ file) => takeFile(room, recorded, file),
      takeText: (/** @type {string} */ name, /** @type {string} */ text) => sendTable(recorded, name, text),
      learn: async (/** @type {string} */ column, /** @type {string | null} */ task) => {
        setColumns(null);
        const first = live.state ? [beginning(live.state)] : [];
        const said = { column, ...(task ? { task } : {}) };
        if (await begin("target", said)) kept.data = [...first, ...parts, ["target", said]];
      },
      forget: () => setColumns(null),
      summary: () => setSummary(told.current),
      putAway: () => setSummary(null),
    };
  }, [room]);
  return { live, state, running, speed, selected, select, columns, summary, act };
}

/**
 * Keep the address at what is shown, so that it can be sent to others; where it was changed meanwhile, by hand or to another
 * room, that is on its way and stays.
 * @param {Frame} state @param {string | null} named  what it said when it was last looked at
 * @returns {string | null} what it says now
 */
function address(state, named) {
  const { room, link } = place();
  if (typeof state.link !== "string" || room !== "network" || link !== named) return named;
  const said = state.link.replace(/^#/, "");
  const now = said ? `#${said}` : "#/network";
  if (location.hash !== now) history.replaceState(null, "", now);
  return place().link;
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

/** A file that was dropped or chosen: a model file, or else a table. @param {Room} room @param {Room["send"]} send @param {File} file */
async function takeFile(room, send, file) {
  const most = room.session.limits?.upload ?? Infinity;
  if (!file.size) {
    room.say(t("said.emptyFile", { name: file.name }));
    return;
  }
  if (file.size > most) {
    room.say(t("network.tooLarge", { name: file.name, most: Math.floor(most / 2 ** 20) }));
    return;
  }
  await sendFile(send, file.name.endsWith(".safetensors") ? "load" : "table", file);
}
