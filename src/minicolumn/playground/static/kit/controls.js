/**
 * Controls, all usable by mouse, touch and keyboard, all with a name for screen readers:
 * Field, Select, Slider, NumberPick (typed, or picked from a list), Toggle, Segmented, Button, IconButton, RunButtons, Popover.
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";
import { scale, viewport } from "./scale.js";
import { t } from "../i18n.js";

let made = 0;
/** An id of its own for each use. @returns {string} */
function useId() {
  const ref = useRef("");
  if (!ref.current) ref.current = `c${++made}`;
  return ref.current;
}

/**
 * A label over a control.
 * @param {{label: string, for?: string, value?: any, title?: string, children?: any, class?: string}} props
 */
export function Field({ label, for: target, value, title, children, class: more = "" }) {
  return html`<div class=${`field ${more}`} title=${title}>
    <label class="field-label" for=${target}><span>${label}</span>${
      value !== undefined &&
      html`<output
        class="field-value">${value}</output>`
    }</label>
    ${children}
  </div>`;
}

/**
 * @typedef {{value: any, label: string}} Option
 * @param {{label: string, value: any, options: Option[], onChange: (value: any) => void, title?: string, disabled?: boolean, bare?: boolean, class?: string}} props
 * `bare`: without the label over it (it is still the name)
 */
export function Select({ label, value, options, onChange, title, disabled, bare, class: more = "" }) {
  const id = useId();
  const list = options.some((option) => option.value === value)
    ? options
    : [{ value, label: String(value) }, ...options];
  const at = list.findIndex((option) => option.value === value);
  const select = html`<span class="select"><select id=${id} aria-label=${bare ? label : undefined}
      disabled=${disabled} title=${title}
      value=${String(at)} onChange=${(/** @type {any} */ e) => onChange(list[Number(e.target.value)].value)}>
    ${list.map(
      (option, i) => html`<option key=${i} value=${String(i)} selected=${i === at}>${option.label}
        </option>`,
    )}
  </select><${Icon} name="chevron" size=${14} /></span>`;
  return bare ? select : html`<${Field} label=${label} for=${id} title=${title} class=${more}>${select}<//>`;
}

/**
 * @param {{label: string, value: number, min: number, max: number, step?: number, show?: (value: number) => string,
 *          onChange: (value: number) => void, title?: string, disabled?: boolean}} props
 */
export function Slider({ label, value, min, max, step = 1, show = String, onChange, title, disabled }) {
  const id = useId();
  const share = `${(100 * (Math.min(max, Math.max(min, value)) - min)) / (max - min || 1)}%`;
  return html`<${Field} label=${label} for=${id} value=${show(value)} title=${title}>
    <input class="slider" id=${id} type="range" min=${min} max=${max} step=${step} value=${value}
        disabled=${disabled}
      aria-valuetext=${show(value)} style=${{ "--share": share }}
      onInput=${(/** @type {any} */ e) => onChange(Number(e.target.value))} />
  <//>`;
}

/** A number in few digits. @param {number | null | undefined} value @param {number} [digits] */
export function short(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5))
    return value.toExponential(1).replace("e+", "e").replace("-", "−").replace("e-", "e−");
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

/** The class of a number's sign; none where it is no finite number. @param {number | null | undefined} value */
export const toneOf = (value) => (value === null || value === undefined ? "" : value < 0 ? "minus" : "plus");

/**
 * A number that is typed, or picked from a list of usual ones.
 * @param {{label: string, value: number | null, options: number[], onChange: (value: number) => void, title?: string, disabled?: boolean, class?: string}} props
 */
export function NumberPick({ label, value, options, onChange, title, disabled, class: more = "" }) {
  const id = useId();
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  const take = () => {
    const number = Number(typed);
    if (typed !== null && typed.trim() !== "" && Number.isFinite(number) && number !== value)
      onChange(number);
    setTyped(null);
  };
  return html`<${Field} label=${label} for=${id} title=${title} class=${more}>
    <span class="select pick">
      <input id=${id} type="text" inputmode="decimal" autocomplete="off" disabled=${disabled}
          value=${typed ?? String(value ?? "")}
        onInput=${(/** @type {any} */ e) => setTyped(e.target.value)} onBlur=${take}
        onKeyDown=${(/** @type {any} */ e) => {
          if (e.key === "Enter") take();
          if (e.key === "Escape") setTyped(null);
        }} />
      <select aria-label=${label} tabindex="-1" disabled=${disabled} value=${String(value)}
        onChange=${(/** @type {any} */ e) => {
          setTyped(null);
          onChange(Number(e.target.value));
        }}>
        ${
          options.includes(value ?? NaN)
            ? null
            : html`<option value=${String(value)}>${String(value ?? "")}
            </option>`
        }
        ${options.map(
          (option) => html`<option key=${option} value=${String(option)}
            selected=${option === value}>${option}</option>`,
        )}
      </select><${Icon} name="chevron" size=${14} />
    </span>
  <//>`;
}

/** @param {{label: string, value: boolean, onChange: (value: boolean) => void, title?: string, disabled?: boolean}} props */
export function Toggle({ label, value, onChange, title, disabled }) {
  return html`<button type="button" class="toggle" role="switch" aria-checked=${String(value)}
      disabled=${disabled} title=${title}
    onClick=${() => onChange(!value)}><span class="toggle-track" aria-hidden="true"><span /></span>
        <span>${label}</span></button>`;
}

/**
 * One of a few, side by side; arrow keys move.
 * @param {{label: string, value: any, options: (Option & {icon?: string})[], onChange: (value: any) => void, class?: string}} props
 */
