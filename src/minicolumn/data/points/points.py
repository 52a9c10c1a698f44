"""Points to learn from: the data sets by name, drawn from a seed, cut into training and test, and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.data.points import generators
from minicolumn.data.points.arc4 import Arc4
from minicolumn.errors import DataError, ShapeError
from minicolumn.registry import FunctionRule, Registry, Setting, settings_of, show

Array = np.ndarray
RANGE = (-6.0, 6.0)  # of the plane that is drawn
SIGNED = ("-1", "+1")  # the names of two classes; the first is drawn orange, the second blue
LETTERS = "ABCDEF"
THUMBNAIL_POINTS = 200


@dataclass(frozen=True, eq=False)
class Points:
    """Points with their targets, in the order in which they are trained on.

    X           float64 [rows, inputs]
    y           float64 [rows]: the index of a class, or a number
    held        bool [rows]: whether a point is held out, to test on
    inputs      the names of the inputs
    classes     the names of the classes; () where targets are numbers
    Errors      ShapeError for arrays that do not fit each other, DataError for a class that has no name

    >>> points = make_points("xor", rows=4, seed="0.5")
    >>> points.X.shape, points.held.tolist(), points.classes, points.signed.tolist()
    ((4, 2), [False, False, True, True], ('-1', '+1'), [-1.0, -1.0, -1.0, 1.0])
    """

    X: Array
    y: Array
    held: Array
    inputs: tuple[str, ...] = ("x1", "x2")
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rows = len(self.y)
        if self.X.shape != (rows, len(self.inputs)) or self.y.ndim != 1 or self.held.shape != (rows,):
            raise ShapeError(
                f"points: X, y and held have shapes {list(self.X.shape)}, {list(self.y.shape)} and "
                f"{list(self.held.shape)}; expected [rows, {len(self.inputs)}], [rows] and [rows]"
            )
        if self.classes and not np.isin(self.y, np.arange(len(self.classes))).all():
            raise DataError(f"points: targets are indices of the {len(self.classes)} classes")

    @property
    def task(self) -> str:
        """What there is to learn: "classification" or "regression"."""
        return "classification" if self.classes else "regression"

    @property
    def signed(self) -> Array:
        """The targets of two classes as -1 and +1, float64 [rows]; numbers as they are.

        Errors      DataError for more classes
        """
        if len(self.classes) > 2:
            raise DataError(f"targets of -1 and +1 are for two classes, not for {len(self.classes)}")
        return 2.0 * self.y - 1.0 if self.classes else self.y


@dataclass(frozen=True)
class Dataset(FunctionRule):
    """A data set that can be drawn.

    name        with settings behind a colon, as in "blobs:classes=5"
    function    draws it: how many points, noise as a share, random numbers -> points
    rows        how many points there are where nobody says
    noise       in percent, where nobody says
    inputs      their names
    class_count of those that cannot be set; 0 where targets are numbers
    """

    name: str
    function: Callable[..., generators.Points]
    rows: int = 500
    noise: float = 0
    inputs: tuple[str, ...] = ("x1", "x2")
    class_count: int = 2

    @property
    def settings(self) -> Mapping[str, Setting]:  # type: ignore[override]
        return settings_of(self.function)

    @property
    def help(self) -> str:
        """What is drawn, in a line."""
        function = getattr(self.function, "func", self.function)
        return (function.__doc__ or "").strip()

    @property
    def task(self) -> str:
        """What there is to learn: "classification" or "regression"."""
        return "classification" if self.class_count else "regression"

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; () where targets are numbers."""
        count = self.settings["classes"].default if "classes" in self.settings else self.class_count
        return SIGNED if count == 2 else tuple(LETTERS[:count])


def _numbers(name: str, function: Callable[..., generators.Points], **given: Any) -> Dataset:
    return Dataset(name, function, class_count=0, **given)


DATASETS: Registry[Dataset] = Registry(
    "data set",
    {
        "circle": Dataset("circle", generators.circle),
        "xor": Dataset("xor", generators.xor),
        "gauss": Dataset("gauss", generators.gauss),
        "spiral": Dataset("spiral", generators.spiral),
        "moons": Dataset("moons", generators.moons, noise=5),
        "checkerboard": Dataset("checkerboard", generators.checkerboard),
        "rings": Dataset("rings", generators.rings, noise=5),
        "blobs": Dataset("blobs", generators.blobs),
        "plane": _numbers("plane", generators.plane, rows=1200),
        "multi_gauss": _numbers("multi_gauss", generators.multi_gauss, rows=1200),
        "waves": _numbers("waves", generators.waves, rows=1200),
        "curve": _numbers("curve", generators.curve, rows=200, noise=10, inputs=("x1",)),
    },
)


def make_points(
    name: str,
    *,
    rows: int | None = None,
    noise: float | None = None,
    train_percent: float = 50,
    seed: str = "0.5",
) -> Points:
    """Draw a data set; the same seed gives the same points.

    name            one of `DATASETS`, with settings as in "blobs:classes=5"
    rows            how many points; None takes what the data set has by itself
    noise           in percent, 0 to 100; None takes what the data set has by itself
    train_percent   share of the points that is trained on, 0 to 100: the first so many
    seed            any text
    Errors          DataError for an unknown name, with the nearest one, and numbers out of range

    >>> make_points("spiral", seed="0.77049").X[0].round(3).tolist()
    [-1.702, 1.859]
    """
    return draw_points(name, Arc4(seed), rows=rows, noise=noise, train_percent=train_percent)


