/**
 * The page: its shell, and the rooms.
 *
 * A room is `rooms/NAME.js` with a default export, a component that is given `{room}`; a stylesheet `rooms/NAME.css` is
 * loaded beside it where the module also exports `const styled = true`. Texts are under "NAME" in lang/*.json ("NAME.title",
 * "NAME.lead" and the room's own). What a room gets (`Room` below):
 *
 *     room.name                       "softmax"
 *     room.send("set", {...})         a message to the session; a promise of the first frame that answers it, or null where
 *                                     none does; what is refused is shown in the message line and gives null too
 *     room.ask("set", {...})          the same, but what is refused rejects with `Refused`, for who wants to show it
 *     room.onFrame((frame) => ...)    every frame of this room: frame.kind, frame.says..., frame.arrays.NAME (typed array),
 *                                     frame.shapes.NAME; returns what ends it. Ticks are acknowledged by the shell
 *     room.onOpen(() => ...)          called once connected and at each new connection: send "open" with the whole setup
 *                                     there, so that a restart of the server is survived; returns what ends it
 *     room.connection                 a number, another one at each new connection, whose session knows nothing yet
 *     room.say(text, buttons?, tone?) a line for the reader (or `Line`s of the session), with buttons [{label, onClick}]; tone "warning" (usual) or "note";
 *                                     room.say(null) takes it away
 *     room.session                    what the session says of itself: version, limits {part, upload}, opening (messages that wait)
 *     room.opening()                  do what the command was given, such as a table to begin with; frames follow
 *     room.query                      what followed `?` in the address, as URLSearchParams; room.remember({key: value})
 *                                     puts it there without a reload
 *
 *     import { html, useState, ... } from "../kit/html.js"        preact and htm
 *     import { Intro, useFrame, useRoom, newest, gathering } from "../kit/room.js"
 *                                                                 newest frame of a kind as a hook; drags, one at a time
 *     import { Slider, Select, NumberPick, Toggle, Segmented, Button, IconButton, RunButtons, useKeys, Popover, Field, short }
 *         from "../kit/controls.js"
 *     import { learn, useRuns } from "../kit/runs.js"             rooms that train: run, step, again, by buttons and keys
 *     import { usePlayer, PlayerBar } from "../kit/player.js"     what is worked out step by step: played, stepped, scrubbed
 *     import { useSetup, changing } from "../kit/setup.js"        setups that the address names and `open` says
 *     import { Canvas, sized, paintMaps, everyFrame } from "../kit/canvas.js"
 *     import { table, colourOf, signColour, classColour, classRGB, mixed, css } from "../kit/colour.js"
 *     import { Curve } from "../kit/curve.js"                     uPlot: log axis, read-out
 *     import { theme, onTheme, token, stillness } from "../kit/theme.js"
 *     import { Icon } from "../kit/icons.js"
 *     import { t, tOr, told, onLanguage } from "../i18n.js"       t("softmax.lead"), t("network.learnColumn", {name: "y"}),
 *                                                                 told(frame.message): what the session says, translated
 *
 * A room's own layout: `<div class="room NAME">` with `<${Intro} name="NAME" />` (title and lead) from kit/room.js, then panels
 * (`<section class="panel">`). Style by classes and by CSSOM (`style=${{...}}`), never by attributes in HTML text.
 * All that is drawn comes from frames: a room computes no result of its own.
 */
import { html, render, useEffect, useRef, useState } from "./kit/html.js";
import { Icon } from "./kit/icons.js";
import { IconButton, Button } from "./kit/controls.js";
import { applyTheme, onTheme, switchTheme, theme } from "./kit/theme.js";
import { LANGUAGES, language, onLanguage, preferred, speak, t, told } from "./i18n.js";
import { Refused, Socket } from "./socket.js";
import { exchangeToken, place, go } from "./address.js";

/**
 * @typedef {import("./frames.js").Frame} Frame
 * @typedef {import("./i18n.js").Line} Line
 * @typedef {{label: string, onClick: () => void}} Choice
 * @typedef {{text: Line | Line[], choices: Choice[], tone: "warning" | "note"}} Said
 * @typedef {{name: string, send: (doing: string, fields?: object) => Promise<Frame | null>,
 *   ask: (doing: string, fields?: object) => Promise<Frame | null>, onFrame: (listen: (frame: Frame) => void) => () => void,
 *   onOpen: (tell: () => void) => () => void, say: (text: Line | Line[] | null, choices?: Choice[], tone?: "warning" | "note") => void,
 *   session: Frame, readonly connection: number, opening: () => Promise<Frame | null>, query: URLSearchParams, remember: (values: Record<string, string | null>) => void}} Room
 */

