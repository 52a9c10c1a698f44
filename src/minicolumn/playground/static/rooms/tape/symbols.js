/** Operations and their derivatives as symbols; a is the first operand, b the second, v the value itself. */
import { short } from "../../kit/controls.js";

/** @typedef {import("./layout.js").Tape} Tape */

/**
 * How it is written in a node, how in a line, and its derivatives by a and by b.
 * @type {Record<string, {sign: string, line: string, by: string[]}>}
 */
const OPERATIONS = {
  add: { sign: "+", line: "a + b", by: ["1", "1"] },
  subtract: { sign: "−", line: "a − b", by: ["1", "−1"] },
  multiply: { sign: "×", line: "a · b", by: ["b", "a"] },
  divide: { sign: "÷", line: "a / b", by: ["1 / b", "−a / b²"] },
  power: { sign: "aᵇ", line: "a ^ b", by: ["b · a ^ (b − 1)", "v · log a"] },
  negative: { sign: "−a", line: "−a", by: ["−1"] },
  exp: { sign: "exp", line: "exp a", by: ["v"] },
  log: { sign: "log", line: "log a", by: ["1 / a"] },
  sin: { sign: "sin", line: "sin a", by: ["cos a"] },
  cos: { sign: "cos", line: "cos a", by: ["−sin a"] },
  tanh: { sign: "tanh", line: "tanh a", by: ["1 − v²"] },
  logistic: { sign: "σ", line: "σ(a)", by: ["v (1 − v)"] },
  sqrt: { sign: "√", line: "√a", by: ["1 / (2 v)"] },
  absolute: { sign: "|a|", line: "|a|", by: ["±1"] },
  minimum: { sign: "min", line: "min(a, b)", by: ["a < b", "b < a"] },
  maximum: { sign: "max", line: "max(a, b)", by: ["a > b", "b > a"] },
};
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

/** @param {number} n */
const subscript = (n) => [...String(n)].map((digit) => SUBSCRIPTS[Number(digit)]).join("");

/**
 * What a node is called: a variable by its name, a constant by its value, v₁, v₂, ... what is computed.
 * @param {Tape} tape
 * @param {number} place
 * @returns {string}
 */
export function nameOf({ nodes, forward }, place) {
  const node = nodes[place];
  if (node.label) return node.label;
  return node.constant ? short(node.value) : `v${subscript(forward.indexOf(place) + 1)}`;
}

/** @param {string} op */
export const signOf = (op) => OPERATIONS[op]?.sign ?? op;

/** @param {string} pattern @param {Record<"a" | "b" | "v", string>} names */
const filled = (pattern, names) =>
  pattern.replace(/\b[abv]\b/g, (letter) => names[/** @type {"a" | "b" | "v"} */ (letter)]);

/**
 * A node as an expression of what it is made of, by names or by values.
 * @param {Tape} tape
 * @param {number} place
 * @param {"names" | "values"} by
 */
export function lineOf(tape, place, by) {
  const { op, inputs } = tape.nodes[place];
  const words = inputs.map((input) => {
    if (by === "names") return nameOf(tape, input);
    const value = tape.nodes[input].value,
      text = short(value);
    return value !== null && value < 0 ? `(${text})` : text;
  });
  return filled(OPERATIONS[op]?.line ?? `${op}(${inputs.length > 1 ? "a, b" : "a"})`, {
    a: words[0],
    b: words[1],
    v: "",
  });
}

/**
 * The derivative of a node by one of its operands, as a formula; for min and max, the condition under which
 *   it is 1.
 * @param {Tape} tape
 * @param {number} place
 * @param {number} at
 */
export function derivativeOf(tape, place, at) {
  const { op, inputs } = tape.nodes[place];
  const [a, b] = inputs.map((input) => nameOf(tape, input));
  const pattern = OPERATIONS[op]?.by[at];
  return pattern ? filled(pattern, { a, b, v: nameOf(tape, place) }) : "";
}
