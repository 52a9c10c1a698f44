"""Points: the classic data sets beside the original's own, laws of all, and their CSV."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn.data.points.points import (
    DATASETS,
    Points,
    make_points,
    points_from_csv,
    points_to_csv,
    thumbnail,
)
from minicolumn.errors import DataError, ShapeError

# Made by make_playground.cjs beside it, which says how.
PLAYGROUND = Path(__file__).parents[1] / "playground" / "golden" / "playground.json"
GOLDEN = json.loads(PLAYGROUND.read_text())["points"]
ALL = [*DATASETS, "blobs:classes=2", "blobs:classes=6", "rings:classes=5"]


def same(found: Points, expected: Points) -> bool:
    arrays = ((getattr(found, name), getattr(expected, name)) for name in ("X", "y", "held"))
    names = found.inputs == expected.inputs and found.classes == expected.classes
    return names and all(np.array_equal(a, b) for a, b in arrays)


# The classic ones -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row['name']}-{row['noise']}-{row['seed']}")
def test_the_same_seed_gives_the_points_that_it_gave_in_the_original(row):
    points = make_points(row["name"], noise=row["noise"], seed=row["seed"])
    found = np.column_stack([points.X, points.signed])
    # Sines and logarithms of two libraries may differ by a rounding, some 1e-16 of numbers up to 10.
    np.testing.assert_allclose(found[[0, 1, 2, -1]], [*row["first"], row["last"]], rtol=0, atol=4e-15)
    places = np.arange(1, len(found) + 1)
    # The sum of up to 1,200 such numbers, each times its place.
    np.testing.assert_allclose(places @ found, row["sums"], rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("percent", "trained"), [(50, 250), (10, 50), (90, 450), (33, 165), (0, 0), (100, 500)]
)
def test_the_first_points_are_trained_on_and_the_rest_held_out(percent, trained):
    points = make_points("circle", train_percent=percent)
    assert points.held.tolist() == [False] * trained + [True] * (500 - trained)
    assert np.array_equal(points.X, make_points("circle", train_percent=50).X)


# All of them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("noise", [0, 50])
def test_every_data_set_gives_as_many_points_as_are_asked_for(name, noise):
    for rows in (2, 51, 200):
        points = make_points(name, rows=rows, noise=noise, seed="7")
        assert points.X.shape == (rows, len(points.inputs))
        assert np.isfinite(points.X).all()
        assert np.isfinite(points.y).all()


@pytest.mark.parametrize("name", ALL)
def test_every_data_set_is_a_function_of_its_seed(name):
    first, again, other = (make_points(name, noise=20, seed=seed) for seed in ("a", "a", "b"))
    assert same(first, again)
    assert (first.X != other.X).any()


@pytest.mark.parametrize("name", ALL)
def test_without_noise_all_lies_in_the_plane_and_the_classes_are_about_as_large(name):
    points, found = make_points(name, noise=0), DATASETS.make(name)
    assert len(points.y) == found.rows
    assert (np.abs(points.X) < 6).mean() > 0.99  # the tails of normal clouds
    if found.classes:
        shares = np.bincount(points.y.astype(int), minlength=len(found.classes)) / len(points.y)
        assert shares.min() > 0.8 / len(found.classes)
    else:
        assert np.abs(points.y).max() < 1.21
        assert points.y.std() > 0.1


def told_by_neighbours(name: str, noise: float) -> float:
    """Return the share of the held-out targets' variance that the nearest points tell."""
    points = make_points(name, noise=noise, rows=1000, seed="3")
    train, test = (points.X[rows] for rows in (~points.held, points.held))
    nearest = np.argmin(((test[:, None] - train[None]) ** 2).sum(-1), axis=1)
    guessed, y = points.y[~points.held][nearest], points.y[points.held]
    return 1.0 - ((guessed - y) ** 2).mean() / y.var()


@pytest.mark.parametrize("name", ALL)
def test_neighbours_tell_the_target_and_noise_makes_it_harder(name):
    clear, noisy = told_by_neighbours(name, 0), told_by_neighbours(name, 50)
    assert clear > 0.6  # a checkerboard has long edges
    assert noisy < clear - 0.2


@pytest.mark.parametrize("name", DATASETS)
def test_thumbnails_are_always_the_same_few_points_without_noise(name):
    assert same(thumbnail(name), make_points(name, rows=200, noise=0, train_percent=100))


def test_every_data_set_says_in_a_line_what_it_is():
    for found in DATASETS.values():
        assert found.help.endswith(".")
        assert "\n" not in found.help
        assert len(found.help) < 120


