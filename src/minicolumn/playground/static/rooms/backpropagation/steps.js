/** The step of gradient descent in slow motion: what is worked out after what, and whether it was yet. */

/**
 * @typedef {"inputs" | "forward" | "loss" | "backward" | "update"} Phase
 * @typedef {{phase: Phase, layer: number, unit: number}} Step  unit: -1 where all of a layer is meant
 * @typedef {{before: any, gradient: any, difference: any, after: any}} Weight  each nested as the weights are
 * @typedef {{inputs: number[], pre_activations: number[], outputs: number[], derivatives: number[], upstream:
 *   number[],
 *   deltas: number[], weight: Weight, bias: Weight}} Layer
 * @typedef {{hidden: number[], activation: string, activations: string[], x: number[], target: number,
 *   learning_rate: number,
 *   seed: number, layers: Layer[], loss: number, loss_after: number, steps: number, losses: number[],
 *   largest_difference: number, arrays: any}} State
 */

/** @param {State} state @returns {Step[]} */
export function stepsOf({ layers }) {
  /** @type {Step[]} */
  const steps = [{ phase: "inputs", layer: -1, unit: -1 }];
  const neurons = (/** @type {Phase} */ phase, /** @type {number} */ layer) =>
    layers[layer].outputs.forEach((_, unit) => steps.push({ phase, layer, unit }));
  const forward = layers.map((_, layer) => layer);
  for (const layer of forward) neurons("forward", layer);
  steps.push({ phase: "loss", layer: layers.length, unit: 0 });
  for (const layer of [...forward].reverse()) neurons("backward", layer);
  for (const layer of forward) steps.push({ phase: "update", layer, unit: -1 });
  return steps;
}

/** @param {Step[]} steps @returns {{key: Phase, from: number, to: number}[]} what the player shows */
export function phasesOf(steps) {
  return ["forward", "loss", "backward", "update"].map((key) => {
    const places = steps.flatMap((step, place) => (step.phase === key ? [place] : []));
    return {
      key: /** @type {Phase} */ (key),
      from: key === "forward" ? 0 : places[0],
      to: places[places.length - 1],
    };
  });
}

/**
 * Whether a neuron was reached in a phase, at a place of the steps.
 * @param {Step[]} steps @param {number} at @param {Phase} phase @param {number} layer @param {number} unit
 */
export const reached = (steps, at, phase, layer, unit) =>
  steps.findIndex(
    (step) => step.phase === phase && step.layer === layer && (step.unit === unit || step.unit === -1),
  ) <= at;

const SMALL = { below: "₀₁₂₃₄₅₆₇₈₉", above: "⁰¹²³⁴⁵⁶⁷⁸⁹" };
/** @param {number} n @param {"below" | "above"} where */
const small = (n, where) => SMALL[where][n];

/**
 * The name of a neuron's output: x₁ of an input, h₁ of a hidden neuron (g₁ in the second hidden layer, k₁ in
 *   the third), ŷ of the output.
 * @param {State} state @param {number} layer  -1 for inputs @param {number} unit
 */
export function nameOf({ layers }, layer, unit) {
  if (layer < 0) return `x${small(unit + 1, "below")}`;
  if (layer === layers.length - 1) return "ŷ";
  return `${"hgk"[layer]}${small(unit + 1, "below")}`;
}
