/** The graph of the formula: values under its nodes, adjoints over them, what is handed back on its links. */
import { html, useEffect, useMemo } from "../../kit/html.js";
import { short, toneOf } from "../../kit/controls.js";
import { colourOf } from "../../kit/colour.js";
import { useWidth } from "../../kit/room.js";
import { t } from "../../i18n.js";
import { layoutOf } from "./layout.js";
import { nameOf, signOf } from "./symbols.js";

/**
 * @typedef {import("./layout.js").Tape} Tape @typedef {import("./layout.js").Spot} Spot
 * @typedef {import("./layout.js").Layout} Layout @typedef {import("./layout.js").Link} Link
 * @typedef {import("./steps.js").Step} Step @typedef {ReturnType<typeof import("./steps.js").knownAt>} Known
 * @typedef {{width: number, height: number, down: boolean, radius: number, at: (spot: Spot) => [number,
 *   number]}} Plan
 */

const ROOM = { along: 148, across: 122, down: 146, beside: 80 }; // px that a node takes, across the page and down it

/**
 * Left to right, or on a narrow page from above down.
 * @param {Layout} layout
 * @param {number} width
 * @returns {Plan}
 */
function planOf({ columns, widest }, width) {
  const down = width < 620;
  const radius = down ? 20 : 26,
    edge = radius + 30;
  const long = down ? columns * ROOM.down : Math.max(width, columns * ROOM.along);
  const wide = down ? Math.max(width, widest * ROOM.beside) : Math.max(300, widest * ROOM.across + 30);
  const gap = (long - 2 * edge) / Math.max(1, columns - 1);
  const step = down ? Math.min(120, (wide - 2 * edge) / Math.max(1, widest - 1)) : ROOM.across;
  /** @param {Spot} spot @returns {[number, number]} */
  const at = ({ along, across }) => {
    const x = edge + gap * along + (columns === 1 ? (long - 2 * edge) / 2 : 0),
      y = wide / 2 + across * step;
    return down ? [y, x] : [x, y];
  };
  return { width: down ? wide : long, height: down ? long + 14 : wide, down, radius, at };
}

/**
 * A smooth line through spots; the second of two links between the same nodes bows away.
 * @param {Plan} plan
 * @param {Spot[]} way
 * @param {number} bow
 */
function pathOf({ at, down }, way, bow) {
  const points = way.map(at);
  return points.slice(1).reduce((path, [x, y], i) => {
    const [px, py] = points[i],
      mid = down ? (py + y) / 2 : (px + x) / 2;
    return `${path}${down ? `C${px + bow} ${mid} ${x + bow} ${mid} ${x} ${y}` : `C${mid} ${py + bow} ${mid} ${y + bow} ${x} ${y}`}`;
  }, `M${points[0][0]} ${points[0][1]}`);
}

/** @param {{tape: Tape, link: Link, plan: Plan, step: Step, known: Known}} props */
function Wire({ tape, link, plan, step, known }) {
  const { from, to, at, way } = link;
  const twice = tape.nodes[to].inputs.filter((input) => input === from).length > 1;
  const bow = twice ? (at ? 46 : -46) : 0;
  const path = pathOf(plan, way, bow),
    part = known.parts.get(`${to}.${at}`);
  const now = step.node === to && (step.phase === "forward" || (step.phase === "backward" && part));
  const [x, y] = plan.at(way[way.length - 1]),
    [px, py] = plan.at(way[way.length - 2]),
    [fx] = plan.at(way[0]);
  const other = tape.nodes[to].inputs.filter((input) => !tape.nodes[input].constant).length > 1;
  const side = twice ? (at ? 1 : -1) : fx === x ? (at ? 1 : -1) : Math.sign(fx - x);
  const place = plan.down
    ? { x: x + (other ? side * 34 : 0), y: y - 50 }
    : { x: x + (px - x) * 0.52, y: y + (py - y) * 0.52 + bow * 0.72 };
  return html`<g class=${`wire ${now ? "now" : ""} ${part ? "back" : ""}`}>
    <path class="line" d=${path} />
    ${now && html`<path class=${`runs ${step.phase === "backward" ? "back" : ""}`} d=${path} />`}
    ${part && html`<${Handed} place=${place} part=${part} now=${Boolean(now)} down=${plan.down} />`}
  </g>`;
}

