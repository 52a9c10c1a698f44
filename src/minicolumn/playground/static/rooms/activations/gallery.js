/** All functions as small multiples, to choose from. */
import { html, useMemo } from "../../kit/html.js";
import { t } from "../../i18n.js";
import { nameOf } from "./words.js";

const WIDTH = 96, HEIGHT = 62, LOW = -1.6, HIGH = 3;

/** @param {Float32Array} ys @param {number} from @param {number} count */
function line(ys, from, count) {
  return Array.from({ length: count }, (_, i) => {
    const y = Math.max(LOW - 1, Math.min(HIGH + 1, ys[from + i]));
    return `${((i / (count - 1)) * WIDTH).toFixed(1)},${(((HIGH - y) / (HIGH - LOW)) * HEIGHT).toFixed(1)}`;
  }).join(" ");
}

/** @param {{gallery: any, chosen: string, second: string | null, onChoose: (name: string) => void}} props */
export function Gallery({ gallery, chosen, second, onChoose }) {
  const { names, arrays } = gallery, count = arrays.x.length, zero = (HIGH / (HIGH - LOW)) * HEIGHT;
  const lines = useMemo(() => names.map((/** @type {string} */ _, /** @type {number} */ i) => [line(arrays.slope, i * count, count), line(arrays.value, i * count, count)]), [gallery]);
  const move = (/** @type {KeyboardEvent} */ e) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (!by) return;
    e.preventDefault();
    const next = (names.indexOf(chosen) + by + names.length) % names.length;
    onChoose(names[next]);
    /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (e.currentTarget).children[next]).focus();
  };
  return html`<div class="gallery" role="radiogroup" aria-label=${t("activations.all")} onKeyDown=${move}>${names.map((/** @type {string} */ name, /** @type {number} */ i) => html`<button type="button" key=${name} role="radio" aria-checked=${String(name === chosen)} tabindex=${name === chosen ? 0 : -1}
      class=${`tile ${name === second ? "second" : ""}`} onClick=${() => onChoose(name)}><svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true"><path class="axis" d=${`M0 ${zero}H${WIDTH}M${WIDTH / 2} 0V${HEIGHT}`} /><polyline class="slope" points=${lines[i][0]} /><polyline points=${lines[i][1]} /></svg><span>${nameOf(name)}</span></button>`)}</div>`;
}
