/** Of more than two inputs: which plane through them is drawn, and where the others stand. */
import { html, useState } from "../../kit/html.js";
import { Segmented, Select, Slider, short } from "../../kit/controls.js";
import { t } from "../../i18n.js";
import { columnName } from "./model.js";
import { rawOf, unitOf } from "./units.js";

const MOST = 6; // inputs with a slider of their own
const FAR = 2; // from the middle to the ends of a slider: inputs are scaled to about -1 to 1

/** @param {{state: any, send: (doing: string, fields?: object) => any}} props */
export function Plane({ state, send }) {
  const columns = /** @type {string[]} */ (state.columns ?? []);
  const [places, setAt] = useState(/** @type {Record<string, number>} */ ({}));
  if (columns.length < 3) return null;
  const at = Object.fromEntries(Object.entries(places).filter(([name]) => columns.includes(name))); // others had a table before
  const drawn = state.axes.map((/** @type {string} */ name) => columns.indexOf(name));
  const axes = drawn.includes(-1) ? "pca" : drawn;
  const view = (/** @type {number[] | "pca"} */ next, place = at) => {
    setAt(place);
    send("view", next === "pca" ? { axes: next } : { axes: next, at: place });
  };
  const pair = axes === "pca" ? [0, 1] : axes;
  const options = columns.map((column, value) => ({ value, label: columnName(state, column) }));
  const others = columns.filter((_, i) => !pair.includes(i)).slice(0, MOST);
  return html`<section class="panel plane" aria-label=${t("network.plane")}>
    <${Segmented} label=${t("network.plane")} value=${axes === "pca" ? "pca" : "slice"}
      onChange=${(/** @type {string} */ way) => view(way === "pca" ? "pca" : pair)}
      options=${[
        { value: "slice", label: t("network.slice") },
        { value: "pca", label: t("network.pca") },
      ]} />
    ${
      axes !== "pca" &&
      html`<div class="plane-axes">
        <${Select} label=${t("network.across")} value=${pair[0]} options=${options}
          onChange=${(/** @type {number} */ i) => view([i, i === pair[1] ? pair[0] : pair[1]])} />
        <${Select} label=${t("network.up")} value=${pair[1]} options=${options}
          onChange=${(/** @type {number} */ i) => view([i === pair[0] ? pair[1] : pair[0], i])} />
        ${others.map(
          (column) =>
            html`<${Slider} key=${column} label=${columnName(state, column)} value=${at[column] ?? 0}
                min=${-FAR} max=${FAR} step=${0.05}
              show=${(/** @type {number} */ v) => (column in at ? short(rawOf(unitOf(state, column), v), 3) : t("network.median"))}
              onChange=${(/** @type {number} */ v) => view(pair, { ...at, [column]: v })} />`,
        )}
      </div>`
    }
  </section>`;
}
