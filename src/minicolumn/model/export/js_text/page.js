// A form with a field for each column; the answer follows what is typed.
const words = {
  en: { missing: "unknown", yes: "yes", no: "no", about: "Fill in what you know; the network answers here, and nothing leaves this page.", predicted: "Predicted", between: "seen:" },
  ko: { missing: "모름", yes: "예", no: "아니요", about: "아는 값만 넣으세요. 신경망은 이 페이지 안에서 답하며, 아무것도 밖으로 나가지 않습니다.", predicted: "예측", between: "학습 범위:" },
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
    input.type = column.timed ? "datetime-local" : "date";
  } else if (column.kind === "number") {
    input.inputMode = "decimal";
    input.placeholder = `${shown(column.low)} – ${shown(column.high)}`;
    input.title = `${word.between} ${input.placeholder}`;
  }
  return input;
}
const fields = columns.length ? columns : Array.from({ length: WIDTH }, (_, k) => ({ name: `x${k}`, kind: "number", low: -1, high: 1 }));
const inputs = fields.map((column) => {
  const label = made("label");
  const name = made("span", column.name);
  name.title = column.name;
  const input = field(column);
  label.append(name, input);
  form.append(label);
  return input;
});
function chance(name, p) {
  const row = made("div", undefined, "chance");
  const bar = made("div");
  const filled = made("div");
  filled.style.width = `${100 * p}%`;
  bar.append(filled);
  row.append(made("b", name), made("i", new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(p)), bar);
  return row;
}
function show() {
  const cells = inputs.map((input) => input.value);
  const row = columns.length ? Object.fromEntries(columns.map((column, k) => [column.name, cells[k]])) : cells.map((cell) => Number(cell) || 0);
  const parts = [made("p", target ?? word.predicted, "what")];
  try {
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
