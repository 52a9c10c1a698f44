"""Descents: known minima, closed forms, what became of each path, and the pictures."""

from __future__ import annotations

import importlib.util
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.errors import DataError, ShapeError, TraceError
from minicolumn.explain import SURFACES, surface_by_name, surfaces
from minicolumn.explain.contours import levels_of
from minicolumn.explain.paths_picture import _frames

Array = np.ndarray


# Surfaces ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SURFACES)
def test_surfaces_are_lowest_where_they_say(name: str) -> None:
    surface = SURFACES[name]
    (left, right), (low, high) = surface.bounds
    grid = np.stack(np.meshgrid(np.linspace(left, right, 60), np.linspace(low, high, 60)), axis=-1)
    values = [float(surface(p)) for p in grid.reshape(-1, 2)]
    for minimum in map(np.array, surface.minima):
        # Minima are written to 16 digits and curvatures are below 500, so only roundings of a value remain.
        assert float(surface(minimum)) == pytest.approx(surface.value, rel=4 * 2.0**-53, abs=1e-25)
        # A gradient is a curvature times the error of the place.
        assert np.abs(mc.grad(surface)(minimum)).max() < 1e-11
        assert np.linalg.eigvalsh(mc.hessian(surface)(minimum)).min() > 0
    assert min(values) >= surface.value


@pytest.mark.parametrize("name", SURFACES)
def test_descent_from_beside_a_minimum_finds_it(name: str) -> None:
    surface = SURFACES[name]
    starts = np.add(surface.minima, [0.1, -0.05])
    walk = mc.descent(surface, starts, steps=800)
    assert len(walk.minima) == len(surface.minima)
    assert set(walk.endings) == {s.label for s in walk.minima}
    for start, reached in zip(surface.minima, walk.reached, strict=True):
        assert reached is not None
        # Newton's method ends within a rounding or two of the known place.
        np.testing.assert_allclose(walk.stationary[reached].point, start, atol=1e-12)
        assert walk.stationary[reached].value == pytest.approx(surface.value, abs=1e-12)


def test_unknown_surfaces_are_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="did you mean 'rosenbrock'"):
        surface_by_name("rosenbrok")
    with pytest.raises(DataError, match="did you mean 'rosenbrock'"):
        mc.descent("rosenbrok", 1)
    assert repr(surfaces.parabola) == "Surface(parabola: (x^2 + 20 y^2) / 2)"


# Paths ------------------------------------------------------------------------------------------------------


@given(rate=st.floats(0.001, 0.12), x=st.floats(-3, 3), y=st.floats(-3, 3))
@settings(max_examples=20, deadline=None)
def test_descent_on_a_parabola_is_a_geometric_series(rate: float, x: float, y: float) -> None:
    walk = mc.descent(surfaces.parabola, [x, y], steps=20, learning_rate=rate)
    powers = np.arange(21)[:, None]
    expected = np.array([x, y]) * (1.0 - rate * np.array([1.0, 20.0])) ** powers
    # Twenty steps of three roundings each, of numbers up to 3 * 1.4^20.
    np.testing.assert_allclose(walk.paths[0], expected, rtol=60 * 2.0**-53, atol=1e-14)
    np.testing.assert_allclose(
        walk.values[0], [float(surfaces.parabola(p)) for p in walk.paths[0]], rtol=1e-15, atol=1e-300
    )


@pytest.mark.parametrize("optimizer", sorted(mc.optim.OPTIMIZERS))
def test_paths_side_by_side_are_those_of_a_plain_loop(optimizer: str) -> None:
    rule = mc.optim.optimizer_by_name(optimizer, learning_rate=0.05)
    starts = np.array([[1.0, 0.5], [-0.7, 1.1]])
    walk = mc.descent(surfaces.himmelblau, starts, rule, steps=15)
    for start, path in zip(starts, walk.paths, strict=True):
        point, moments = start, rule.start(start)
        for k in range(15):
            updates, moments = rule.step(mc.grad(surfaces.himmelblau)(point), moments, point)
            point = point + updates
            # The compiled loop contracts products into sums; 15 steps near a curvature of 100.
            np.testing.assert_allclose(path[k + 1], point, rtol=1e-9, atol=1e-9)
    assert walk.optimizer == rule