export function Segmented({ label, value, options, onChange, class: more = "" }) {
  /** @param {KeyboardEvent} e */
  const move = (e) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (!by) return;
    e.preventDefault();
    const at = options.findIndex((option) => option.value === value);
    const next = (at + by + options.length) % options.length;
    onChange(options[next].value);
    /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (e.currentTarget).children[next]).focus();
  };
  return html`<div class=${`segmented ${more}`} role="radiogroup" aria-label=${label} onKeyDown=${move}>
    ${options.map(
      (option) => html`<button type="button" key=${option.value} role="radio"
          aria-checked=${String(option.value === value)}
      aria-label=${option.icon ? option.label : undefined} title=${option.icon ? option.label : undefined}
      tabindex=${option.value === value ? 0 : -1} onClick=${() => onChange(option.value)}>
      ${option.icon ? html`<${Icon} name=${option.icon} size=${16} />` : option.label}</button>`,
    )}
  </div>`;
}

/** @param {{onClick?: () => void, icon?: string, kind?: "main" | "plain" | "quiet", children?: any, disabled?: boolean, title?: string, [more: string]: any}} props */
export function Button({ onClick, icon, kind = "plain", children, class: other = "", ...more }) {
  return html`<button type="button" class=${`button ${kind} ${other}`} onClick=${onClick}
      ...${more}>${icon && html`<${Icon} name=${icon} size=${16} />`}${children}</button>`;
}

/** A button that shows an icon alone. @param {{label: string, icon: string, onClick: (event?: any) => void, size?: number, class?: string, [more: string]: any}} props */
export function IconButton({ label, icon, onClick, size = 18, class: other = "", ...more }) {
  return html`<button type="button" class=${`icon-button ${other}`} aria-label=${label} title=${label}
      onClick=${onClick} ...${more}><${Icon} name=${icon} size=${size} /></button>`;
}

/**
 * Reset, run or pause, and step: each is there where it is given something to do.
 * @param {{running: boolean, onRun?: (() => void) | false, onStep?: (() => void) | false, onReset?: (() => void) | false,
 *          step?: string, children?: any}} props  step: the name of a step; children stand behind the buttons
 */
export function RunButtons({ running, onRun, onStep, onReset, step = t("shell.step"), children }) {
  const run = `${t(running ? "shell.pause" : "shell.run")} (${t("shell.space")})`;
  return html`<div class="run-buttons">
    ${onReset && html`<${IconButton} icon="reset" label=${`${t("shell.reset")} (R)`} onClick=${onReset} />`}
    ${
      onRun &&
      html`<button type="button" class=${`run ${running ? "running" : ""}`} aria-label=${run} title=${run}
          onClick=${onRun}>
      <${Icon} name=${running ? "pause" : "play"} size=${26} /></button>`
    }
    ${onStep && html`<${IconButton} icon="step" label=${`${step} (S)`} onClick=${onStep} />`}
    ${children}
  </div>`;
}

/**
 * Space runs, s steps, r resets, and others as given; not while something is typed.
 * @param {Record<string, (() => void) | false | undefined>} keys  by what `KeyboardEvent.key` says, small letters
 */
export function useKeys(keys) {
  const now = useRef(keys);
  now.current = keys;
  useEffect(() => {
    let pressed = false; // whether a pointer was used last: what it left focused is not meant by a space
    const point = () => {
      pressed = true;
    };
    const key = (/** @type {KeyboardEvent} */ e) => {
      const target = /** @type {HTMLElement} */ (e.target);
      if (e.key === "Tab" || e.key.startsWith("Arrow")) pressed = false;
      if (e.ctrlKey || e.metaKey || e.altKey || target.closest("input, select, textarea, [role=dialog]"))
        return;
      if (e.key === " " && !pressed && target.closest("button, a, summary")) return;
      const found = now.current[e.key.length === 1 ? e.key.toLowerCase() : e.key];
      if (!found) return;
      e.preventDefault();
      if (e.key === " ") target.blur();
      found();
    };
    addEventListener("keydown", key);
    addEventListener("pointerdown", point, true);
    return () => {
      removeEventListener("keydown", key);
      removeEventListener("pointerdown", point, true);
    };
  }, []);
}

/**
 * A small dialog at a place of the window; Escape, a click elsewhere and its own close button end it, and the focus
 * goes back to where it was.
 * @param {{at: {x: number, y: number}, label: string, onClose: () => void, children?: any, class?: string}} props
 */
export function Popover({ at, label, onClose, children, class: more = "" }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return;
    const { offsetWidth: width, offsetHeight: height } = box, room = viewport();
    const [x, y] = [at.x / scale(), at.y / scale()];
    box.style.left = `${Math.max(8, Math.min(x - width / 2, room.width - width - 8))}px`;
    box.style.top = `${y + 14 + height > room.height - 8 ? Math.max(8, y - height - 14) : y + 14}px`;
  }, [at.x, at.y]);
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    /** @type {HTMLElement | null | undefined} */ (
      ref.current?.querySelector("input, select, button:not(.popover-close)")
    )?.focus();
    /** @param {KeyboardEvent} e */
    const key = (e) => {
      if (e.key === "Escape") {
        e.stopPropagation();
        onClose();
      }
    };
    /** @param {Event} e */
    const press = (e) => {
      if (!ref.current?.contains(/** @type {Node} */ (e.target))) onClose();
    };
    document.addEventListener("keydown", key, true);
    document.addEventListener("pointerdown", press, true);
    return () => {
      document.removeEventListener("keydown", key, true);
      document.removeEventListener("pointerdown", press, true);
      before?.focus?.();
    };
  }, []);
  return html`<div class=${`popover ${more}`} ref=${ref} role="dialog" aria-label=${label}>${children}</div>`;
}
