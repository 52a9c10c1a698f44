/** Curves over steps: uPlot in the page's colours, with a log axis, a read-out under the pointer, and room for other runs. */
import uPlot from "../lib/uplot.mjs";
import { html, useLayoutEffect, useRef } from "./html.js";
import { useScale } from "./scale.js";
import { onTheme, token } from "./theme.js";

/**
 * @typedef {{label: string, colour: string, dash?: number[], width?: number}} Series  colour: a design token such as
 *   "--ink", or a CSS colour
 * @typedef {{plot: any | null, set: (data: ArrayLike<number | null>[]) => void}} CurveHandle
 */

/** @param {string} colour */
const ink = (colour) => (colour.startsWith("--") ? token(colour) : colour);

/** Few digits for ticks. @param {number} v */
const tick = (v) =>
  Math.abs(v) >= 1e6
    ? `${v / 1e6}M`
    : Math.abs(v) >= 1e4
      ? `${v / 1e3}k`
      : Math.abs(v) <= 1e-3 && v
        ? v.toExponential(0)
        : String(Number(v.toPrecision(3)));

/** Ends of an axis, from the numbers' ends; null where there are none. @param {any} _ @param {number | null} low @param {number | null} high */
const linear = (_, low, high) =>
  low === null || high === null ? [0, 1] : [Math.min(0, low), high > low ? high * 1.05 : high + 1];
/** @type {typeof linear} */
const decades = (_, low, high) =>
  low === null || high === null ? [0.1, 1] : [low / 1.3, Math.max(high * 1.3, low * 2)];

/**
 * The lines of a log axis: powers of ten, or 1, 2 and 5 of each where there are but few. uPlot's own go on for ever at some
 * ends that are no powers of ten.
 * @param {number} low @param {number} high @returns {number[]}
 */
export function logLines(low, high) {
  if (!(low > 0 && high > low && high < Infinity)) return [];
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const every = Math.max(1, Math.ceil((last - first) / 12)), lines = [];
  for (let power = first; power <= last; power += every)
    for (const digit of last - first > 3 ? [1] : [1, 2, 5]) lines.push(Number(`${digit}e${power}`));
  return lines.filter((v) => v >= low && v <= high);
}

/** @param {any} _ @param {number[]} lines */
const all = (_, lines) => lines;

/** @param {Series[]} series @param {boolean} log @param {number} width @param {number} height @param {boolean} axes @param {(index: number | null, plot: any) => void} read @param {string} along @param {number} by  how much larger than usual it is drawn */
function options(series, log, width, height, axes, read, along, by) {
  const axis = {
    stroke: () => token("--muted"),
    grid: { stroke: () => token("--line"), width: by },
    ticks: { show: false },
    font: `${11 * by}px ${token("--sans")}`,
    size: 34 * by,
    gap: 4 * by,
  };
  return {
    width,
    height,
    legend: { show: false },
    padding: (axes ? [8, 16, 0, 0] : [4, 4, 4, 4]).map((side) => side * by),
    cursor: { y: false, points: { size: 7 * by }, drag: { x: false, y: false } },
    scales: {
      x: { time: false },
      y: {
        distr: log ? 3 : 1,
        range: log ? decades : linear,
      },
    },
    axes: axes
      ? [
          {
            ...axis,
            size: 24 * by,
            values: (/** @type {any} */ _, /** @type {number[]} */ v) => v.map(tick),
            space: 60 * by,
          },
          {
            ...axis,
            values: (/** @type {any} */ _, /** @type {number[]} */ v) =>
              v.map((n) => (n === null ? "" : tick(n))),
            space: 26 * by,
            ...(log
              ? {
                  splits: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ low, /** @type {number} */ high) =>
                    logLines(low, high),
                  filter: all,
                  grid: { ...axis.grid, filter: all },
                }
              : {}),
          },
        ]
      : [{ show: false }, { show: false }],
    series: [
      { label: along },
      ...series.map((s) => ({
        label: s.label,
        stroke: () => ink(s.colour),
        width: (s.width ?? 1.75) * by,
        dash: s.dash?.map((part) => part * by),
        points: { show: false },
        spanGaps: true,
      })),
    ],
    hooks: { setCursor: [(/** @type {any} */ plot) => read(plot.cursor.idx, plot)] },
  };
}

/**
 * Curves that grow. `handle.current.set([steps, first, second, ...])` puts the numbers in, without rendering anew.
 * @param {{series: Series[], handle: {current: CurveHandle | null}, label: string, log?: boolean, height?: number,
 *          axes?: boolean, along?: string, onRead?: (row: (number | null)[] | null) => void}} props
 * onRead: the numbers under the pointer, [step, first, second, ...], or null
 */
export function Curve({
  series,
  handle,
  label,
  log = false,
  height = 150,
  axes = true,
  along = "step",
  onRead,
}) {
  const by = useScale(); // uPlot counts in pixels of the window, so its box is not drawn larger, but all in it
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  const data = useRef(/** @type {any} */ (null));
  const names = series.map((s) => s.label + s.colour + (s.dash ?? "")).join();
  // A layout effect, as effects of those who put numbers in may run before its own.
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return;
    const empty = [[], ...series.map(() => [])];
    const fitting = data.current?.length === empty.length ? data.current : empty;
    const plot = new uPlot(
      options(
        series,
        log,
        box.clientWidth || 300,
        height * by,
        axes,
        (i, of) =>
          onRead?.(
            i === null || i === undefined
              ? null
              : of.data.map((/** @type {any} */ column) => column[i] ?? null),
          ),
        along,
        by,
      ),
      fitting,
      box,
    );
    handle.current = {
      plot,
      set: (next) => {
        data.current = next;
        if (next.length === empty.length) plot.setData(/** @type {any} */ (next));
      },
    };
    const observer = new ResizeObserver(() => {
      if (box.clientWidth) plot.setSize({ width: box.clientWidth, height: height * by });
    });
    observer.observe(box);
    const stop = onTheme(() => plot.redraw(false, true));
    return () => {
      observer.disconnect();
      stop();
      handle.current = null;
      plot.destroy();
    };
  }, [names, log, height, axes, by]);
  return html`<div class="curve" ref=${ref} role="img" aria-label=${label} />`;
}