def test_functions_of_two_numbers_and_of_an_array_are_alike() -> None:
    one = mc.descent(lambda p: (p[0] - 1.0) ** 2 + p[1] ** 4, [[2.0, 1.0]], steps=30, learning_rate=0.1)
    two = mc.descent(lambda x, y: (x - 1.0) ** 2 + y**4, [[2.0, 1.0]], steps=30, learning_rate=0.1)
    np.testing.assert_array_equal(one.paths, two.paths)
    assert one.name == "f"


def test_matrices_and_reductions_work_as_in_any_numpy_function() -> None:
    A = np.array([[2.0, 0.5], [0.5, 1.0]])

    def bowl(p: Array) -> Any:
        return p @ A @ p + np.sum(p)

    walk = mc.descent(bowl, [[1.0, 1.0], [-2.0, 0.0]], "adam", steps=400)
    lowest = -0.5 * np.linalg.solve(A, np.ones(2))
    assert walk.endings == ("A", "A")
    np.testing.assert_allclose(walk.minima[0].point, lowest, atol=1e-12)
    np.testing.assert_allclose(walk.minima[0].curvatures, np.linalg.eigvalsh(2 * A), rtol=1e-12)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_a_rate_that_is_found_leads_down(optimizer: str) -> None:
    for surface in SURFACES.values():
        walk = mc.descent(surface, 5, optimizer)
        assert (walk.values[:, -1] < walk.values[:, 0]).all(), (surface.name, walk.optimizer)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_one_start_without_bounds_finds_a_rate_too(scale: float) -> None:
    walk = mc.descent(lambda p: np.sum((p / scale) ** 2), [scale, -2.0 * scale], steps=60)
    assert walk.endings == ("A",)
    # A valley of straight walls has no point without slope to end on, but is walked down all the same.
    walls = mc.descent(lambda p: np.sum(np.abs(p / scale)), [scale, -2.0 * scale], steps=60)
    assert walls.values[0, -1] < 0.2 * walls.values[0, 0]


def test_starts_can_be_spread() -> None:
    walk = mc.descent(surfaces.himmelblau, 64, steps=1, learning_rate=1e-9)
    starts = walk.paths[:, 0]
    counts, *_ = np.histogram2d(*starts.T, bins=4, range=surfaces.himmelblau.bounds)
    assert counts.min() >= 2
    np.testing.assert_array_equal(
        starts, mc.descent(surfaces.himmelblau, 64, steps=1, learning_rate=1.0).paths[:, 0]
    )


# Endings ----------------------------------------------------------------------------------------------------


def test_from_the_ridge_descent_ends_on_the_saddle() -> None:
    walk = mc.descent(surfaces.saddle, [[1.5, 0.0], [1.0, 0.1], [-1.0, -0.5]], learning_rate=0.1)
    assert walk.endings == ("S1", "A", "B")
    assert [s.kind for s in walk.stationary] == ["minimum", "minimum", "saddle"]
    assert walk.stationary[2].curvatures == pytest.approx((-2.0, 2.0))
    assert len(walk.minima) == 2


def test_a_rate_past_two_over_the_curvature_diverges_and_below_does_not() -> None:
    # The largest curvature is 20, so the limit is 0.1.
    assert mc.descent(surfaces.parabola, [1.0, 1.0], learning_rate=0.101, steps=500).endings == ("diverged",)
    assert mc.descent(surfaces.parabola, [1.0, 1.0], learning_rate=0.099, steps=500).endings == ("A",)


def test_numbers_that_overflow_are_divergence() -> None:
    walk = mc.descent(surfaces.rosenbrock, [[-1.5, 2.0]], learning_rate=1.0, steps=50)
    assert walk.endings == ("diverged",)
    assert walk.stationary == ()
    assert not np.isfinite(walk.values[0, -1])


def test_few_steps_are_still_moving() -> None:
    walk = mc.descent(surfaces.rosenbrock, [[-1.5, 2.0]], steps=5)
    assert walk.endings == ("still moving",)
    assert walk.settled == (None,)


def test_a_hilltop_and_a_flat_bottom_are_called_so() -> None:
    # Exactly on the top the slope is 0, so nothing moves.
    top = mc.descent(lambda x, y: -(x**2) - y**2, [[0.0, 0.0]], learning_rate=0.1)
    assert top.stationary[0].kind == "maximum"
    assert top.endings == ("M1",)
    trough = mc.descent(lambda x, y: x**2 + 0.0 * y, [[1.0, 0.3]], learning_rate=0.3)
    assert trough.stationary[0].kind == "flat"


