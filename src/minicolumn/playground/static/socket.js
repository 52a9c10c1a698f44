/**
 * The page's one WebSocket: messages out as JSON, frames in as binary, a promise for each answer, and connected anew
 * by itself when the server went away.
 */
import { decoded } from "./frames.js";
import { told } from "./i18n.js";
import { wake } from "./kit/canvas.js";

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {"connecting" | "open" | "lost"} Status */

const ANSWER_WITHIN = 8_000; // ms, until the session is asked whether it has come past a message
const WAITS = [250, 500, 1_000, 2_000, 4_000]; // ms before the next try

/** What a session refuses, in one line. */
export class Refused extends Error {
  /** @param {import("./i18n.js").Line} line */
  constructor(line) {
    super(told(line));
    this.line = line;
  }
}

export class Socket {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    /** @type {Status} */
    this.status = "connecting";
    this.tries = 0;
    /** How often it was connected: another number is another session. */
    this.connections = 0;
    this.number = 0;
    /** @type {Map<number, {resolve: (frame: Frame | null) => void, reject: (error: Error) => void, timer: number}>} */
    this.waiting = new Map();
    /** @type {Map<string, Set<(frame: Frame) => void>>} */
    this.listeners = new Map();
    /** @type {Set<(status: Status) => void>} */
    this.watchers = new Set();
    this.connect();
  }

  connect() {
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.tries = 0;
      this.connections++;
      this.become("open");
    };
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.hear(decoded(data));
    };
    socket.onclose = () => this.lose(socket);
    this.socket = socket;
  }

  /** @param {WebSocket} socket */
  lose(socket) {
    if (socket !== this.socket) return;
    for (const { resolve, timer } of this.waiting.values()) {
      clearTimeout(timer);
      resolve(null);
    }
    this.waiting.clear();
    this.become("lost");
    setTimeout(() => this.connect(), WAITS[Math.min(this.tries++, WAITS.length - 1)]);
  }

  /** @param {Status} status */
  become(status) {
    this.status = status;
    for (const tell of this.watchers) tell(status);
  }

  /**
   * Say something to a room; the promise gives the first frame that answers it, however long that takes.
   *
   * A session answers in order: what it has come past without an answer has none, such as `speed`. Where nothing later is
   * said, `hello` is, so that a session that is busy is not taken for one that has no answer.
   *
   * Refused   what the session does not accept, with its one line
   * @param {string} room @param {string} doing @param {object} fields
   * @returns {Promise<Frame | null>} null where nothing answered, or the connection was lost
   */
  send(room, doing, fields = {}) {
    if (this.status !== "open" || !this.socket) return Promise.resolve(null);
    const id = ++this.number;
    this.socket.send(JSON.stringify({ ...(room ? { room } : {}), do: doing, id, ...fields }));
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => {
        this.send("", "hello").catch(() => null);
      }, ANSWER_WITHIN);
      this.waiting.set(id, { resolve, reject, timer });
    });
  }

  /** @param {Frame} frame */
  hear(frame) {
    wake();
    for (const listen of this.listeners.get(frame.room) ?? []) listen(frame);
    if (frame.kind === "tick") this.acknowledge(frame);
    if (frame.id !== undefined) this.settle(frame.id, frame);
  }

  /** Give an answer to who waits for it, and none to those who asked earlier. @param {number} id @param {Frame} frame */
  settle(id, frame) {
    for (const [asked, { resolve, reject, timer }] of this.waiting) {
      if (asked > id) break;
      this.waiting.delete(asked);
      clearTimeout(timer);
      if (asked < id) resolve(null);
      else if (frame.kind === "error") reject(new Refused(frame.message));
      else resolve(frame);
    }
  }

  /** Tell the server that a tick was drawn, once the frame that draws it is over. @param {Frame} frame */
  acknowledge(frame) {
    const { socket } = this;
    requestAnimationFrame(() => {
      if (socket?.readyState === WebSocket.OPEN)
        socket.send(JSON.stringify({ do: "seen", tick: frame.tick }));
    });
  }

  /** @param {string} room @param {(frame: Frame) => void} listen @returns {() => void} what ends it */
  listen(room, listen) {
    if (!this.listeners.has(room)) this.listeners.set(room, new Set());
    this.listeners.get(room)?.add(listen);
    return () => {
      this.listeners.get(room)?.delete(listen);
    };
  }

  /** Call now, if connected, and at each new connection. @param {(status: Status) => void} tell @returns {() => void} */
  watch(tell) {
    this.watchers.add(tell);
    tell(this.status);
    return () => {
      this.watchers.delete(tell);
    };
  }
}
