/**
 * Where everything of the drawn network is: columns of features, hidden layers and outputs, each centred in height, and
 * the curves between them.
 *
 * @typedef {{x: number, y: number, size: number}} Spot      the middle of a tile
 * @typedef {{width: number, height: number, top: number, features: Spot[], layers: Spot[][], columns: number[]}} Geometry
 */

const HEAD = 84,
  FOOT = 26,
  FEATURE = 38;
const NARROW = 520; // of a phone: less room for names, layers closer together

/** Height for the tiles in a window: less where the columns stand below each other. @param {number} width @param {number} height */
export const heightFor = (width, height) => (width <= 1080 ? 372 : Math.max(372, Math.min(760, height - 420)));

/** Tiles are larger where there is room. @param {number} height */
const scaleFor = (height) => Math.max(1, Math.min(1.4, height / 480));

/** Size of a tile in a column of so many, and the distance to the next. @param {number} count @param {number} height @returns {[number, number]} */
function pitch(count, height) {
  const distance = Math.max(19, Math.min(58 * scaleFor(height), height / count));
  return [Math.min(42 * scaleFor(height), distance - (distance > 30 ? 10 : 3)), distance];
}

/**
 * @param {number} features  how many are listed
 * @param {number[]} units  of each layer, the outputs last
 * @param {number} room  the width that there is
 * @param {number} height  for the tiles, where few need no more
 * @returns {Geometry}
 */
export function arrange(features, units, room, height) {
  const [label, gap, end] = room < NARROW ? [56, 80, 34] : [92, 104, 62];
  const scale = scaleFor(height),
    feature = FEATURE * scale;
  const apart = Math.min(49 * scale, Math.max(24, height / features)); // a table's columns may be many
  const width = Math.max(room, label + feature + units.length * gap + end - 22);
  const tall = [features * apart, ...units.map((count) => count * pitch(count, height)[1])];
  const inner = Math.max(height, ...tall);
  const middle = HEAD + inner / 2;
  const first = label + feature / 2,
    last = width - end;
  const columns = [first, ...units.map((_, i) => first + ((last - first) * (i + 1)) / units.length)];
  const spread = (
    /** @type {number} */ x,
    /** @type {number} */ count,
    /** @type {number} */ size,
    /** @type {number} */ distance,
  ) => Array.from({ length: count }, (_, i) => ({ x, y: middle + (i - (count - 1) / 2) * distance, size }));
  return {
    width,
    height: HEAD + inner + FOOT,
    top: HEAD,
    columns,
    features: spread(first, features, Math.min(feature, apart - (apart > 30 ? 10 : 3)), apart),
    layers: units.map((count, i) => {
      const [size, distance] = pitch(count, height);
      const outputs = i === units.length - 1;
      return spread(
        columns[i + 1],
        count,
        outputs && count <= 6 ? 48 * scale : size,
        outputs && count <= 6 ? 66 * scale : distance,
      );
    }),
  };
}

/** The curve of a link is y0 + (y1 - y0) ease(t) at x0 + (x1 - x0) along(t): a cubic with level ends. */
const along = (/** @type {number} */ t) => 1.5 * t * (1 - t) + t ** 3;
const ease = (/** @type {number} */ t) => t * t * (3 - 2 * t);

/** Put the curve from one tile to another into a path. @param {Path2D} path @param {Spot} from @param {Spot} to */
export function trace(path, from, to) {
  const x0 = from.x + from.size / 2,
    x1 = to.x - to.size / 2,
    mid = (x0 + x1) / 2;
  path.moveTo(x0, from.y);
  path.bezierCurveTo(mid, from.y, mid, to.y, x1, to.y);
}

/**
 * The link nearest to a place, if one is near.
 * @param {Spot[][]} layers  what feeds each layer: `layers[i]` feeds `layers[i + 1]`
 * @param {number} x @param {number} y @param {number} [reach]
 * @returns {{layer: number, source: number, unit: number} | null}
 */
export function linkAt(layers, x, y, reach = 7) {
  let best = reach,
    found = null;
  for (let layer = 0; layer + 1 < layers.length; layer++) {
    const [sources, targets] = [layers[layer], layers[layer + 1]];
    if (!sources.length || !targets.length) continue;
    const x0 = sources[0].x + sources[0].size / 2,
      x1 = targets[0].x - targets[0].size / 2;
    if (x <= x0 || x >= x1) continue;
    let [low, high] = [0, 1];
    for (let i = 0; i < 24; i++) {
      const mid = (low + high) / 2;
      if (along(mid) < (x - x0) / (x1 - x0)) low = mid;
      else high = mid;
    }
    const share = ease(low),
      slope = (6 * low * (1 - low)) / (1.5 - 3 * low + 3 * low * low) / (x1 - x0);
    sources.forEach((from, source) =>
      targets.forEach((to, unit) => {
        const rise = to.y - from.y;
        const distance = Math.abs(from.y + rise * share - y) / Math.hypot(1, rise * slope);
        if (distance < best) {
          best = distance;
          found = { layer, source, unit };
        }
      }),
    );
  }
  return found;
}