def test_classes_have_names():
    assert make_points("blobs:classes=3").classes == ("A", "B", "C")
    assert make_points("blobs:classes=2").classes == make_points("xor").classes == ("-1", "+1")
    assert make_points("plane").classes == ()


@pytest.mark.parametrize(
    ("name", "given_", "said"),
    [
        ("cirle", {}, "unknown data set 'cirle'; did you mean 'circle'"),
        ("blobs:classes=7", {}, "blobs: classes: expected an integer, 2 <= classes <= 6, got 7"),
        ("circle:classes=3", {}, "circle: unknown setting 'classes'; it has none"),
        ("circle", {"rows": 1}, "circle: rows: expected an integer, 2 at least, got 1"),
        ("circle", {"rows": 2.5}, "circle: rows: expected an integer, 2 at least, got 2.5"),
        ("circle", {"noise": -1}, "circle: noise: expected a number from 0 to 100, got -1"),
        ("circle", {"noise": float("nan")}, "circle: noise: expected a number from 0 to 100, got nan"),
        ("circle", {"train_percent": 101}, "circle: train_percent: expected a number from 0 to 100, got 101"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_line(name, given_, said):
    with pytest.raises(DataError) as caught:
        make_points(name, **given_)
    assert said in str(caught.value)


# The record -------------------------------------------------------------------------------------------------


def test_points_that_do_not_fit_each_other_are_refused():
    good = make_points("xor", rows=4)
    with pytest.raises(ShapeError, match=r"expected \[rows, 2\], \[rows\] and \[rows\]"):
        dataclasses.replace(good, held=good.held[1:])
    with pytest.raises(ShapeError, match="X, y and held"):
        dataclasses.replace(good, inputs=("x1",))
    with pytest.raises(DataError, match="indices of the 2 classes"):
        dataclasses.replace(good, y=good.y + 0.5)


def test_signed_targets_are_for_two_classes():
    assert set(make_points("xor").signed) == {-1.0, 1.0}
    points = make_points("plane")
    assert points.signed is points.y
    with pytest.raises(DataError, match="for two classes, not for 3"):
        _ = make_points("rings").signed


# CSV --------------------------------------------------------------------------------------------------------

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1, max_size=8)


@given(st.data())
def test_csv_reads_back_to_the_same_bits(data):
    inputs = tuple(data.draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)))
    classes = tuple(data.draw(st.lists(NAMES, max_size=4, unique=True)))
    rows = data.draw(st.integers(0, 6))
    X = np.array(data.draw(st.lists(NUMBERS, min_size=rows * len(inputs), max_size=rows * len(inputs))))
    targets = st.integers(0, len(classes) - 1) if classes else NUMBERS
    y = np.array(data.draw(st.lists(targets, min_size=rows, max_size=rows)), float)
    held = np.array(data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), bool)
    points = Points(X.reshape(rows, len(inputs)), y, held, inputs, classes)
    assert same(points_from_csv(points_to_csv(points), classes or None), points)


@pytest.mark.parametrize("name", DATASETS)
def test_csv_of_a_data_set_needs_nothing_said_beside(name):
    points = make_points(name, rows=60, noise=10)
    assert same(points_from_csv(points_to_csv(points)), points)


def test_classes_of_a_csv_are_put_in_order():
    def classes(*names: str) -> tuple[str, ...]:
        return points_from_csv("a,class\n" + "".join(f"0,{name}\n" for name in names)).classes

    assert classes("10", "9", "-1") == ("-1", "9", "10")
    assert classes("b", "a") == ("a", "b")
    assert classes("+1") == ("-1", "+1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "points: expected a first line such as x1,x2,class,part"),
        ("class\n1\n", "points: expected a first line such as"),
        ("x1,class,group\n", "points: expected a first line such as"),
        ("x1,class\n\n1,a\n2\n", "points: line 4: expected 2 cells, got 1"),
        ("x1,class\none,a\n", "points: line 2: x1: expected a finite number, got 'one'"),
        ("x1,target\n1,nan\n", "points: line 2: target: expected a finite number, got 'nan'"),
        ("x1,class,part\n1,a,both\n", "points: line 2: part: expected train or test, got 'both'"),
        ("x1,class\n1," + "a" * 200_000 + "\n", "points: line 2: field larger than field limit"),
    ],
)
def test_a_csv_that_holds_no_points_is_refused_in_a_line(text, said):
    with pytest.raises(DataError) as caught:
        points_from_csv(text)
    assert said in str(caught.value)


def test_a_class_that_was_not_named_is_refused():
    with pytest.raises(DataError, match="line 2: there is no class 'b'"):
        points_from_csv("x1,class\n1,b\n", ["a"])
