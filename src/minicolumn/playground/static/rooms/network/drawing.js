/**
 * The drawn network: links, tiles and biases on canvases. Links are gathered into few paths by sign and strength, maps
 * come from one atlas; what did not change is not drawn again.
 *
 * @typedef {import("./geometry.js").Geometry} Geometry
 * @typedef {import("./geometry.js").Spot} Spot
 * @typedef {import("./model.js").Live} Live
 * @typedef {import("./model.js").Link} Link
 */
import { colourOf, signColour } from "../../kit/colour.js";
import { sized } from "../../kit/canvas.js";
import { pixelRatio } from "../../kit/scale.js";
import { table } from "../../kit/colour.js";
import { stillness, theme, token } from "../../kit/theme.js";
import { trace } from "./geometry.js";
import { isOutput, layout, neuronCount } from "./model.js";

const LEVELS = 12,
  STRONG = 4; // a weight of 4 has the widest line
// What a machine can draw in a frame differs widely: how much is drawn follows from how fast frames come.
const MOST_MOVING = 600; // links whose gaps move; of more, the strongest
const MOST_DRAWN = 8_000; // links; of more, the strongest
const SLOW = 21,
  QUICK = 17.6; // ms between frames: over the one less is drawn, under the other more again
const FULL = 150; // links of a bundle
const SLICE = 3; // bundles that are drawn in a frame, where the machine is slow
const SIDE = 100;

/** @param {number} weight @returns {number} 0 .. LEVELS - 1 */
const level = (weight) =>
  Math.min(LEVELS - 1, Math.floor(LEVELS * Math.sqrt(Math.min(1, Math.abs(weight) / STRONG))));

/** @typedef {{path: Path2D, sign: number, level: number, lit: boolean, count: number}} Bundle */

/**
 * Gather links into bundles of one look.
 * @param {Spot[][]} spots @param {Live} live @param {import("./model.js").Neuron | null} lit  light the links of this neuron alone
 * @returns {Bundle[]}
 */
function bundles(spots, live, lit) {
  /** @type {Map<number, Bundle>} */
  const open = new Map();
  const found = /** @type {[number, Bundle][]} */ ([]);
  const { weights, state } = live;
  if (!weights || !state) return [];
  layout(state).forEach(({ fanIn, units, at }, layer) => {
    for (let source = 0; source < fanIn; source++) {
      for (let unit = 0; unit < units; unit++) {
        const weight = weights[at + source * units + unit];
        const on =
          !lit ||
          (lit.layer === layer && lit.unit === unit) ||
          (lit.layer === layer - 1 && lit.unit === source);
        const key = level(weight) * 4 + (weight < 0 ? 2 : 0) + (on ? 1 : 0);
        let bundle = open.get(key);
        if (!bundle || bundle.count >= FULL) {
          bundle = { path: new Path2D(), sign: weight < 0 ? -1 : 1, level: level(weight), lit: on, count: 0 };
          open.set(key, bundle);
          found.push([key, bundle]);
        }
        trace(bundle.path, spots[layer][source], spots[layer + 1][unit]);
        bundle.count++;
      }
    }
  });
  return found.sort(([a], [b]) => (a & 1) - (b & 1) || a - b).map(([, bundle]) => bundle);
}

/** Whether there is a spot for each input and each neuron. @param {Spot[][]} spots @param {import("../../frames.js").Frame} state */
const fits = (spots, state) =>
  [state.inputs.length, ...state.layers.map((/** @type {{units: number}} */ l) => l.units)].join() ===
  spots.map((column) => column.length).join();

/** @param {number} strength @param {number} crowd */
const lineWidth = (strength, crowd) => (0.6 + 6.4 * ((strength + 0.5) / LEVELS) ** 1.6) * crowd;

