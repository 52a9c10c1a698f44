/**
 * What a session has to be told to go on where the page stands: after the server was started anew, and after the page was
 * loaded anew, which leaves it in the tab's storage.
 *
 * @typedef {import("../../app.js").Room} Room
 * @typedef {import("../../frames.js").Frame} Frame
 * @typedef {import("./model.js").Live} Live
 * @typedef {[doing: string, fields: object]} Message
 * @typedef {{link: string, data: Message[], open: object}} Past
 *     data: the messages that bring the points; open: what is said then
 * @typedef {{live: Live | null, connection: number, data: Message[], past: Past | null}} Kept
 *     data: the messages that brought a table or a model; past: what a session is being told, until it is drawn again
 */
import { leave, left } from "../../kit/left.js";
import { base64 } from "./files.js";

const STORED = "network";

/**
 * @param {Live} live @param {Message[]} data  the messages that brought a table or a model
 * @returns {Past | null}  null where there is nothing to go on from
 */
function pastOf(live, data) {
  const { state, tick, weights } = live;
  if (!state) return null;
  const own = state.setup.dataset === "own",
    plain = own && state.columns.join() === "x1,x2";
  const dataOf = () => {
    if (state.whole) return plain ? [...data, painted(state)] : data;
    if (plain) return [beginning(state), painted(state)];
    return own || state.setup.dataset === "table" ? data : [];
  };
  const hides = (state.hidden ?? []).map((/** @type {string} */ name) => `${encodeURIComponent(name)}_hide=true`);
  return {
    link: state.link,
    data: dataOf(),
    open: {
      setup: state.setup,
      ...(hides.length ? { link: `#${hides.join("&")}` } : {}),
      ...(tick && weights ? { weights: base64(new Uint8Array(weights.slice().buffer)), epoch: tick.epoch, step: tick.step } : {}),
    },
  };
}

/** The points that were painted, as a message. @param {Frame} state @returns {Message} */
function painted(state) {
  const { points, targets, held } = state.arrays;
  const rows = Array.from(targets, (target, i) => [
    points[2 * i],
    points[2 * i + 1],
    state.classes.length ? target : target * state.target.scale + state.target.center,
  ]);
  const places = Array.from(held, (out, i) => (out ? i : -1)).filter((i) => i >= 0);
  return ["points", { clear: true, classes: state.classes.length, add: rows, held: places }];
}

/** What has to be set before points come: how they are parted. @param {Frame} state @returns {Message} */
export const beginning = ({ setup }) => ["open", { setup: { train_percent: setup.train_percent, seed: setup.seed } }];

/**
 * Say it all. @param {Room} room @param {Past} past
 * @returns {Promise<Frame | null>} the state that answers; rejects with `Refused`
 */
export function goOn(room, past) {
  const own = /** @type {any} */ (past.open).setup.dataset;
  const opening = !past.data.length && (own === "own" || own === "table") && room.session.opening > 0;
  if (opening) room.opening(); // what the command was given is there again
  for (const [doing, fields] of past.data) room.send(doing, fields);
  return room.ask("open", past.open);
}

/** Where the page stands: what it is going on from, until that is drawn again. @param {Kept} kept @returns {Past | null} */
export const standing = ({ live, data, past }) => past ?? (live && pastOf(live, data));

/** Leave it all for the page that is loaded next in this tab, if that is this one. @param {Kept} kept */
export const leaving = (kept) => leave(STORED, () => standing(kept));

/** What the page left as it was loaded anew; null at any other beginning. @param {string | null} link @returns {Past | null} */
export function leftFor(link) {
  const past = /** @type {Past | null} */ (left(STORED));
  return past && (!link || link === past.link) ? past : null;
}
