/** The names of the setup's fields, and the choices that the session offers for them. */
import { tOr } from "../../i18n.js";

/** TensorFlow Playground's steps; other numbers can be typed. */
export const RATES = [0.00001, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
export const PENALTIES = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
export const SPEEDS = [1, 10, 100, 1_000, 10_000, 100_000];

/**
 * The control that the session describes for a field.
 * @param {any} state @param {string} field @returns {any}
 */
export function controlOf(state, field) {
  const { controls } = state;
  const found = Array.isArray(controls)
    ? controls.find((control) => control.name === field)
    : controls?.[field];
  return found ?? {};
}

/** Names that a field can be set to. @param {any} state @param {string} field @returns {string[]} */
export function choicesOf(state, field) {
  const control = controlOf(state, field);
  const choices = control.choices ?? control.of?.choices ?? control.entries ?? [];
  return Array.isArray(choices)
    ? choices.map((choice) => (typeof choice === "string" ? choice : choice.name))
    : Object.keys(choices);
}

/**
 * Whether a link hid a control: a field of the setup, or run, step, reset, task, text, or a feature.
 * @param {any} state @param {string} name
 */
export const hides = (state, name) => Boolean(state.hidden?.includes(name));

/** The words for a choice. @param {string} name */
export const wordsOf = (name) =>
  tOr(`network.choice.${name.replaceAll(".", "_")}`, name.replaceAll("_", " "));

/** @param {string[]} names */
export const optionsOf = (names) => names.map((name) => ({ value: name, label: wordsOf(name) }));

const FIRST = ["relu", "tanh", "logistic", "linear"];
/** Activations, the four of old first. @param {string[]} names */
export const activationOptions = (names) =>
  optionsOf([...FIRST.filter((n) => names.includes(n)), ...names.filter((n) => !FIRST.includes(n))]);