/** The rooms of the course, in order. */
export const ROOMS = [
  "circuit",
  "perceptron",
  "network",
  "backpropagation",
  "tape",
  "softmax",
  "activations",
  "descent",
  "overfitting",
  "topology",
  "digits",
];

/**
 * @param {Socket} socket @param {Frame} session @param {string} name @param {(said: Said | null) => void} tell
 * @returns {Room}
 */
function makeRoom(socket, session, name, tell) {
  /** @type {Room["say"]} */
  const say = (text, choices = [], tone = "warning") => tell(text === null ? null : { text, choices, tone });
  /** @type {Room["ask"]} */
  const ask = (doing, fields) => socket.send(name, doing, fields);
  return {
    name,
    ask,
    say,
    session,
    get connection() {
      return socket.connections;
    },
    opening: () =>
      socket.send("", "opening").catch((error) => {
        say(error.line ?? error.message);
        return null;
      }),
    send: (doing, fields) =>
      ask(doing, fields).catch((error) => {
        if (!(error instanceof Refused)) throw error;
        say(error.line);
        return null;
      }),
    onFrame: (listen) => socket.listen(name, listen),
    onOpen: (tellOpen) =>
      socket.watch((status) => {
        if (status === "open") tellOpen();
      }),
    query: place().query,
    remember: (values) => {
      const { room, query } = place();
      for (const [key, value] of Object.entries(values))
        value === null ? query.delete(key) : query.set(key, value);
      history.replaceState(null, "", `#/${room}${[...query].length ? `?${query}` : ""}`);
    },
  };
}

/** Load a room's module, and its stylesheet where it has one. @param {string} name */
async function load(name) {
  const module = await import(`./rooms/${name}.js`);
  const href = `rooms/${name}.css`;
  if (module.styled && !document.querySelector(`link[href="${href}"]`)) {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    await new Promise((done) => {
      link.onload = link.onerror = done;
      document.head.append(link);
    });
  }
  return module.default;
}

/** Render again when the language or the theme changes. */
function useAppearance() {
  const [, again] = useState(0);
  useEffect(() => {
    const ends = [onLanguage(() => again((n) => n + 1)), onTheme(() => again((n) => n + 1))];
    return () => ends.forEach((end) => end());
  }, []);
}

/** @param {{rooms: string[], now: string}} props */
function Navigation({ rooms, now }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const strip = list.current,
      here = /** @type {HTMLElement | null | undefined} */ (strip?.querySelector("[aria-current]"));
    if (strip && here) strip.scrollLeft = here.offsetLeft - strip.clientWidth / 2 + here.clientWidth / 2;
  }, [now, language()]);
  const others = rooms.filter((name) => !ROOMS.includes(name));
  const listed = others.length && others.length === rooms.length ? others : [...others, ...ROOMS];
  return html`<nav class="rooms" aria-label=${t("shell.rooms")}><ol ref=${list}>
    ${listed.map(
      (name) =>
        html`<li key=${name}>${
          rooms.includes(name)
            ? html`<a href=${`#/${name}`} aria-current=${name === now ? "page" : undefined}>${t(`${name}.name`)}
                </a>`
            : html`<span class="absent" aria-disabled="true">${t(`${name}.name`)}</span>`
        }</li>`,
    )}
  </ol></nav>`;
}

/** @param {{rooms: string[], now: string}} props */
function Header({ rooms, now }) {
  const other = language() === "en" ? "ko" : "en";
  return html`<header class="top">
    <a class="brand" href="#/network" aria-label="minicolumn playground"><svg width="26" height="26"
        viewBox="0 0 32 32" aria-hidden="true"><g class="brand-lines"><path
        d="M7 10L16 7M7 10l9 9M7 22l9-15M7 22l9-3M16 7l9 9M16 19l9-3" /></g><circle class="neg" cx="7" cy="10"
        r="3.4" /><circle class="pos" cx="7" cy="22" r="3.4" /><circle class="pos" cx="16" cy="7" r="3.4" />
        <circle class="neg" cx="16" cy="19" r="3.4" /><circle class="pos" cx="25" cy="16" r="4" /></svg>
        <span>minicolumn</span></a>
    <${Navigation} rooms=${rooms} now=${now} />
    <div class="top-tools">
      <button type="button" class="language" lang=${other} onClick=${() => {
        localStorage.setItem("language", other);
        history.replaceState(null, "", location.pathname + location.hash); // ?lang= said another
        speak(other);
      }}>${LANGUAGES[other]}</button>
      <${IconButton} label=${t(theme() === "dark" ? "shell.light" : "shell.dark")}
          icon=${theme() === "dark" ? "sun" : "moon"} onClick=${switchTheme} />
    </div>
  </header>`;
}

/** @param {{said: Said | null, onClose: () => void}} props */
function MessageLine({ said, onClose }) {
  return html`<div class="message-place" role="status" aria-live="polite">${
    said &&
    html`<div class=${`message ${said.tone}`}>
    ${said.tone === "warning" && html`<${Icon} name="warning" size=${18} />`}<p>${told(said.text)}</p>
    ${said.choices.map(
      (choice) => html`<${Button} key=${choice.label} onClick=${choice.onClick}>${choice.label}
        <//>`,
    )}
    <${IconButton} label=${t("shell.close")} icon="close" size=${16} onClick=${onClose} />
  </div>`
  }</div>`;
}

