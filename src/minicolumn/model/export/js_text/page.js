// A form with a field for each column; the answer follows what is typed.
const words = {
  en: { missing: "unknown", yes: "yes", no: "no", about: "Fill in what you know; the network answers here, and nothing leaves this page.", predicted: "Predicted", between: "seen:", beyond: "beyond what the network has seen: ", odd: "new to the network" },
  ko: { missing: "모름", yes: "예", no: "아니요", about: "아는 값만 넣으세요. 신경망은 이 페이지 안에서 답하며, 아무것도 밖으로 나가지 않습니다.", predicted: "예측", between: "학습 범위:", beyond: "학습에서 본 범위를 벗어남: ", odd: "학습에 없던 값" },
};
const language = navigator.language.startsWith("ko") ? "ko" : "en";
const word = words[language];
document.documentElement.lang = language;
const form = document.getElementById("form");
const answer = document.getElementById("answer");
document.getElementById("title").textContent = document.title;
document.getElementById("about").textContent = word.about;

function made(tag, text, kind) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
}
function shown(number) {
  return new Intl.NumberFormat(language, { maximumSignificantDigits: 5 }).format(number);
}
function choice(options) {
  const select = made("select");
  for (const [value, text] of [["", word.missing], ...options]) {
    const option = made("option", text);
    option.value = value;
    select.append(option);
  }
  return select;
}
function field(column) {
  if (column.kind === "boolean") return choice([["yes", word.yes], ["no", word.no]]);
  if (column.kind === "category" && column.levels.length <= 200) return choice(column.levels.map((l) => [l, l]));
  const input = made("input");
  if (column.kind === "datetime") {
    input.type = column.clock ? "time" : column.timed ? "datetime-local" : "date";
    if (input.type !== "date") input.step = 1;
  } else if (column.kind === "number") {
    input.inputMode = "decimal";
    if (column.low === undefined) input.placeholder = "0"; // of arrays no range is known, and an empty field is 0
    else input.placeholder = `${shown(column.low)} – ${shown(column.high)}`;
    if (column.low !== undefined) input.title = `${word.between} ${input.placeholder}`;
  }
  return input;
}
const fields = columns.length ? columns : Array.from({ length: WIDTH }, (_, k) => ({ name: `x${k}`, kind: "number" }));
const inputs = fields.map((column, k) => {
  const place = made("div", undefined, "field");
  const label = made("label", column.name);
  const note = made("em");
  const input = field(column);
  label.title = column.name;
  input.id = label.htmlFor = `field-${k}`;
  note.id = `note-${k}`;
  input.setAttribute("aria-describedby", note.id);
  place.append(label, input, note);
  form.append(place);
  return input;
});
// What is odd about a cell: a number beyond the range seen, a word that is no level.
function oddity(column, text) {
  if (text.trim() === "") return "";
  if (column.kind === "category") return column.levels.includes(text.trim()) ? "" : word.odd;
  if (column.kind !== "number" || !columns.length) return "";
  const number = Number(text);
  if (Number.isNaN(number) || (number >= column.low && number <= column.high)) return "";
  return `${word.beyond}${shown(column.low)} – ${shown(column.high)}`;
}
function chance(name, p) {
  const row = made("div", undefined, "chance");
  const bar = made("div");
  const filled = made("div");
  filled.style.width = `${100 * p}%`;
  bar.append(filled);
  row.append(made("b", name), made("i", new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(p)), bar);
  return row;
}
// A time of day alone is one of 1970-01-01.
function cell(column, text) {
  return column.clock && text ? `1970-01-01T${text}` : text;
}
// A number of an array; an empty field is 0.
function numberIn(name, text) {
  const number = Number(text);
  if (!Number.isFinite(number)) throw new Error(`${name}: "${text}" is no number like 12.5`);
  return number;
}
function show() {
  const cells = inputs.map((input) => input.value);
  inputs.forEach((input, k) => { input.nextSibling.textContent = oddity(fields[k], cells[k]); });
  const parts = [made("p", target ?? word.predicted, "what")];
  try {
    const row = columns.length ? Object.fromEntries(columns.map((column, k) => [column.name, cell(column, cells[k])])) : cells.map((text, k) => numberIn(fields[k].name, text));
    const found = predict(row);
    if (found.probabilities) {
      parts.push(made("p", found.label, "label"));
      const sorted = Object.entries(found.probabilities).sort((a, b) => b[1] - a[1]).slice(0, 12);
      parts.push(...sorted.map(([name, p]) => chance(name, p)));
    } else {
      for (const [name, number] of Object.entries(found)) {
        if (name !== "prediction") parts.push(made("p", name, "what"));
        parts.push(made("p", shown(number), "label"));
      }
    }
  } catch (error) {
    parts.push(made("p", error.message, "bad"));
  }
  answer.replaceChildren(...parts);
}
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();
