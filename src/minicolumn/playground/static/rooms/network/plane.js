/** Of more than two inputs: which plane through them is drawn. */
import { html, useState } from "../../kit/html.js";
import { Select, Segmented } from "../../kit/controls.js";
import { t } from "../../i18n.js";
import { columnName } from "./model.js";

/** @param {{state: any, send: (doing: string, fields?: object) => any}} props */
export function Plane({ state, send }) {
  const names = (state.columns ?? []).map((/** @type {string} */ name) => columnName(state, name));
  const [axes, setAxes] = useState(/** @type {number[] | "pca"} */ ([0, 1]));
  if (names.length < 3) return null;
  const view = (/** @type {number[] | "pca"} */ next) => {
    setAxes(next);
    send("view", { axes: next });
  };
  const pair = axes === "pca" ? [0, 1] : axes;
  const options = names.map((/** @type {string} */ name, /** @type {number} */ i) => ({
    value: i,
    label: name,
  }));
  return html`<section class="panel plane" aria-label=${t("network.plane")}>
    <${Segmented} label=${t("network.plane")} value=${axes === "pca" ? "pca" : "slice"}
        onChange=${(/** @type {string} */ v) => view(v === "pca" ? "pca" : pair)} options=${[
      { value: "slice", label: t("network.slice") },
      { value: "pca", label: t("network.pca") },
    ]} />
    ${
      axes !== "pca" &&
      html`<div class="plane-axes"><${Select} label=${t("network.across")} value=${pair[0]} options=${options}
          onChange=${(/** @type {number} */ i) => view([i, pair[1]])} />
      <${Select} label=${t("network.up")} value=${pair[1]} options=${options}
          onChange=${(/** @type {number} */ i) => view([pair[0], i])} /></div>`
    }
  </section>`;
}