export class Drawing {
  /**
   * @param {Live} live
   * @param {{links: HTMLCanvasElement, flow: HTMLCanvasElement, tiles: HTMLCanvasElement, biases: HTMLCanvasElement}} canvases
   */
  constructor(live, canvases) {
    this.live = live;
    this.canvases = canvases;
    this.atlas = document.createElement("canvas");
    this.featureAtlas = document.createElement("canvas");
    /** @type {Geometry | null} */
    this.geometry = null;
    /** @type {Spot[]} */
    this.inputs = [];
    this.drawn = "";
    this.look = "";
    this.tilesDrawn = "";
    this.share = 1; // of what would be drawn, from 0.01 to 1
    this.pace = 16; // ms between frames, averaged
    this.last = 0;
    this.linksAt = 0;
    this.tilesAt = 0;
    this.behind = document.createElement("canvas");
    this.behind.getContext("2d", { willReadFrequently: true }); // as `goOnWithLinks` does
    /** @type {Bundle[]} */
    this.waiting = []; // bundles that are still to be drawn
    this.flowing = false;
    /** @type {Bundle[]} */
    this.bundles = [];
    /** @type {unknown} */
    this.mapsOf = null;
    /** @type {unknown} */
    this.featuresOf = null;
    this.across = 1;
  }

  /** What feeds each layer, and is fed. @returns {Spot[][]} */
  get spots() {
    return this.geometry ? [this.inputs, ...this.geometry.layers] : [];
  }

  /** Whether all that the newest state has was placed: the page is rendered after a state has come, and frames go on. */
  get placed() {
    const { spots } = this,
      { state } = this.live;
    return Boolean(state && spots.length) && fits(spots, /** @type {any} */ (state));
  }

  /** @param {Geometry} geometry @param {Spot[]} inputs  the tiles of the features that are inputs */
  place(geometry, inputs) {
    this.geometry = geometry;
    this.inputs = inputs;
    this.drawn = this.tilesDrawn = "";
    this.linksAt = this.tilesAt = -1e9;
    this.waiting = [];
  }

  /** @param {number} time */
  frame(time) {
    const { live } = this;
    if (!this.placed) return;
    const lit = live.hovered ?? live.selected;
    this.keepPace(time);
    const look = `${lit?.layer},${lit?.unit}/${theme()}/${pixelRatio()}`,
      now = `${live.version}/${look}`;
    const atOnce = look !== this.look || !live.tick?.running;
    const maps = now !== this.tilesDrawn && (atOnce || time - this.tilesAt > this.tilesEvery);
    if (maps) {
      this.tilesDrawn = now;
      this.tilesAt = time;
      this.drawTiles();
    }
    const links = now !== this.drawn && (atOnce || (!this.waiting.length && time - this.linksAt > this.linksEvery));
    if (maps && !atOnce && this.share <= 0.5) {
      // The links wait for a frame of their own.
    } else if (links) {
      this.drawn = now;
      this.look = look;
      this.linksAt = time;
      this.bundles = bundles(this.spots, live, lit);
      this.beginLinks(atOnce);
    } else {
      this.goOnWithLinks();
    }
    this.drawFlow(time);
  }

  /** Draw less where frames come late, and more again where they do not. @param {number} time */
  keepPace(time) {
    const took = time - this.last;
    this.last = time;
    if (took > 400) return; // it rested
    this.pace += 0.08 * (Math.min(100, took) - this.pace);
    if (this.pace > SLOW) this.share = Math.max(0.01, this.share * 0.94);
    else if (this.pace < QUICK) this.share = Math.min(1, this.share * 1.01);
  }

  /** ms between two drawings of the maps while the network learns; none where the machine keeps up. */
  get tilesEvery() {
    return this.share > 0.5 ? 0 : Math.min(400, 20 / this.share);
  }

  /** ms between two drawings of the links while the network learns: many take long, and change little. */
  get linksEvery() {
    const links = this.bundles.reduce((n, { count }) => n + count, 0);
    return links < 400 && this.share > 0.5 ? 0 : Math.min(600, (30 + links / 20) / Math.max(0.1, this.share));
  }

