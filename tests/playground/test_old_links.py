"""Old links, from the text to the trained network, beside what the original's own functions make of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from minicolumn.playground.links import parse_link
from minicolumn.playground.network.room import NetworkRoom

# Made by golden/make_playground.cjs, which says how.
GOLDEN = json.loads((Path(__file__).parent / "golden" / "playground.json").read_text())["trained"]


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row["link"].partition("&seed")[0])
def test_an_old_link_starts_and_learns_as_it_did(row):
    room = NetworkRoom()
    room.receive("open", {"link": "#" + row["link"]})
    assert parse_link(row["link"]).legacy
    learner = room.learner
    losses = [learner.measured()["loss"]]
    for epochs in (1, row["epochs"] - 1):
        room.receive("step", {"epochs": epochs})
        losses.append(learner.measured()["loss"])
    found = [[loss["train"], loss["test"]] for loss in losses]
    # The room computes in float32, the original in doubles: some hundred steps of roundings of 6e-8.
    np.testing.assert_allclose(found, row["losses"], rtol=1e-5)
    for (weight, bias), weights, biases in zip(learner.weights, row["weights"], row["biases"], strict=True):
        np.testing.assert_allclose(weight, np.array(weights).T.reshape(weight.shape), atol=1e-5)
        np.testing.assert_allclose(bias, biases, atol=1e-5)
