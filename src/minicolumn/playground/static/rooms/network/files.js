/** Files to the session, in parts, and from it, as downloads. */

const PART = 480_000; // bytes of a part; as base64 it is under a message's bound

/**
 * Send the bytes of a file: `load` a model, or a `table`.
 * @param {(doing: string, fields?: object) => Promise<any>} send @param {"load" | "table"} doing @param {File} file
 */
export async function sendFile(send, doing, file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const parts = Math.max(1, Math.ceil(bytes.length / PART));
  let answer = null;
  for (let part = 0; part < parts; part++) {
    const piece = bytes.subarray(part * PART, (part + 1) * PART);
    answer = send(doing, { name: file.name, part, parts, base64: base64(piece) });
    if (part === parts - 1) answer = await answer;
  }
  return answer;
}

/** Bytes as base64. @param {Uint8Array} bytes */
export function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8_192)
    text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  return btoa(text);
}

/** Save what a `file` frame holds. @param {import("../../frames.js").Frame} frame */
export function download(frame) {
  const url = URL.createObjectURL(new Blob([/** @type {any} */ (frame.arrays.bytes)], { type: frame.type }));
  const link = Object.assign(document.createElement("a"), { href: url, download: frame.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