  /** The strongest bundles, those that are lit first, up to so many links. @param {number} most @returns {Bundle[]} weakest first */
  strongest(most) {
    const found = [];
    for (const bundle of [...this.bundles].reverse()) {
      if (found.length && bundle.count > most) break;
      most -= bundle.count;
      found.push(bundle);
    }
    return found.reverse();
  }

  /** Lines are thinner where there are very many. */
  get crowd() {
    const most = Math.max(
      ...(this.live.state?.layers ?? []).map((/** @type {{units: number}} */ l) => l.units),
      this.inputs.length,
    );
    return Math.max(0.28, Math.min(1, 9 / most));
  }

  /** Draw the links, or begin to, where the machine is slow: then some in each frame, out of sight until all are there.
   * @param {boolean} atOnce */
  beginLinks(atOnce) {
    const { width, height } = /** @type {Geometry} */ (this.geometry);
    const found = this.strongest(MOST_DRAWN * Math.max(0.06, this.share));
    const whole = atOnce || this.share > 0.9 || found.length <= SLICE;
    const context = sized(whole ? this.canvases.links : this.behind, width, height);
    context.clearRect(0, 0, width, height);
    this.waiting = whole ? [] : found;
    if (whole) this.stroke(context, found);
  }

  /** Draw the next of the links that wait, and show them all once none is left. */
  goOnWithLinks() {
    if (!this.waiting.length) return;
    const { width, height } = /** @type {Geometry} */ (this.geometry);
    const context = sized(this.behind, width, height);
    this.stroke(context, this.waiting.splice(0, SLICE));
    context.getImageData(0, 0, 1, 1); // else a browser without a graphics processor draws all of them at the end
    if (this.waiting.length) return;
    const shown = sized(this.canvases.links, width, height);
    shown.clearRect(0, 0, width, height);
    shown.drawImage(this.behind, 0, 0, width, height);
  }

  /** @param {CanvasRenderingContext2D} context @param {Bundle[]} found */
  stroke(context, found) {
    for (const { path, sign, level: strength, lit } of found) {
      context.lineWidth = lineWidth(strength, this.crowd);
      context.strokeStyle = signColour(sign, (lit ? 1 : 0.13) * (0.3 + 0.7 * (strength / (LEVELS - 1))));
      context.stroke(path);
    }
  }

  /** Gaps that run along the links while the network learns. @param {number} time */
  drawFlow(time) {
    const { width, height } = /** @type {Geometry} */ (this.geometry);
    const runs = Boolean(this.live.tick?.running) && this.share > 0.05 && !stillness();
    if (!runs && !this.flowing) return;
    const context = sized(this.canvases.flow, width, height);
    context.clearRect(0, 0, width, height);
    this.flowing = runs;
    if (!runs) return;
    context.setLineDash([1.6, 9.4]);
    context.lineDashOffset = -(time / 38) % 11;
    context.strokeStyle = token("--panel");
    for (const { path, level: strength, lit } of this.strongest(MOST_MOVING * this.share)) {
      if (!lit) continue;
      context.lineWidth = lineWidth(strength, this.crowd) + 0.6;
      context.stroke(path);
    }
  }

