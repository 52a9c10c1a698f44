/**
 * The address: which room is open and how it is set.
 *
 *     #/softmax?temperature=2     a room, and what it remembers
 *     #units=4,2                  the room `network`, set by this link; #/network?units=4,2 says the same
 *     #activation=relu&...        a link of TensorFlow Playground: the room `network`, set by it
 *     #t=...                      the token of this start of the program, exchanged for a cookie and taken away
 */

/** @returns {{room: string, query: URLSearchParams, link: string | null}} */
export function place() {
  const hash = location.hash;
  if (hash.startsWith("#/")) {
    const [room, query = ""] = hash.slice(2).split("?");
    const link = query && (!room || room === "network") ? `#${query}` : null;
    return { room: room || "network", query: new URLSearchParams(query), link };
  }
  return { room: "network", query: new URLSearchParams(), link: hash.length > 1 ? hash : null };
}

/** @param {string} room */
export const go = (room) => history.replaceState(null, "", `#/${room}`);

/** Exchange the token for a cookie, and take it out of the address and the history. */
export async function exchangeToken() {
  const found = /^#t=([\w-]+)(?:&(.*))?$/.exec(location.hash);
  if (!found) return;
  history.replaceState(null, "", found[2] ? `#${found[2]}` : location.pathname + location.search);
  await fetch("token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token: found[1] }),
  });
}