def draw_points(
    name: str,
    random: Arc4,
    *,
    rows: int | None = None,
    noise: float | None = None,
    train_percent: float = 50,
) -> Points:
    """Draw a data set from a source of random numbers that goes on behind it: points, then their order."""
    found: Dataset = DATASETS.make(name)
    rows = found.rows if rows is None else rows
    noise = found.noise if noise is None else noise
    if not isinstance(rows, int) or rows < 2:
        raise DataError(f"{name}: rows: expected an integer, 2 at least, got {show(rows)}")
    for what, percent in (("noise", noise), ("train_percent", train_percent)):
        if not 0 <= percent <= 100:
            raise DataError(f"{name}: {what}: expected a number from 0 to 100, got {show(percent)}")
    drawn = found.function(rows, noise / 100, random)
    random.shuffle(drawn)
    table = np.array(drawn, np.float64)
    held = np.arange(rows) >= math.floor(rows * train_percent / 100)
    return Points(table[:, :-1], table[:, -1], held, found.inputs, found.classes)


def thumbnail(name: str) -> Points:
    """Draw a data set as its picture shows it: few points without noise, always the same."""
    return make_points(name, rows=THUMBNAIL_POINTS, noise=0, train_percent=100)


# CSV --------------------------------------------------------------------------------------------------------

_CLASS, _NUMBER, _PART = "class", "target", "part"
_TRAIN, _TEST = "train", "test"


def points_to_csv(points: Points) -> str:
    """Write points as CSV: inputs, then the class by its name or the target, then train or test.

    Numbers are written so that they read back to the same bits.

    >>> points = Points(np.array([[0.5, -2.0]]), np.ones(1), np.zeros(1, bool), classes=SIGNED)
    >>> points_to_csv(points)
    'x1,x2,class,part\\n0.5,-2.0,+1,train\\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*points.inputs, _CLASS if points.classes else _NUMBER, _PART])
    for x, y, is_held in zip(points.X.tolist(), points.y.tolist(), points.held.tolist(), strict=True):
        target = points.classes[int(y)] if points.classes else repr(y)
        writer.writerow([*map(repr, x), target, _TEST if is_held else _TRAIN])
    return out.getvalue()


def points_from_csv(text: str, classes: Sequence[str] | None = None) -> Points:
    """Read points that `points_to_csv` wrote, or a table of the same form; without a part all are trained on.

    classes     their names in order; None takes those that occur, numbers by size and words by the alphabet
    Errors      DataError, one line, for anything else, with the line in which it stands

    >>> points_from_csv("x1,x2,class\\n0.5,1,b\\n-1,2,a\\n").y
    array([1., 0.])
    """
    (_, head), *lines = _lines(text) or [(1, [])]
    target = max((at for at, name in enumerate(head) if name in (_CLASS, _NUMBER)), default=0)
    if not target or head[target + 1 :] not in ([], [_PART]):
        raise DataError("points: expected a first line such as x1,x2,class,part or x1,x2,target,part")
    rows = [_row(line, number, head, target) for number, line in lines]
    X = np.array([x for x, _, _ in rows], np.float64).reshape(len(rows), target)
    held = np.array([part == _TEST for _, _, part in rows], bool)
    said = [(number, name) for (number, _), (_, name, _) in zip(lines, rows, strict=True)]
    inputs = tuple(head[:target])
    if head[target] == _NUMBER:
        numbers = [_number(cell, number, _NUMBER) for number, cell in said]
        return Points(X, np.array(numbers, np.float64), held, inputs)
    known = tuple(classes) if classes is not None else _in_order({name for _, name in said})
    for number, name in said:
        if name not in known:
            raise DataError(f"points: line {number}: there is no class {show(name)}")
    return Points(X, np.array([known.index(name) for _, name in said], np.float64), held, inputs, known)


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Return the cells of all lines that are not empty, with their numbers."""
    reader = csv.reader(io.StringIO(text))
    try:
        return [(reader.line_num, line) for line in reader if line]
    except csv.Error as error:
        raise DataError(f"points: line {reader.line_num}: {error}") from None


def _row(line: list[str], number: int, head: list[str], target: int) -> tuple[list[float], str, str]:
    """Return inputs, target and part of a line."""
    if len(line) != len(head):
        raise DataError(f"points: line {number}: expected {len(head)} cells, got {len(line)}")
    part = line[target + 1] if len(head) > target + 1 else _TRAIN
    if part not in (_TRAIN, _TEST):
        raise DataError(f"points: line {number}: {_PART}: expected {_TRAIN} or {_TEST}, got {show(part)}")
    x = [_number(cell, number, name) for cell, name in zip(line[:target], head, strict=False)]
    return x, line[target], part


def _number(cell: str, line: int, name: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"points: line {line}: {name}: expected a finite number, got {show(cell)}")
    return number


def _in_order(names: set[str]) -> tuple[str, ...]:
    """Return the names of classes in order; of -1 and +1 both, also where one does not occur."""
    if names <= set(SIGNED):
        return SIGNED
    try:
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(names))