  /** Paint maps into an atlas, in rows of several. @param {HTMLCanvasElement} atlas @param {Uint8Array} maps @param {number} count @param {number} stride  take each so manieth pixel */
  paintAtlas(atlas, maps, count, stride) {
    const side = SIDE / stride,
      across = Math.min(16, count),
      down = Math.ceil(count / across);
    if (atlas.width !== across * side || atlas.height !== down * side) {
      atlas.width = across * side;
      atlas.height = down * side;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (atlas.getContext("2d"));
    const image = context.createImageData(atlas.width, atlas.height);
    const pixels = new Uint32Array(image.data.buffer),
      colours = table(),
      wide = atlas.width;
    for (let n = 0; n < count; n++) {
      const from = n * SIDE * SIDE,
        to = Math.floor(n / across) * side * wide + (n % across) * side;
      for (let y = 0; y < side; y++) {
        let read = from + y * stride * SIDE,
          write = to + y * wide;
        for (let x = 0; x < side; x++, read += stride) pixels[write++] = colours[maps[read]];
      }
    }
    context.putImageData(image, 0, 0);
    return { side, across };
  }

  drawTiles() {
    const { live } = this,
      geometry = /** @type {Geometry} */ (this.geometry),
      state = /** @type {any} */ (live.state);
    const context = sized(this.canvases.tiles, geometry.width, geometry.height);
    context.clearRect(0, 0, geometry.width, geometry.height);
    const shape = new Path2D();
    if (state.arrays.features) {
      const { side, across } = this.paintAtlas(
        this.featureAtlas,
        state.arrays.features,
        this.inputs.length,
        1,
      );
      this.inputs.forEach((spot, i) => this.tile(context, shape, spot, this.featureAtlas, i, side, across));
    }
    if (live.tick?.arrays.maps) {
      const count = neuronCount(state);
      const { side, across } = this.paintAtlas(
        this.atlas,
        /** @type {Uint8Array} */ (live.tick.arrays.maps),
        count,
        count > 48 ? 2 : 1,
      );
      geometry.layers
        .flat()
        .forEach((spot, i) => this.tile(context, shape, spot, this.atlas, i, side, across));
    }
    context.globalCompositeOperation = "destination-in";
    context.fill(shape);
    context.globalCompositeOperation = "source-over";
    this.drawDropped(context);
    this.drawBiases();
  }

  /** @param {CanvasRenderingContext2D} context @param {Path2D} shape @param {Spot} spot @param {HTMLCanvasElement} atlas @param {number} n @param {number} side @param {number} across */
  tile(context, shape, { x, y, size }, atlas, n, side, across) {
    const [left, top] = [x - size / 2, y - size / 2];
    context.drawImage(
      atlas,
      (n % across) * side,
      Math.floor(n / across) * side,
      side,
      side,
      left,
      top,
      size,
      size,
    );
    shape.roundRect(left, top, size, size, Math.min(7, size / 5));
  }

  /** @param {CanvasRenderingContext2D} context */
  drawDropped(context) {
    for (const [layer, unit] of this.live.tick?.dropped ?? []) {
      const spot = this.geometry?.layers[layer]?.[unit];
      if (!spot) continue;
      const half = spot.size / 2;
      context.beginPath();
      context.roundRect(spot.x - half, spot.y - half, spot.size, spot.size, Math.min(7, spot.size / 5));
      context.fillStyle = token("--panel");
      context.globalAlpha = 0.82;
      context.fill();
      context.globalAlpha = 1;
    }
  }

  drawBiases() {
    const { live, geometry } = this;
    if (!geometry || !live.state) return;
    const context = sized(this.canvases.biases, geometry.width, geometry.height);
    context.clearRect(0, 0, geometry.width, geometry.height);
    if (!live.weights || live.state.whole) return;
    const ring = token("--panel"),
      line = token("--control-line");
    geometry.layers.forEach((column, layer) =>
      column.forEach((spot, unit) => {
        const bias = live.biasOf({ layer, unit }) ?? 0;
        const radius =
          Math.max(2.6, Math.min(5, spot.size / 8)) +
          (isOutput(/** @type {any} */ (live.state), layer) ? 0.5 : 0);
        const inset = Math.min(3, spot.size / 14);
        const [x, y] = [spot.x - spot.size / 2 + inset, spot.y + spot.size / 2 - inset];
        context.beginPath();
        context.arc(x, y, radius + 1.6, 0, 7);
        context.fillStyle = ring;
        context.fill();
        context.beginPath();
        context.arc(x, y, radius, 0, 7);
        context.fillStyle = colourOf(bias);
        context.fill();
        context.lineWidth = 0.8;
        context.strokeStyle = line;
        context.stroke();
      }),
    );
  }
}
