/** Strokes of a pen, and what they are in 8 by 8 pixels: fitted into the box as the digits of the data are, and averaged down. */

/** @typedef {[number, number][]} Stroke points from 0 to 1, the upper left corner first */

export const SIDE = 8;
const FINE = 96, // pixels on which strokes are drawn before they are averaged
  PEN = 0.135, // of the box: as wide as the strokes of the data
  LARGEST = 2.5; // that a small drawing is enlarged by

/** @param {Stroke[]} strokes */
function boxOf(strokes) {
  const points = strokes.flat(),
    [x, y] = [points.map((p) => p[0]), points.map((p) => p[1])];
  return { left: Math.min(...x), right: Math.max(...x), top: Math.min(...y), bottom: Math.max(...y) };
}

/** @param {CanvasRenderingContext2D} context @param {Stroke[]} strokes @param {(point: [number, number]) => [number, number]} to @param {number} pen */
export function drawStrokes(context, strokes, to, pen) {
  context.lineJoin = context.lineCap = "round";
  context.lineWidth = pen;
  for (const stroke of strokes) {
    const points = stroke.map(to);
    context.beginPath();
    context.moveTo(...points[0]);
    for (let i = 1; i + 1 < points.length; i++) {
      const [x, y] = points[i];
      context.quadraticCurveTo(x, y, (x + points[i + 1][0]) / 2, (y + points[i + 1][1]) / 2);
    }
    context.lineTo(...points[points.length - 1]);
    context.stroke();
  }
}

/** What the network is given: 64 numbers from 0 to 1. @param {Stroke[]} strokes @returns {number[]} */
export function pixelsOf(strokes) {
  if (!strokes.length) return new Array(SIDE * SIDE).fill(0);
  const { left, right, top, bottom } = boxOf(strokes),
    room = 1 - PEN;
  const scale = Math.min(LARGEST, room / Math.max(0.01, bottom - top), room / Math.max(0.01, right - left));
  const canvas = Object.assign(document.createElement("canvas"), { width: FINE, height: FINE }),
    context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  drawStrokes(
    context,
    strokes,
    ([x, y]) => [
      FINE * (0.5 + scale * (x - (left + right) / 2)),
      FINE * (0.5 + scale * (y - (top + bottom) / 2)),
    ],
    FINE * PEN,
  );
  const { data } = context.getImageData(0, 0, FINE, FINE),
    cell = FINE / SIDE,
    pixels = new Array(SIDE * SIDE).fill(0);
  for (let y = 0; y < FINE; y++)
    for (let x = 0; x < FINE; x++)
      pixels[Math.floor(y / cell) * SIDE + Math.floor(x / cell)] += data[4 * (y * FINE + x) + 3];
  return pixels.map((sum) => Number(Math.min(1, sum / (255 * cell * cell)).toFixed(4)));
}
