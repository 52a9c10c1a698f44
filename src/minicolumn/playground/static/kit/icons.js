/** Icons as inline SVG, drawn on a grid of 24 with lines of 1.75. They say nothing to screen readers: names do. */
import { html } from "./html.js";

/** @type {Record<string, string>} */
const PATHS = {
  play: "M8 5.5v13l10.5-6.5z",
  pause: "M8 5.5v13M16 5.5v13",
  step: "M6 5.5v13l9-6.5zM18 5.5v13",
  stepBack: "M18 5.5v13l-9-6.5zM6 5.5v13",
  reset: "M4.5 12a7.5 7.5 0 1 0 2.6-5.7M4.5 4v4.2h4.2",
  plus: "M12 6v12M6 12h12",
  minus: "M6 12h12",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  sun: "M12 8.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6zM12 3v1.8M12 19.2V21M3 12h1.8M19.2 12H21M5.6 5.6l1.3 1.3M17.1 17.1l1.3 1.3M5.6 18.4l1.3-1.3M17.1 6.9l1.3-1.3",
  moon: "M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z",
  help: "M9.3 9.2a2.8 2.8 0 1 1 4 2.5c-.9.5-1.3 1-1.3 2v.3M12 17.2v.1M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
  download: "M12 4v10M8 10.5l4 4 4-4M5 19h14",
  upload: "M12 15V5M8 8.5l4-4 4 4M5 19h14",
  link: "M10 14a3.6 3.6 0 0 0 5.1 0l3-3A3.6 3.6 0 0 0 13 5.900l-1 1M14 10a3.6 3.6 0 0 0-5.1 0l-3 3A3.6 3.6 0 0 0 11 18.100l1-1",
  brush: "M14.500 5.500l4 4-8.500 8.500-5 1 1-5zM12.500 7.500l4 4",
  erase: "M8.500 18.500L4.500 14.500l9-9 5.500 5.500-7.500 7.500zM9 10l5.500 5.500M8.500 18.500H19",
  move: "M12 4v16M4 12h16M9.500 6.500L12 4l2.500 2.500M9.500 17.500L12 20l2.500-2.500M6.500 9.500L4 12l2.500 2.500M17.500 9.500L20 12l-2.500 2.500",
  chevron: "M7 10l5 5 5-5",
  pin: "M9 4h6l-.7 6 3.200 3.500h-11L9.700 10zM12 13.500V20",
  refresh:
    "M18.500 8A7.500 7.500 0 0 0 5 9.500M5.500 16A7.500 7.500 0 0 0 19 14.500M18.800 4v4.200h-4.200M5.200 20v-4.200h4.200",
  back: "M10 6l-6 6 6 6M4 12h16",
  warning: "M12 4.500L3.500 19h17zM12 10v4.500M12 16.800v.1",
  check: "M5 12.500l4.500 4.500L19 7.500",
  globe:
    "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17zM3.500 12h17M12 3.500c2.500 2.500 3.500 5.500 3.500 8.500s-1 6-3.500 8.500c-2.500-2.500-3.500-5.500-3.500-8.500s1-6 3.500-8.500z",
  rewind: "M18.500 6v12l-8.500-6zM6 6v12",
  goal: "M6.500 20.500V4.500M6.500 5h10.500l-2.500 3.500 2.500 3.500H6.500",
  trash: "M5 7h14M9.500 7V4.500h5V7M7 7l1 12.500h8L17 7",
};
const FILLED = new Set(["play", "step", "stepBack"]);

/** @param {{name: string, size?: number}} props */
export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true"
      focusable="false"
    fill=${FILLED.has(name) ? "currentColor" : "none"} stroke="currentColor" stroke-width="1.75"
        stroke-linecap="round" stroke-linejoin="round">
    <path d=${PATHS[name]} /></svg>`;
}
