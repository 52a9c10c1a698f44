"""Make the picture of accuracy against time: `python docs/make/frontier.py`, with the extra `plot`.

It reads frontier.csv beside the decision of the recipe: a line a table, holdout and configuration, with the
processor's seconds and the loss (log loss, or 1 - R2), all on rows held out inside the training part.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from pathlib import Path

from minicolumn.picture import BEHIND, FRONT, INK, PALE, QUIET, new_axes, quiet

DOCS = Path(__file__).resolve().parents[1]
RESULTS, PICTURE = DOCS / "decisions" / "frontier.csv", DOCS / "pictures" / "frontier.svg"
REFERENCE = "one network"
Point = tuple[float, float]


def points(path: Path) -> dict[str, Point]:
    """Return of each configuration its time and what it gains, beside the single network.

    Returns     {configuration: (geometric mean over tables of the ratios of seconds, mean share of the loss
                that is saved)}; configurations that lack a table of the single network are left out
    """
    found: dict[str, dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    with path.open(newline="") as lines:
        for line in csv.DictReader(lines):
            found[line["configuration"]][line["table"]].append((float(line["seconds"]), float(line["loss"])))
    means = {name: {table: _mean(each) for table, each in own.items()} for name, own in found.items()}
    one = means[REFERENCE]
    return {name: _beside(own, one) for name, own in means.items() if own.keys() >= one.keys()}


def _beside(own: dict[str, Point], one: dict[str, Point]) -> Point:
    """Return the geometric mean of the ratios of seconds, and the mean share of the loss that is saved."""
    slower = [math.log(own[table][0] / one[table][0]) for table in one]
    saved = [1.0 - own[table][1] / one[table][1] for table in one]
    return math.exp(sum(slower) / len(one)), sum(saved) / len(one)


def _mean(pairs: list[Point]) -> Point:
    return sum(a for a, _ in pairs) / len(pairs), sum(b for _, b in pairs) / len(pairs)


def main() -> None:
    """Draw the picture: a dot a configuration, "8 now" being eight members of the present recipe."""
    axes = new_axes(6.4, 3.8)
    quiet(axes)
    axes.axhline(0.0, color=PALE, lw=0.8, zorder=0)
    found = points(RESULTS)
    for recipe, colour in (("before", BEHIND), ("now", FRONT)):
        line = [(seconds, 100 * gain) for name, (seconds, gain) in found.items() if name.endswith(recipe)]
        axes.plot(*zip(*line, strict=True), "o-", color=colour, lw=1.2, ms=6)
    axes.plot(1.0, 0.0, "o", color=INK, ms=6)
    for name, (seconds, gain) in found.items():
        label = name if name == REFERENCE else name.split()[0]
        axes.annotate(
            label, (seconds, 100 * gain), (0, 7), textcoords="offset points", ha="center", color=QUIET
        )
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axes.margins(0.08, 0.12)
    axes.set_xlabel("processor time, as a multiple of one network's", color=QUIET)
    axes.set_ylabel("loss saved on rows held out, %", color=QUIET)
    axes.text(0.02, 0.93, "members now", color=FRONT, transform=axes.transAxes)
    axes.text(0.02, 0.86, "members before", color=QUIET, transform=axes.transAxes)
    axes.figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
