/** The page's two languages: lang/en.json and lang/ko.json, which have the same keys (a test holds them to it). */

export const LANGUAGES = { en: "English", ko: "한국어" };
/** @typedef {keyof typeof LANGUAGES} Language */

/** @type {Record<string, any>} */
let words = {};
/** @type {Language} */
let current = "en";
/** @type {Set<() => void>} */
const watchers = new Set();

/** @returns {Language} that of the address (?lang=ko), the one that was chosen, or the browser's */
export function preferred() {
  const asked = new URLSearchParams(location.search).get("lang") ?? "";
  const wanted = [asked, localStorage.getItem("language") ?? "", ...navigator.languages].map((tag) =>
    tag.slice(0, 2),
  );
  return /** @type {Language} */ (wanted.find((tag) => tag in LANGUAGES) ?? "en");
}

/** @param {Language} language */
export async function speak(language) {
  const answer = await fetch(`lang/${language}.json`);
  words = await answer.json();
  current = language;
  document.documentElement.lang = language;
  for (const tell of watchers) tell();
}

export const language = () => current;

/** @param {() => void} tell @returns {() => void} */
export function onLanguage(tell) {
  watchers.add(tell);
  return () => {
    watchers.delete(tell);
  };
}

/**
 * Return a text by its dotted key, with {name} replaced by values; the key itself where there is none.
 * @param {string} key @param {Record<string, any>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const found = key.split(".").reduce((/** @type {any} */ at, part) => at?.[part], words);
  if (typeof found !== "string") return key;
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * A line of the session: a key under "said" with its values, or English text of what has no key.
 * @typedef {string | {key: string, values: Record<string, any>, text: string}} Line
 */

/** A line, or several, in the reader's language. @param {Line | Line[]} line @returns {string} */
export function told(line) {
  if (Array.isArray(line)) return line.map(told).join(" · ");
  if (typeof line === "string") return line;
  const key = `said.${line.key}`;
  if (!has(key)) return line.text;
  return t(key, Object.fromEntries(Object.entries(line.values).map(([name, value]) => [name, written(value)])));
}

/** A value of a line: a line itself, a number, a text. @param {any} value @returns {string} */
function written(value) {
  if (value === null) return "";
  if (typeof value !== "number") return told(value);
  return Number.isInteger(value) ? value.toLocaleString(current) : String(Number(value.toPrecision(6)));
}

/** Whether there is a text of this key. @param {string} key */
export const has = (key) => t(key) !== key;

/** The text of a key, or another where there is none. @param {string} key @param {string} otherwise */
export const tOr = (key, otherwise) => (has(key) ? t(key) : otherwise);