def test_settled_counts_the_steps_to_the_end() -> None:
    walk = mc.descent(surfaces.parabola, [[4.0, 0.0]], learning_rate=0.05)
    # The picture is 8 wide; within 2 % of it, 0.16, when 4 * 0.95^k <= 0.16.
    assert walk.settled == (math.ceil(math.log(0.04) / math.log(0.95)),)


def test_the_table_names_everything() -> None:
    walk = mc.descent(surfaces.himmelblau, [[1.0, 1.0], [-1.0, 2.0], [4.9, 4.9]], learning_rate=0.01)
    lines = walk.table().splitlines()
    assert lines[0] == "himmelblau by SGD(0.01), 3 starts, 200 steps"
    assert str(walk) == walk.table()
    assert len(lines) == 3 + 3 + 1 + len(walk.stationary)
    assert max(map(len, lines)) <= 100
    assert repr(walk).startswith("Descent(himmelblau, SGD(0.01), 200 steps: ")


# Refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"f": 3}, DataError, "f is a int"),
        ({"f": lambda p: p}, ShapeError, r"shape \[2\]"),
        ({"starts": [[1.0, 2.0, 3.0]]}, ShapeError, r"expected \[starts, 2\]"),
        ({"starts": [[np.nan, 0.0]]}, DataError, "finite"),
        ({"starts": 0}, DataError, "at least 1"),
        ({"f": lambda x, y: x + y, "starts": 4}, DataError, "need bounds"),
        ({"steps": 0}, DataError, "steps: expected an integer >= 1, got 0"),
        ({"optimizer": "adm"}, DataError, "did you mean 'adam"),
        ({"optimizer": 0.1}, DataError, "expected a name or a record"),
        ({"bounds": ((1, 0), (0, 1))}, DataError, "bounds must be"),
    ],
    ids=lambda value: re.sub(" at 0x[0-9a-f]+", "", str(value)),  # the same in every process
)
def test_what_cannot_be_walked_is_refused(arguments: dict, error: type, message: str) -> None:
    given: dict[str, Any] = {"f": surfaces.parabola, "starts": [[1.0, 1.0]], **arguments}
    with pytest.raises(error, match=message):
        mc.descent(**given)


def test_functions_that_branch_are_told_what_to_write() -> None:
    with pytest.raises(TraceError, match=r"np\.where"):
        mc.descent(lambda x, y: x**2 + y**2 if x > 0 else y**2, [[1.0, 1.0]], learning_rate=0.1)


# Pictures ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def walk() -> Any:
    return mc.descent(surfaces.saddle, [[1.5, 0.0], [1.0, 0.1], [-1.0, -0.5], [0.5, 2.0]], learning_rate=0.1)


def test_the_picture_shows_paths_ends_and_legend(walk: Any, tmp_path: Path) -> None:
    axes = walk.plot(tmp_path / "walk.png")
    assert (tmp_path / "walk.png").read_bytes()[:4] == b"\x89PNG"
    words = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert words[0].startswith("A  minimum (0, 1.41), f = -1   2 starts")
    assert any(word.startswith("S1  saddle (0, 0)") for word in words)
    assert {"A", "B", "S1"} <= {text.get_text() for text in axes.texts}
    assert axes.get_xlim() == surfaces.saddle.bounds[0]


def test_a_picture_goes_into_given_axes(walk: Any) -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    assert walk.plot(ax=axes) is axes
    assert axes.get_legend() is not None


