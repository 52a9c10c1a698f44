/**
 * Wide screens: style.css draws the whole page larger there, in one place (`--scale`, by `zoom`). Lengths that an element
 * tells of itself (clientWidth, offsetTop, contentRect) are its own pixels; what the window tells (a pointer's place,
 * getBoundingClientRect, innerWidth) is in the window's. Here one becomes the other.
 */
import { useEffect, useState } from "./html.js";

let known = 0;
addEventListener("resize", () => {
  known = 0;
});

/** How many of the window's pixels are one of the page's; 1 where a browser does not draw it larger. @returns {number} */
export function scale() {
  if (!known) {
    const { width } = document.body.getBoundingClientRect();
    known = Math.round((100 * width) / (document.body.offsetWidth || width)) / 100 || 1;
  }
  return known;
}

/** The same, for what has to be made anew when it changes. @returns {number} */
export function useScale() {
  const [now, set] = useState(scale());
  useEffect(() => {
    const look = () => set(scale());
    addEventListener("resize", look);
    return () => removeEventListener("resize", look);
  }, []);
  return now;
}

/** Pixels of the screen that are one of the page's. */
export const pixelRatio = () => Math.min(3, (window.devicePixelRatio || 1) * scale());

/** The window's size in the page's pixels. */
export const viewport = () => ({ width: innerWidth / scale(), height: innerHeight / scale() });

/**
 * Where a pointer is, in pixels of an element from its upper left.
 * @param {{clientX: number, clientY: number}} pointer @param {Element} element @returns {[number, number]}
 */
export function placeOn({ clientX, clientY }, element) {
  const area = element.getBoundingClientRect(), by = scale();
  return [(clientX - area.left) / by, (clientY - area.top) / by];
}
