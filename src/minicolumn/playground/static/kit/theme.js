/** Light or dark: as the system has it, or as the switch says, which is remembered. */

/** @typedef {"light" | "dark"} Theme */

const query = matchMedia("(prefers-color-scheme: dark)");
let dark = query.matches; // as last told, so that drawings and the page change together
/** @type {Set<(theme: Theme) => void>} */
const watchers = new Set();

/** @returns {Theme} */
export function theme() {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") return chosen;
  return dark ? "dark" : "light";
}

/** @param {(theme: Theme) => void} tell @returns {() => void} */
export function onTheme(tell) {
  watchers.add(tell);
  return () => {
    watchers.delete(tell);
  };
}

/** Put the theme on the page and tell who draws by it. */
export function applyTheme() {
  document.documentElement.dataset.theme = theme();
  for (const tell of watchers) tell(theme());
}

export function switchTheme() {
  localStorage.setItem("theme", theme() === "dark" ? "light" : "dark");
  applyTheme();
}

query.addEventListener("change", ({ matches }) => {
  dark = matches;
  applyTheme();
});

/** The value of a design token, such as "--ink". @param {string} name */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Whether the reader asked for less motion. */
export const stillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
