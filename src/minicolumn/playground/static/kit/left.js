/** What a page leaves behind in its tab, for the one that is loaded there next, if that is this one anew. */

/**
 * Leave what is there at the end, if anything is. @param {string} name @param {() => object | null | undefined} what
 */
export function leave(name, what) {
  addEventListener("pagehide", () => {
    const found = what();
    try {
      if (found) sessionStorage.setItem(name, JSON.stringify(found));
    } catch {
      sessionStorage.removeItem(name); // too large: it begins anew
    }
  });
}

/** What was left, once; null where the page was not loaded anew. @param {string} name @returns {any} */
export function left(name) {
  const found = sessionStorage.getItem(name);
  sessionStorage.removeItem(name);
  const [way] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return found && way?.type === "reload" ? JSON.parse(found) : null;
}
