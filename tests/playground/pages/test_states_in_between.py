"""Between a state and the page that is rendered for it, frames go on and pointers move: nothing may fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gestures import shown

Visit = Callable[..., Any]

# Drawings of networks whose layers were not placed yet: more, fewer, other inputs; then the placed one again.
DRAWN = """async () => {
  const [{ Drawing }, { arrange }, { Live }] = await Promise.all(
    ["drawing", "geometry", "model"].map((name) => import(`/rooms/network/${name}.js`)),
  );
  const frame = (inputs, units) => ({
    inputs: Array.from({ length: inputs }, (_, i) => ({ name: `x${i + 1}`, formula: `x${i + 1}` })),
    layers: units.map((units) => ({ units })), setup: { units }, arrays: {},
  });
  const sizes = (inputs, units) => units.reduce(([all, from], n) => [all + from * n + n, n], [0, inputs])[0];
  const tick = (inputs, units) => ({ step: 1, running: true, loss: {}, scores: {}, arrays: {
    weights: new Float32Array(sizes(inputs, units)).fill(1),
    maps: new Uint8Array(1e4 * units.reduce((a, b) => a + b)),
  } });
  const live = new Live();
  const canvas = () => document.createElement("canvas");
  const drawing = new Drawing(live, { links: canvas(), flow: canvas(), tiles: canvas(), biases: canvas() });
  const place = (inputs, units) => {
    const geometry = arrange(7, units, 700, 372);
    drawing.place(geometry, geometry.features.slice(0, inputs));
  };
  place(2, [4, 2, 1]);
  const links = [];
  let time = 1e6;
  const came = [[2, [4, 2, 1]], [2, [4, 1]], [2, [4, 2, 3, 1]], [2, [8, 2, 1]], [5, [4, 2, 1]],
                [2, [2, 4, 1]], [2, [4, 2, 1]]];
  for (const [inputs, units] of came) {
    live.takeState(frame(inputs, units));
    live.takeTick(tick(inputs, units));
    drawing.bundles = [];
    drawing.frame((time += 1e4));
    links.push(drawing.bundles.reduce((n, { count }) => n + count, 0));
  }
  return links;
}"""


def test_what_was_not_placed_yet_is_not_drawn(visit: Visit) -> None:
    page = visit("network", reduced_motion="reduce")
    page.wait_for_selector(".neuron")
    assert page.evaluate(DRAWN) == [18, 0, 0, 0, 0, 0, 18]


def test_a_feature_goes_while_a_neuron_that_listens_to_it_is_looked_at(visit: Visit) -> None:
    page = visit("network", reduced_motion="reduce")
    page.locator(".neuron[data-key='0,0']").click()
    page.locator(".terms tbody tr").nth(2).wait_for()
    page.get_by_role("button", name="x2", exact=False).first.click()
    page.locator(".terms tbody tr").nth(2).wait_for(state="detached")  # x1 and the bias are left
    shown(page.locator(".terms tbody tr")).to_have_count(2)


def test_a_weight_goes_while_it_is_edited(visit: Visit) -> None:
    page = visit("network", reduced_motion="reduce")
    page.locator(".neuron[data-key='1,1'] .bias-spot").click()
    page.get_by_role("dialog").wait_for()
    page.evaluate("location.hash = '#units=3'")
    page.get_by_role("dialog").wait_for(state="detached")
    page.wait_for_selector(".layer-head")