def test_pictures_side_by_side_keep_to_themselves(walk: Any) -> None:
    """No text of one picture lies over the other, and a start at the edge is shown whole."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.0), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    walk.plot(ax=left)
    mc.descent("saddle", [[-2.0, 1.0], [3.0, 0.0]], "adam").plot(ax=right)
    canvas.draw()
    bar = figure.axes[2]  # of the left one, which stands beside the right one
    ends: list[Any] = [bar.get_tightbbox(), right.get_tightbbox()]
    assert ends[0].x1 <= ends[1].x0
    for axes, limit in ((left, ends[1].x0), (right, figure.bbox.x1)):
        assert axes.get_legend().get_window_extent().x1 <= limit
        assert all(text.get_window_extent().x1 <= limit for text in axes.texts)
    starts = [line for line in right.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_clip_on() for line in starts] == [False, True]


def test_optimizers_around_others_walk_too() -> None:
    inner = mc.optim.SGD(0.1)
    paths = [
        mc.descent("saddle", [[0.3, 0.4]], rule, steps=20).paths
        for rule in (inner, mc.optim.Clipped(inner, norm=1e6), mc.optim.Clipped(mc.optim.SGD(0.5), norm=1e6))
    ]
    # Clipping multiplies by exactly 1 here.
    np.testing.assert_array_equal(paths[0], paths[1])
    slower = mc.descent("saddle", [[0.3, 0.4]], mc.optim.Clipped(mc.optim.SGD(0.5), norm=1e6), 20, 0.1)
    np.testing.assert_array_equal(slower.paths, paths[0])
    assert slower.optimizer.learning_rate == 0.1
    assert not np.array_equal(paths[2], paths[0])


@pytest.mark.parametrize(
    ("f", "starts", "more", "message"),
    [
        (lambda x, y, z: x, [[1, 1]], {}, r"f takes x, y, z; expected one array \[2\], or two numbers"),
        (lambda x, y: None, [[1, 1]], {}, "f returned nothing"),
        (lambda x, y: x * y, "ab", {}, "starts must be numbers, got 'ab'"),
        (lambda x, y: x * y, [[1, 1]], {"bounds": "ab"}, "bounds must be numbers, got 'ab'"),
    ],
)
def test_what_cannot_be_walked_is_refused_in_words(f: Any, starts: Any, more: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        mc.descent(f, starts, **more)


def test_a_minimum_far_from_all_starts_is_reached() -> None:
    walk = mc.descent(lambda x, y: (x - 30) ** 2 + (y - 30) ** 2, [[0.0, 0.0], [1.0, 1.0]], mc.optim.SGD(0.1))
    assert walk.endings == ("A", "A")
    (left, right), _ = walk.bounds
    assert left < 0.0
    assert right > 30.0
    gone = mc.descent(lambda x, y: -((x - 30) ** 2) + y**2, [[0.0, 0.0]], mc.optim.SGD(0.1))
    assert gone.endings == ("diverged",)


def test_functions_too_steep_for_any_rate_are_told() -> None:
    with pytest.raises(DataError, match="no rate leads anywhere"):
        mc.descent(lambda x, y: 1e300 * (x**2 + y**2), [[1.0, 1.0], [-1.0, 0.5]], "sgd")


def test_unreached_and_diverged_paths_are_drawn_too(tmp_path: Path) -> None:
    walk = mc.descent(surfaces.rosenbrock, [[-1.5, 2.0], [1.0, 1.5]], learning_rate=0.01, steps=40)
    assert "diverged" in walk.endings
    axes = walk.plot(tmp_path / "walk.svg")
    assert any("diverged" in text.get_text() for text in axes.figure.legends[0].get_texts())


def test_the_animation_shows_start_and_end(walk: Any, tmp_path: Path) -> None:
    from PIL import Image

    walk.animate(tmp_path / "walk.gif", frames=6, seconds=1.0)
    with Image.open(tmp_path / "walk.gif") as film:
        count = getattr(film, "n_frames", 1)
        first = np.asarray(film.convert("RGB")).astype(int)
        film.seek(count - 1)
        last = np.asarray(film.convert("RGB")).astype(int)
    assert count == len(_frames(walk.steps, 6))
    assert (first != last).any()
    # What does not move, such as the right margin with the colour bar, stays the same to the bit.
    np.testing.assert_array_equal(first[:, -40:], last[:, -40:])


@pytest.mark.parametrize(("steps", "frames"), [(1, 2), (5, 60), (200, 60), (5000, 30)])
def test_frames_go_from_the_start_to_the_end(steps: int, frames: int) -> None:
    shown = _frames(steps, frames)
    assert shown[0] == 0
    assert shown[-1] == steps
    assert len(shown) <= frames + 1
    assert (np.diff(shown) > 0).all()


def test_levels_rise_whatever_the_values() -> None:
    rng = np.random.default_rng(0)
    for values in (
        rng.random(500),
        np.exp(12 * rng.random(500)),
        np.ones(5),
        np.array([1.0, np.inf, np.nan, 2.0]),
    ):
        assert (np.diff(levels_of(values)) > 0).all()


def test_pictures_are_refused_before_anything_is_drawn(walk: Any, monkeypatch: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"did you mean '\.png'"):
        walk.plot(tmp_path / "walk.pgn")
    with pytest.raises(DataError, match=r"expected \.gif"):
        walk.animate(tmp_path / "walk.mp4")
    with pytest.raises(DataError, match="frames >= 2"):
        walk.animate(tmp_path / "walk.gif", frames=1)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "PIL" else find(name))
    with pytest.raises(DataError, match="needs Pillow"):
        walk.animate(tmp_path / "walk.gif")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="needs matplotlib"):
        walk.plot(tmp_path / "walk.png")


def test_a_start_without_a_value_is_named() -> None:
    with np.errstate(all="ignore"), pytest.raises(DataError, match=r"f is nan at the start \(-1.0, 0.0\)"):
        mc.descent(lambda p: np.log(p[0]) + p[1] ** 2, [(1.0, 1.0), (-1.0, 0.0)])


def test_known_lowest_points_that_no_start_reached_are_drawn_hollow() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    found = mc.descent("himmelblau", [[3.1, 2.1]], "adam")
    axes = found.plot()
    hollow = [
        line for line in axes.lines if line.get_marker() == "*" and line.get_markerfacecolor() == "none"
    ]
    points = sorted(tuple(np.round(np.asarray(line.get_xydata())[0], 2)) for line in hollow)
    inside = [p for p in surface_by_name("himmelblau").minima if _within(p, found.bounds)]
    assert len(points) == len(inside) - 1
    assert (3.0, 2.0) not in points
    everywhere = mc.descent(
        "himmelblau", [[x + 0.2, y] for x, y in surface_by_name("himmelblau").minima], "adam"
    ).plot()
    assert not [x for x in everywhere.lines if x.get_marker() == "*" and x.get_markerfacecolor() == "none"]


def _within(point: Any, box: Any) -> bool:
    return all(low <= value <= high for value, (low, high) in zip(point, box, strict=True))


@pytest.mark.parametrize("rate", [0.1, 0.001])
def test_a_rate_in_the_text_is_the_rate(rate: float) -> None:
    found = mc.descent(lambda x, y: x * x + y * y, [[1.0, 2.0]], f"sgd:learning_rate={rate}", steps=3)
    assert found.optimizer.learning_rate == rate


def _settles_after(walk: Any) -> float:
    return float(np.mean([walk.steps if step is None else step for step in walk.settled]))


@pytest.mark.parametrize("steps", [100, 200, 400])
@pytest.mark.parametrize("name", ["parabola", "saddle", "himmelblau", "valley"])
def test_a_rate_that_is_found_settles_nearly_as_soon_as_any(name: str, steps: int) -> None:
    f: Any = (lambda x, y: 0.5 * x**2 + 5 * y**2) if name == "valley" else name
    starts: Any = [[4.0, 1.0], [-3.0, 2.0]] if name == "valley" else 6
    found = mc.descent(f, starts, steps=steps)
    assert None not in found.reached
    rates = found.optimizer.learning_rate * 2.0 ** np.arange(-4, 5)
    others = [mc.descent(f, starts, steps=steps, learning_rate=float(rate)) for rate in rates]
    soonest = min(_settles_after(walk) for walk in others if None not in walk.reached)
    # Two steps more: a path may come to another point of rest, or swing once more around its own.
    assert _settles_after(found) <= 1.1 * soonest + 2


def test_paths_that_settle_nowhere_have_colours_of_their_own() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    walk = mc.descent("rosenbrock", [[-1.5, 2.0], [1.0, 1.5], [-0.5, 0.5]], learning_rate=1e-4, steps=20)
    assert walk.reached == (None, None, None)
    dashed = [line for line in walk.plot().lines if line.is_dashed() and np.size(line.get_xdata()) == 21]
    assert len({line.get_color() for line in dashed}) == len(dashed) == 3


def test_ticks_of_the_colour_bar_are_round() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    for name in mc.explain.SURFACES:
        axes = mc.descent(name, 2, steps=2, learning_rate=1e-6).plot()
        bar = axes.figure.axes[-1]
        axes.figure.canvas.draw()
        ticks = [text.get_text() for text in bar.get_yticklabels()]
        assert len(ticks) >= 5
        figures = [re.sub(r"e.*|[^0-9]", "", text).strip("0") for text in ticks]
        assert np.median([len(digits) for digits in figures]) <= 2, ticks
