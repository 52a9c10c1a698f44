/**
 * What a session says: a JSON header and arrays in one binary message (playground/frames.py).
 *
 *     uint32 length of the header, little-endian | header, padded | array | array | ...     at multiples of 8 bytes
 *
 * @typedef {Uint8Array | Int32Array | Float32Array | Float64Array} Numbers
 * @typedef {{room: string, kind: string, id?: number, arrays: Record<string, Numbers>,
 *            shapes: Record<string, number[]>, [says: string]: any}} Frame
 */

const TYPES = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array, float64: Float64Array };

/**
 * Return the frame that a binary message holds; its arrays are views into it.
 * @param {ArrayBuffer} buffer
 * @returns {Frame}
 */
export function decoded(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = /** @type {Record<string, Numbers>} */ ({}),
    shapes = /** @type {Record<string, number[]>} */ ({});
  let at = 4 + length;
  for (const [name, dtype, shape] of header.arrays) {
    const Type = TYPES[/** @type {keyof typeof TYPES} */ (dtype)];
    const count = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    arrays[name] = new Type(buffer, at, count);
    shapes[name] = shape;
    at += Math.ceil((count * Type.BYTES_PER_ELEMENT) / 8) * 8;
  }
  return { ...header, arrays, shapes };
}
