/** The shape of a network as a small drawing: its neurons in columns, all joined to all of the next. */
import { html } from "../../kit/html.js";

const WIDTH = 150,
  HEIGHT = 76,
  EDGE = 8;

/** @param {number[]} layers @returns {{x: number, y: number}[][]} */
function places(layers) {
  return layers.map((units, i) => {
    const x = EDGE + (i * (WIDTH - 2 * EDGE)) / (layers.length - 1),
      gap = Math.min(15, (HEIGHT - 6) / units);
    return Array.from({ length: units }, (_, k) => ({ x, y: HEIGHT / 2 + (k - (units - 1) / 2) * gap }));
  });
}

/** @param {{units: number[], label: string}} props */
export function Shape({ units, label }) {
  const columns = places([2, ...units, 1]);
  const lines = columns
    .slice(1)
    .flatMap((column, i) =>
      columns[i].flatMap((from) => column.map((to) => `M${from.x} ${from.y}L${to.x} ${to.y}`)),
    )
    .join("");
  return html`<svg class="shape" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${label}><path
      d=${lines} />
    ${columns.flatMap((column, i) =>
      column.map(
        ({ x, y }, k) => html`<circle key=${`${i}.${k}`} cx=${x} cy=${y} r=${Math.min(4, 30 / column.length)}
          class=${i === 0 ? "in" : i === columns.length - 1 ? "out" : ""} />`,
      ),
    )}</svg>`;
}
