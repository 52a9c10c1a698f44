/**
 * Columns of a table in their own units: the network sees scaled numbers, and the reader those of the table.
 *
 *     s = (raw - center) * factor,    and where smooth    value = s / sqrt(1 + (s/3)^2)
 *
 * @typedef {{center: number, factor: number, smooth: boolean}} Unit
 */

/** The unit of a column by its name among the inputs; null where it is seen as it is. @param {any} state @param {string} column @returns {Unit | null} */
export function unitOf(state, column) {
  return state.units?.[state.columns.indexOf(column)] ?? null;
}

/** A scaled number in the column's own unit. @param {Unit | null} unit @param {number} value */
export function rawOf(unit, value) {
  if (!unit) return value;
  const reach = Math.max(-2.999, Math.min(2.999, value)); // smooth ones never reach 3
  const s = unit.smooth ? reach / Math.sqrt(1 - (reach / 3) ** 2) : value;
  return unit.center + s / unit.factor;
}

/** @param {Unit | null} unit @param {number} raw */
export function scaledOf(unit, raw) {
  if (!unit) return raw;
  const s = (raw - unit.center) * unit.factor;
  return unit.smooth ? s / Math.sqrt(1 + (s / 3) ** 2) : s;
}

/**
 * Where an axis is marked, and with what: round numbers of the column's own unit, about five.
 * @param {Unit | null} unit @param {number} low @param {number} high  ends of the axis, scaled
 * @returns {{at: number, value: number}[]}
 */
export function ticks(unit, low, high) {
  if (!unit?.smooth) {
    const raws = rounds(rawOf(unit, low), rawOf(unit, high));
    return raws.map((value) => ({ at: scaledOf(unit, value), value }));
  }
  // Bent, so that even steps of the unit would crowd at the ends: even steps of the axis, each rounded.
  /** @type {{at: number, value: number}[]} */
  const found = [];
  for (let i = 0; i <= 4; i++) {
    const at = low + ((high - low) * (i + 0.5)) / 5;
    const step = Math.abs(rawOf(unit, at + (high - low) / 10) - rawOf(unit, at - (high - low) / 10));
    const digit = 10 ** Math.floor(Math.log10(step / 2));
    const value = Number((Math.round(rawOf(unit, at) / digit) * digit).toPrecision(6));
    found.push({ at: scaledOf(unit, value), value });
  }
  return found.filter(({ at, value }, i) => at >= low && at <= high && value !== found[i - 1]?.value);
}

/** Round numbers from low to high, about five. @param {number} low @param {number} high */
function rounds(low, high) {
  const rough = (high - low) / 5,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 3, 5, 10].find((m) => m * power >= rough) ?? 10);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    found.push(Number((i * step).toPrecision(6)));
  return found;
}