/** @param {{socket: Socket}} props */
function App({ socket }) {
  useAppearance();
  const [session, setSession] = useState(/** @type {Frame | null} */ (null));
  const [locked, setLocked] = useState(false);
  /** @type {string[]} */
  const rooms = session?.rooms ?? [];
  const [status, setStatus] = useState(socket.status);
  const [where, setWhere] = useState({ ...place(), turn: 0 }); // another turn with each address that is gone to
  const [shown, setShown] = useState(
    /** @type {{name: string, View: any, room: Room, link: string | null, turn: number} | null} */ (null),
  );
  const [said, setSaid] = useState(/** @type {Said | null} */ (null));

  useEffect(
    () =>
      socket.watch((now) => {
        setStatus(now);
        if (now === "open")
          socket.send("", "hello").then((hello) => {
            if (hello) {
              setSession(hello);
              setLocked(false);
            }
          });
        if (now === "lost")
          fetch("token").then(
            (answer) => setLocked(answer.status === 403),
            () => setLocked(false),
          );
      }),
    [],
  );
  useEffect(() => {
    const move = () => setWhere(({ turn }) => ({ ...place(), turn: turn + 1 }));
    addEventListener("hashchange", move);
    return () => removeEventListener("hashchange", move);
  }, []);
  const name = rooms.length && !rooms.includes(where.room) ? rooms[0] : where.room;
  useEffect(() => {
    if (!session || !rooms.includes(name)) return;
    let left = false;
    setSaid(null);
    load(name).then(
      (View) => {
        if (!left) setShown({ ...where, name, View, room: makeRoom(socket, session, name, setSaid) });
      },
      (error) => setSaid({ text: `${name}: ${error.message}`, choices: [], tone: "warning" }),
    );
    return () => {
      left = true;
    };
  }, [name, rooms.join(), where.turn]);
  useEffect(() => {
    document.title = `${t(`${name}.name`)} · minicolumn`;
  });

  return html`<${Header} rooms=${rooms} now=${name} />
    ${
      status === "lost" &&
      html`<div class="lost" role="alert">${t(locked ? "shell.noCookie" : "shell.lost")}
        </div>`
    }
    <${MessageLine} said=${said} onClose=${() => setSaid(null)} />
    <main id="main">${
      shown &&
      shown.name === name &&
      html`<${shown.View} key=${`${name} ${shown.turn}`} room=${shown.room}
        link=${shown.link} />`
    }</main>`;
}

applyTheme();
const token = exchangeToken();
await Promise.all([token, speak(preferred())]);
const scheme = location.protocol === "https:" ? "wss" : "ws";
if (!location.hash) go("network");
render(
  html`<${App} socket=${new Socket(`${scheme}://${location.host}/socket`)} />`,
  /** @type {Element} */ (document.getElementById("app")),
);