/**
 * What was handed on: times the local derivative, this much.
 * @param {{place: {x: number, y: number}, part: import("./layout.js").Part, now: boolean, down: boolean}}
 *   props
 */
function Handed({ place, part, now, down }) {
  const times = `× ${short(part.local, 3)}`,
    gives = short(part.part, 3);
  const wide = 14 + (down ? 6.4 : 7.2) * Math.max(times.length, gives.length);
  return html`<g class=${`handed ${now ? "now" : ""}`} transform=${`translate(${place.x} ${place.y})`}>
    <rect x=${-wide / 2} y="-17" width=${wide} height="34" rx="9" />
    <text y="-4">${times}</text>
    <text y="11" class=${`gives ${toneOf(part.part)}`}>${gives}</text></g>`;
}

/**
 * @param {{tape: Tape, place: number, spot: Spot, plan: Plan, step: Step, known: Known, onPick: (place:
 *   number) => void}} props
 */
function Knot({ tape, place, spot, plan, step, known, onPick }) {
  const node = tape.nodes[place],
    r = node.constant ? plan.radius * 0.7 : plan.radius;
  const [x, y] = plan.at(spot);
  const valued = known.values.has(place),
    now = step.node === place,
    leaf = !node.inputs.length;
  const adjoint = known.adjoints.get(place);
  const shape = leaf
    ? html`<rect class="body" x=${-r} y=${-r} width=${2 * r} height=${2 * r} rx="8"
        style=${{ fill: node.constant ? undefined : colourOf((node.value ?? 0) / 4) }} />`
    : html`<circle class="body" r=${r}
        style=${{ fill: valued ? colourOf((0.6 * (node.value ?? 0)) / 2) : undefined }} />`;
  return html`<g class=${`knot ${now ? "now" : ""} ${valued ? "" : "blank"} ${node.constant ? "constant" : ""}`}
      data-node=${place} transform=${`translate(${x} ${y})`} onClick=${() => onPick(place)}>
    ${now && html`<circle class="halo" r=${r + 6} />`}
    ${shape}
    <text class=${leaf && !node.constant ? "sign letter" : "sign"}
        dy="0.35em">${leaf ? nameOf(tape, place) : signOf(node.op)}</text>
    ${!leaf && html`<text class="name" x=${-r * 0.8} y=${-r * 0.8}>${nameOf(tape, place)}</text>`}
    ${
      valued &&
      !node.constant &&
      html`<text class="value" y=${r + 17}>${short(node.value, plan.down ? 3 : 4)}
        </text>`
    }
    ${
      adjoint !== undefined &&
      html`<text class=${`adjoint ${toneOf(adjoint)}`} y=${r + 34}>∂ ${short(adjoint, 3)}
          </text>`
    }
  </g>`;
}

/** @param {{tape: Tape, step: Step, known: Known, label: string, onPick: (place: number) => void}} props */
export function Graph({ tape, step, known, label, onPick }) {
  const [ref, width] = useWidth();
  const shape = tape.nodes.map((node) => node.op + node.inputs).join();
  const layout = useMemo(() => layoutOf(tape), [shape]);
  const plan = planOf(layout, width || 800);
  useEffect(() => {
    const box = /** @type {HTMLElement | null} */ (ref.current);
    if (!box || step.node < 0 || box.scrollWidth <= box.clientWidth) return;
    const [x] = plan.at(layout.spots[step.node]);
    box.scrollTo({ left: x - box.clientWidth / 2 });
  }, [step]);
  return html`<div class="tape-picture"><div class="tape-graph" ref=${ref}>${
    width > 0 &&
    html`<svg width=${plan.width} height=${plan.height} role="img" aria-label=${label}>
    ${layout.links.map(
      (link) => html`<${Wire} key=${`${link.to}.${link.at}`} tape=${tape} link=${link} plan=${plan}
      step=${step} known=${known} />`,
    )}
    ${tape.nodes.map(
      (_, place) => html`<${Knot} key=${place} tape=${tape} place=${place} spot=${layout.spots[place]}
      plan=${plan} step=${step} known=${known} onPick=${onPick} />`,
    )}
  </svg>`
  }</div><p class="note legend">${t("tape.legend")}</p></div>`;
}
