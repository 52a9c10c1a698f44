"""Verification of a zoo's entry: the file is the recipe's, and its scores are those that it tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minicolumn.errors import DataError
from minicolumn.model.model import Model
from minicolumn.zoo.catalogue import Zoo
from minicolumn.zoo.datasets import frame_of, pixels_of
from minicolumn.zoo.entry import Entry
from minicolumn.zoo.points import score_points
from minicolumn.zoo.rebuild import train

if TYPE_CHECKING:
    import polars

# Scores are means over test rows of float32 answers, whose sums may be in another order elsewhere.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Verdict:
    """What was found of an entry.

    name        of the entry
    told        the scores that its file tells
    found       the scores of the same rows, computed again; None where the data is not here
    missing     what would be needed to compute them; "" where nothing is missing
    """

    name: str
    told: dict[str, float]
    found: dict[str, float] | None
    missing: str = ""

    @property
    def holds(self) -> bool:
        """Whether every score that was computed again is the one that the file tells."""
        return not self.off

    @property
    def off(self) -> dict[str, float]:
        """The scores that are others than the file tells."""
        return {
            name: value
            for name, value in (self.found or {}).items()
            if not abs(self.told.get(name, value) - value) <= TOLERANCE * max(1.0, abs(value))
        }


def verify(name: str, zoo: Zoo | None = None, folder: Path | None = None) -> Verdict:
    """Check a network of the zoo: the sha256 of its file, and its scores where the data is at hand.

    folder      where files of data lie that do not come with a package
    Errors      DataError for a file or for data other than the recipe's
    """
    zoo = zoo or Zoo()
    entry, model = zoo.entry(name), zoo.load(name)
    told = dict(model.metrics.get("test", {}))
    if entry.source.files and folder is None:
        needed = f"{entry.source.name} from {entry.source.origin} (--data FOLDER)"
        return Verdict(name, told, None, needed)
    return Verdict(name, told, _scores(entry, model, folder))


def _scores(entry: Entry, model: Model, folder: Path | None) -> dict[str, float]:
    """Return the scores of a network on the test rows of its recipe."""
    if entry.kind == "table":
        return model.evaluate_table(table_of_tests(entry, folder))
    if entry.kind == "images":
        _, _, tested, right = pixels_of(entry, folder)
        return model.evaluate(tested, right)
    if entry.kind == "points":
        return score_points(entry, model)
    return dict(train(entry).metrics["test"])


def table_of_tests(entry: Entry, folder: Path | None) -> polars.DataFrame:
    """Return the rows of a table that its recipe keeps for the test.

    Errors      DataError for data that is not there or other than the recipe's, and where no row is kept
    """
    from minicolumn.tables import Overrides
    from minicolumn.tabular import plan_table
    from minicolumn.tabular.settings import TableSettings

    said: dict[str, Any] = dict(entry.settings)
    overrides = Overrides(drop=tuple(said.get("drop", ())))
    settings = TableSettings(
        said["target"], task=said.get("task"), overrides=overrides, seed=said.get("seed", 0)
    )
    plan = plan_table(frame_of(entry, folder), settings)
    if not plan.test.frame.height:
        raise DataError(f"zoo: {entry.name} has no test rows")
    return plan.test.frame
