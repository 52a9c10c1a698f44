// A cell of a row; what every object inherits ("constructor", say) is no cell.
function cellOf(row, name) {
  return name in Object.prototype && !Object.hasOwn(row, name) ? undefined : row[name];
}

// Cells of a row to numbers.
function trimmed(cell) {
  return String(cell ?? "").replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");
}
function withoutPointZero(text) {
  return text.replace(/^([+-]?[0-9]+)\.0+$/, "$1");
}
function isMissing(text) {
  return MISSING.has(withoutPointZero(text).toLowerCase());
}
function refused(text, column, expected) {
  return new Error(`${column}: ${JSON.stringify(text.slice(0, 40))} is no ${expected}`);
}
function numberOf(cell, column) {
  if (typeof cell === "number") return cell;
  const text = trimmed(cell);
  if (isMissing(text) || NO_VALUE.has(text.toLowerCase()) || /^[+-]?inf(inity)?$/i.test(text)) return NaN;
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text)) throw refused(text, column, "number like 12.5");
  return Number(text);
}
function signOf(cell) {
  const text = trimmed(cell);
  if (isMissing(text)) return 0;
  const word = withoutPointZero(text).toLowerCase();
  return YES.has(word) - NO.has(word);
}
// 0: a level that was not seen in training, 1: missing.
function codeOf(cell, levels) {
  const text = withoutPointZero(trimmed(cell));
  return levels.get(text) ?? (isMissing(text) ? 1 : 0);
}
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:Z|([+-])([0-9]{2}):?([0-9]{2}))?)?$/;
const SENTINEL = /^(?:9999|0000)-[0-9]{2}-[0-9]{2}(?:$|[T ])|^0001-01-01|^1900-01-00/;
// Year, month, day, weekday, day of the year, hour, minute, days since 1970, of 2026-11-30 or 2026-11-30T23:59:59.
function dateParts(cell, column) {
  const text = trimmed(cell);
  if (isMissing(text) || NO_VALUE.has(text.toLowerCase()) || SENTINEL.test(text)) return new Array(8).fill(NaN);
  const found = text.match(DATE);
  const [year, month, day, hour, minute, second] = (found ?? []).slice(1, 7).map((part) => Number(part ?? 0));
  const [offsetHours, offsetMinutes] = (found ?? []).slice(9, 11).map((part) => Number(part ?? 0));
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  const isDay = midnight.getUTCMonth() + 1 === month && midnight.getUTCDate() === day;
  const isTime = hour < 24 && minute < 60 && second < 60 && offsetHours < 24 && offsetMinutes < 60;
  const offset = (found?.[8] === "-" ? -1 : 1) * (offsetHours * 60 + offsetMinutes);
  const seconds = midnight.getTime() / 1000 + (hour * 60 + minute - offset) * 60 + second;
  const micros = Number((found?.[7] ?? "").slice(0, 6).padEnd(6, "0"));
  const moment = new Date(seconds * 1000);
  const isKnown = moment.getUTCFullYear() >= 1000 && moment.getUTCFullYear() <= 2999;
  if (!isDay || !isTime || !isKnown) throw refused(text, column, "date like 2026-11-30 or 2026-11-30T23:59:59");
  const first = new Date(0);
  first.setUTCFullYear(moment.getUTCFullYear(), 0, 1);
  return [
    moment.getUTCFullYear(), moment.getUTCMonth() + 1, moment.getUTCDate(), moment.getUTCDay() || 7,
    Math.floor((moment.getTime() - first.getTime()) / 86400000) + 1, moment.getUTCHours(), moment.getUTCMinutes(),
    (seconds * 1e6 + micros) / 86400e6,
  ];
}
