/**
 * The graph laid out by depth: operations as far from the variables as their depth says, constants just
 *   before what they
 * go into, and links that pass columns routed between the nodes there (Sugiyama, Tagawa & Toda 1981).
 */

/**
 * @typedef {{op: string, label: string, value: number | null, adjoint: number | null, inputs: number[],
 *   depth: number,
 *   constant: boolean}} TapeNode
 * @typedef {{to: number, at: number, local: number | null, part: number | null, sum: number | null}} Part
 * @typedef {{formula: string, parsed: string, at: number[], used: string[], examples: string[], nodes: TapeNode[], forward:
 *   number[],
 *   backward: {node: number, parts: Part[]}[], output: number, inputs: number,
 *   traversals: {reverse: number, finite_differences: number}}} Tape
 * @typedef {{from: number, to: number, at: number, way: Spot[]}} Link  at: which operand of `to`
 * @typedef {{along: number, across: number}} Spot  along: column, 0 is the first; across: from -1/2 to 1/2 of
 *   the widest column
 * @typedef {{spots: Spot[], links: Link[], columns: number, widest: number}} Layout
 */

/**
 * @typedef {{node: number, column: number, before: Item[], after: Item[], order: number, across: number}} Item
 *   node: -1 for a bend
 */

/** @param {Tape} tape @returns {Layout} */
export function layoutOf({ nodes }) {
  const column = nodes.map((node) => node.depth);
  nodes.forEach((node, place) => {
    if (!node.constant) return;
    const users = nodes.flatMap((user, at) => (user.inputs.includes(place) ? [column[at]] : []));
    column[place] = Math.max(0, Math.min(...users) - 1);
  });
  /** @type {Item[]} */
  const items = nodes.map((_, node) => ({
    node,
    column: column[node],
    before: [],
    after: [],
    order: 0,
    across: 0,
  }));
  const all = [...items];
  const chains = nodes.flatMap((node, to) =>
    node.inputs.map((from, at) => {
      const chain = [items[from]];
      for (let c = column[from] + 1; c < column[to]; c++) {
        const bend = { node: -1, column: c, before: [], after: [], order: 0, across: 0 };
        all.push(bend);
        chain.push(bend);
      }
      chain.push(items[to]);
      for (let i = 1; i < chain.length; i++) {
        chain[i].before.push(chain[i - 1]);
        chain[i - 1].after.push(chain[i]);
      }
      return { from, to, at, chain };
    }),
  );
  const columns = 1 + Math.max(...column);
  const rows = Array.from({ length: columns }, (_, c) => all.filter((item) => item.column === c));
  ordered(rows);
  settled(rows);
  const [low, high] = [Math.min, Math.max].map((extreme) => extreme(...all.map((item) => item.across)));
  const spot = (/** @type {Item} */ { column, across }) => ({
    along: column,
    across: across - (low + high) / 2,
  });
  return {
    spots: items.map(spot),
    links: chains.map(({ from, to, at, chain }) => ({ from, to, at, way: chain.map(spot) })),
    columns,
    widest: 1 + high - low,
  };
}

/** The room that an item takes across, in nodes. @param {Item} item */
const sizeOf = (item) => (item.node < 0 ? 0.4 : 1);

/**
 * Give the items of ordered columns their places across: each goes to the mean of its neighbours, as far as those that
 * stand beside it let it.
 * @param {Item[][]} rows
 */
function settled(rows) {
  for (const row of rows)
    placed(
      row,
      row.map((_, i) => i - (row.length - 1) / 2),
    );
  for (let sweep = 0; sweep < 16; sweep++)
    for (const row of sweep % 2 ? [...rows].reverse() : rows)
      placed(
        row,
        row.map((item) => {
          const near = [...item.before, ...item.after];
          return near.length ? near.reduce((sum, one) => sum + one.across, 0) / near.length : item.across;
        }),
      );
}

/** Place a column's items as near to where they want to be as their order and sizes let them. @param {Item[]} row @param {number[]} wishes */
function placed(row, wishes) {
  row.forEach((item, i) => {
    const before = row[i - 1];
    item.across = before
      ? Math.max(wishes[i], before.across + (sizeOf(before) + sizeOf(item)) / 2)
      : wishes[i];
  });
  const shift = row.reduce((sum, item, i) => sum + wishes[i] - item.across, 0) / row.length;
  for (const item of row) item.across += shift;
}

/**
 * Order the columns so that few links cross: each item goes to the mean of its neighbours, there and back a
 *   few times.
 * @param {Item[][]} rows
 */
function ordered(rows) {
  for (const row of rows) row.forEach((item, i) => (item.order = i));
  for (let sweep = 0; sweep < 8; sweep++) {
    const back = sweep % 2 === 1;
    for (const row of back ? [...rows].reverse() : rows) {
      const wish = new Map(row.map((item) => [item, wished(item, back ? item.after : item.before, rows)]));
      row.sort(
        (a, b) =>
          /** @type {number} */ (wish.get(a)) - /** @type {number} */ (wish.get(b)) || a.order - b.order,
      );
      row.forEach((item, i) => (item.order = i));
    }
  }
}

/**
 * Where an item wants to be: at the mean of its neighbours, or where it is.
 * @param {Item} item
 * @param {Item[]} neighbours
 * @param {Item[][]} rows
 */
function wished(item, neighbours, rows) {
  const middle = (/** @type {Item} */ one) => one.order - (rows[one.column].length - 1) / 2;
  if (!neighbours.length) return middle(item);
  return neighbours.reduce((sum, one) => sum + middle(one), 0) / neighbours.length;
}
