/** Where wires and neurons of a circuit lie, and circuits with a change made: pure functions. */

/**
 * @typedef {{name: string, excitatory: string[], inhibitory: string[], threshold: number, layer: number, text: string}} Neuron
 * @typedef {{x: number, y: number}} Place
 * @typedef {"none" | "excites" | "inhibits"} Link
 */
export const RADIUS = 30;

/**
 * The places of all wires' sources by name: inputs at the left, answers that no neuron reads at the right.
 * @param {string[]} inputs @param {Neuron[]} neurons @param {string[]} outputs @param {number} width
 * @returns {{places: Map<string, Place>, height: number}}
 */
export function placed(inputs, neurons, outputs, width) {
  const read = new Set(neurons.flatMap((neuron) => [...neuron.excitatory, ...neuron.inhibitory]));
  const last = Math.max(1, ...neurons.map((neuron) => neuron.layer));
  /** @type {string[][]} */
  const columns = [inputs, ...Array.from({ length: last }, () => [])];
  for (const { name, layer } of neurons) columns[outputs.includes(name) && !read.has(name) ? last : layer].push(name);
  const tallest = Math.max(...columns.map((names) => names.length));
  const height = Math.max(width > 700 ? 360 : 280, 110 * tallest + 20);
  const places = new Map(), inset = Math.max(0, Math.min(160, width * 0.16 - 60)), left = 40 + inset, right = width - 48 - inset;
  columns.forEach((names, column) => names.forEach((name, i) => places.set(name, {
    x: left + ((right - left) * column) / last, y: (height * (i + 0.5)) / names.length - 8,
  })));
  return { places, height };
}

/**
 * The curve of a wire into a neuron, around those between; it ends at the neuron's rim, from the side it comes.
 * @param {Place} from @param {Place} to @param {number} lift @param {Place[]} all  where everything lies
 */
export function curve(from, to, lift, all) {
  const x1 = from.x + 20, x2 = to.x - Math.sqrt(RADIUS ** 2 - lift ** 2) - 14, y2 = to.y + lift;
  const bend = (/** @type {number} */ ax, /** @type {number} */ bx, /** @type {number} */ ay, /** @type {number} */ by) => {
    const pull = Math.max(16, (bx - ax) * 0.45);
    return `C${ax + pull} ${ay} ${bx - pull} ${by} ${bx} ${by}`;
  };
  const between = all.filter(({ x }) => x > from.x + 1 && x < to.x - 1), end = { x: x2, y: y2 };
  if (!between.length) return { d: `M${x1} ${from.y}${bend(x1, x2, from.y, y2)}`, ...end };
  const lane = laneOf(from.y, between), first = Math.min(...between.map(({ x }) => x)) - RADIUS, last = Math.max(...between.map(({ x }) => x)) + RADIUS;
  return { d: `M${x1} ${from.y}${bend(x1, first, from.y, lane)}H${last}${bend(last, x2, lane, y2)}`, ...end };
}

/** The height nearest to where a wire begins that runs clear of what lies between. @param {number} start @param {Place[]} between */
function laneOf(start, between) {
  const clear = (/** @type {number} */ y) => between.every((place) => y < place.y - RADIUS - 14 || y > place.y + RADIUS + 38);
  for (let off = 0; off < 400; off += 6) {
    if (start - off > 6 && clear(start - off)) return start - off;
    if (clear(start + off)) return start + off;
  }
  return start;
}

/** How a wire enters a neuron now. @param {Neuron} neuron @param {string} wire @returns {Link} */
export const linkOf = (neuron, wire) => (neuron.excitatory.includes(wire) ? "excites" : neuron.inhibitory.includes(wire) ? "inhibits" : "none");

/** The neuron with a wire linked so. @param {Neuron} neuron @param {string} wire @param {Link} link @returns {Neuron} */
export function linked(neuron, wire, link) {
  const without = (/** @type {string[]} */ names) => names.filter((name) => name !== wire);
  const excitatory = without(neuron.excitatory), inhibitory = without(neuron.inhibitory);
  if (link === "excites") excitatory.push(wire);
  if (link === "inhibits") inhibitory.push(wire);
  return { ...neuron, excitatory, inhibitory };
}

/** Names of the neurons that a neuron's output reaches, itself too: what would make a loop. @param {Neuron[]} neurons @param {string} name */
export function reachedFrom(neurons, name) {
  const found = new Set([name]);
  for (let size = 0; size < found.size;) {
    size = found.size;
    for (const n of neurons) if ([...n.excitatory, ...n.inhibitory].some((wire) => found.has(wire))) found.add(n.name);
  }
  return found;
}

/** Neurons in an order in which each reads what is known. @param {Neuron[]} neurons @param {string[]} inputs */
export function ordered(neurons, inputs) {
  const known = new Set(inputs), left = [...neurons], done = /** @type {Neuron[]} */ ([]);
  while (left.length) {
    const at = Math.max(0, left.findIndex((n) => [...n.excitatory, ...n.inhibitory].every((wire) => known.has(wire))));
    const [next] = left.splice(at, 1);
    known.add(next.name);
    done.push(next);
  }
  return done;
}

/** A name that no wire has yet. @param {string[]} taken */
export function newName(taken) {
  let number = 1;
  while (taken.includes(`n${number}`)) number++;
  return `n${number}`;
}
