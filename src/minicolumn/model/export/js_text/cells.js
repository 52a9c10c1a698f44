// Cells of a row to numbers.
function trimmed(cell) {
  return String(cell ?? "").trim();
}
function withoutPointZero(text) {
  return text.replace(/^([+-]?[0-9]+)\.0+$/, "$1");
}
function isMissing(text) {
  return MISSING.has(text.toLowerCase());
}
function numberOf(cell) {
  if (typeof cell === "number") return cell;
  const text = trimmed(cell);
  return isMissing(text) ? NaN : Number(text);
}
function signOf(cell) {
  const text = withoutPointZero(trimmed(cell)).toLowerCase();
  return YES.has(text) - NO.has(text);
}
// 0: a level that was not seen in training, 1: missing.
function codeOf(cell, levels) {
  const text = withoutPointZero(trimmed(cell));
  return levels.get(text) ?? (isMissing(text) ? 1 : 0);
}
// Year, month, day, weekday, day of the year, hour, minute, days since 1970, of 2026-11-30 or 2026-11-30T23:59:59.
function dateParts(cell, column) {
  const text = trimmed(cell);
  if (isMissing(text)) return new Array(8).fill(NaN);
  const found = text.match(/^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?)?$/);
  if (!found) throw new Error(`${column}: ${JSON.stringify(text.slice(0, 40))} is no date like 2026-11-30 or 2026-11-30T23:59:59`);
  const [year, month, day, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map((part) => part && Number(part));
  const zone = found[8] && found[8] !== "Z" ? found[8].replace(":", "") : "+0000";
  const offset = (zone[0] === "-" ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5)));
  const moment = new Date(Date.UTC(year, month - 1, day, hour, minute - offset, second));
  moment.setUTCFullYear(moment.getUTCFullYear());
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) {
    throw new Error(`${column}: ${JSON.stringify(text.slice(0, 40))} is no date`);
  }
  const first = Date.UTC(moment.getUTCFullYear(), 0, 1);
  const days = moment.getTime() / 86400000;
  return [
    moment.getUTCFullYear(), moment.getUTCMonth() + 1, moment.getUTCDate(), moment.getUTCDay() || 7,
    Math.floor((moment.getTime() - first) / 86400000) + 1, moment.getUTCHours(), moment.getUTCMinutes(),
    days + Number(`0.${found[7] ?? 0}`) / 86400,
  ];
}
