"""What follows from another setup: the points that it names, and settings that go with another data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicolumn.data.points.points import DATASETS, Points, make_points
from minicolumn.errors import DataError
from minicolumn.playground.lines import line
from minicolumn.playground.network.learner import Learner
from minicolumn.playground.network.painting import split_anew
from minicolumn.playground.network.setup import DEFAULT, OWN, TABLE, Setup


def points_for(setup: Setup, before: Learner | None) -> Points:
    """Return the points that a setup names; own ones stay.

    before      what learnt until now
    Errors      DataError where the setup names own ones and there are none
    """
    if setup.dataset in (OWN, TABLE):
        if before is None or (setup.dataset == TABLE and before.table is None):
            raise DataError(line("noPoints", kind=setup.dataset))
        stays = setup.train_percent == before.setup.train_percent
        return before.points if stays else split_anew(before.points, setup.train_percent, setup.seed)
    return make_points(
        setup.dataset, rows=setup.points, noise=setup.noise, train_percent=setup.train_percent,
        seed=setup.data_seed,
    )  # fmt: skip


def with_consequences(changes: Mapping[str, Any], before: Learner) -> dict[str, Any]:
    """Return changes with what follows from another data set: its points, features, a loss that suits.

    before      what they are changes of; a network that came as a whole gives way to one of the usual layers
    """
    found, setup = dict(changes), before.setup
    named = found.get("dataset")
    if named is None or named == setup.dataset or named in (OWN, TABLE):
        return found
    dataset = DATASETS[named]
    found.setdefault("points", dataset.rows)
    if setup.dataset in (OWN, TABLE) or dataset.inputs != ("x1", "x2"):
        found.setdefault("features", list(dataset.inputs))
    if before.whole is not None:
        found.setdefault("units", list(DEFAULT.units))
    if dataset.task != before.points.task:
        found.setdefault("loss", "auto")
    return found
