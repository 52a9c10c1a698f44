/** Both passes over the tape, one node at a time, and what is known at each step. */

/** @typedef {import("./layout.js").Tape} Tape @typedef {import("./layout.js").Part} Part */
/** @typedef {{phase: "inputs" | "forward" | "seed" | "backward", node: number, parts: Part[]}} Step */

/** @param {Tape} tape @returns {Step[]} */
export const stepsOf = ({ forward, backward, output }) => [
  { phase: "inputs", node: -1, parts: [] },
  ...forward.map((node) => ({ phase: /** @type {const} */ ("forward"), node, parts: [] })),
  { phase: "seed", node: output, parts: [] },
  ...backward.map(({ node, parts }) => ({ phase: /** @type {const} */ ("backward"), node, parts })),
];

/**
 * What is known at a step: whose values are, the adjoints as far as they are summed, and the parts that were
 *   handed on,
 * by "node.operand".
 * @param {Tape} tape @param {Step[]} steps @param {number} at
 * @returns {{values: Set<number>, adjoints: Map<number, number | null>, parts: Map<string, Part>}}
 */
export function knownAt(tape, steps, at) {
  const values = new Set(tape.nodes.flatMap((node, place) => (node.inputs.length ? [] : [place])));
  /** @type {Map<number, number | null>} */
  const adjoints = new Map();
  /** @type {Map<string, Part>} */
  const parts = new Map();
  for (const step of steps.slice(0, at + 1)) {
    if (step.phase === "forward") values.add(step.node);
    if (step.phase === "seed") adjoints.set(step.node, 1);
    for (const part of step.parts) {
      adjoints.set(part.to, part.sum);
      parts.set(`${step.node}.${part.at}`, part);
    }
  }
  return { values, adjoints, parts };
}
