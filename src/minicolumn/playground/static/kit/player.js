/**
 * A player of things worked out step by step: plays, pauses, goes back and forth, is scrubbed, and its phases
 *   are
 * jumped to. It plays by itself once on arrival; a reader who asked for less motion finds everything worked
 *   out instead.
 */
import { html, useEffect, useRef, useState } from "./html.js";
import { IconButton, Segmented, useKeys } from "./controls.js";
import { Icon } from "./icons.js";
import { stillness } from "./theme.js";
import { t } from "../i18n.js";

const PACE = 1_700; // ms a step at speed 1
const SPEEDS = [0.5, 1, 2, 4];

/**
 * @typedef {{at: number, count: number, playing: boolean, speed: number, go: (at: number) => void, back: ()
 *   => void,
 *   forward: () => void, toggle: () => void, replay: () => void, pause: () => void, setSpeed: (speed: number)
 *   => void}} Player
 */

/**
 * @param {number} count  how many steps there are; 0 while nothing is known yet
 * @param {(at: number) => number} [pace]  how long a step stays, against others
 * @returns {Player}
 */
export function usePlayer(count, pace = () => 1) {
  const [at, setAt] = useState(0),
    [playing, setPlaying] = useState(false),
    [speed, setSpeed] = useState(1);
  const begun = useRef(false);
  const last = Math.max(0, count - 1),
    here = Math.min(at, last);
  useEffect(() => {
    if (!playing) return undefined;
    const timer = setTimeout(
      () => (here < last ? setAt(here + 1) : setPlaying(false)),
      (pace(here) * PACE) / speed,
    );
    return () => clearTimeout(timer);
  }, [playing, here, last, speed, count]);
  /** @param {number} to */
  const go = (to) => {
    setPlaying(false);
    setAt(Math.max(0, Math.min(last, to)));
  };
  /** @param {number} from */
  const play = (from) => {
    setAt(from);
    setPlaying(true);
  };
  const replay = () => (stillness() ? setAt(Number.MAX_SAFE_INTEGER) : play(0));
  useEffect(() => {
    if (!count || begun.current) return;
    begun.current = true;
    replay();
  }, [count]);
  return {
    at: here,
    count,
    playing,
    speed,
    go,
    replay,
    pause: () => setPlaying(false),
    back: () => go(here - 1),
    forward: () => go(here + 1),
    toggle: () => (playing ? setPlaying(false) : play(here < last ? here : 0)),
    setSpeed,
  };
}

/**
 * The player's buttons, and its phases, each as wide as it has steps. Space, the arrows, Home and End do the
 *   same.
 * @param {{player: Player, phases: {key: string, label: string, from: number, to: number}[], said: string,
 *   children?: any}} props
 *   to: the phase's last step; said: what is done at this step
 */
export function PlayerBar({ player, phases, said, children }) {
  const { at, count, playing } = player;
  useKeys({
    " ": player.toggle,
    s: player.forward,
    ArrowRight: player.forward,
    ArrowLeft: player.back,
    Home: () => player.go(0),
    End: () => player.go(count - 1),
  });
  const run = `${t(playing ? "shell.pause" : "shell.run")} (${t("shell.space")})`;
  return html`<div class="player">
    <div class="player-buttons">
      <${IconButton} icon="stepBack" label=${`${t("player.back")} (←)`} disabled=${at === 0}
          onClick=${player.back} />
      <button type="button" class=${`run ${playing ? "running" : ""}`} aria-label=${run} title=${run}
        onClick=${player.toggle}><${Icon} name=${playing ? "pause" : "play"} size=${24} /></button>
      <${IconButton} icon="step" label=${`${t("player.forward")} (→)`} disabled=${at === count - 1}
        onClick=${player.forward} />
    </div>
    <div class="player-way">
      <div class="player-phases">${phases.map((phase) => {
        const now = at >= phase.from && at <= phase.to;
        return html`<button type="button" key=${phase.key} class="player-phase" data-phase=${phase.key}
          aria-current=${now ? "step" : undefined} onClick=${() => player.go(phase.from)}
          style=${{ flexGrow: phase.to - phase.from + 1 }}><span class="player-label">${phase.label}</span>
          <span class="player-track"><span style=${{ width: share(at, phase) }} /></span></button>`;
      })}</div>
      <input class="player-scrub" type="range" min="0" max=${Math.max(0, count - 1)} step="1" value=${at}
        aria-label=${t("player.place")} aria-valuetext=${said}
        onInput=${(/** @type {any} */ e) => player.go(Number(e.target.value))} />
    </div>
    <${Segmented} class="player-speed" label=${t("player.speed")} value=${player.speed}
        onChange=${player.setSpeed}
      options=${SPEEDS.map((value) => ({ value, label: `${value}×` }))} />
    ${children && html`<div class="player-more">${children}</div>`}
    <p class="sr" aria-live=${playing ? "off" : "polite"}>${said}</p>
  </div>`;
}

/** How much of a phase is over. @param {number} at @param {{from: number, to: number}} phase */
const share = (at, { from, to }) => `${(100 * Math.max(0, Math.min(to, at) - from + 1)) / (to - from + 1)}%`;
