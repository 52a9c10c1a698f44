/** Preact and htm under one name: html`<p>...</p>`, components as functions, and the hooks. */
import { h, render, Fragment } from "../lib/preact.mjs";
import htm from "../lib/htm.mjs";

export const html = htm.bind(h);
export { h, render, Fragment };
export {
  useState,
  useReducer,
  useEffect,
  useLayoutEffect,
  useRef,
  useMemo,
  useCallback,
} from "../lib/hooks.mjs";
