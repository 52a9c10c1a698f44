"""Thumbnails of the data sets, sent once."""

from __future__ import annotations

from minicolumn.data.points.points import DATASETS, thumbnail
from minicolumn.playground.network.room import NetworkRoom
from minicolumn.playground.network.thumbnails import thumbnails


def test_the_first_state_alone_shows_every_data_set() -> None:
    room = NetworkRoom()
    first, later = room.receive("open", {})[0], room.receive("set", {"changes": {"noise": 5}})[0]
    assert [dataset["name"] for dataset in first.says["datasets"]] == list(DATASETS)
    assert "datasets" not in later.says


def test_they_are_the_generators_own_points_and_lie_in_the_plane() -> None:
    for shown in thumbnails():
        points = thumbnail(shown["name"])
        assert shown["classes"] == len(points.classes)
        assert [row[0] for row in shown["points"]] == points.X[:, 0].round(2).tolist()
        assert [row[2] for row in shown["points"]] == points.y.round(2).tolist()
        assert max(abs(value) for row in shown["points"] for value in row) <= 7
