"""A logit of -inf says that an answer is out of the question: losses and slopes are those without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.nn.losses.binary import binary_cross_entropy, binary_focal
from minicolumn.nn.losses.multiclass import (
    categorical_hinge,
    kl_divergence,
    softmax_cross_entropy,
    softmax_focal,
)

SURE = np.array([[1.0, 0.0, -np.inf], [-np.inf, -0.5, 2.0]])
LABELS = np.array([0, 1])
# The same rows, without the class that is out of the question.
POSSIBLE, THEIRS = np.array([[1.0, 0.0], [-0.5, 2.0]]), np.array([0, 0])


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("loss", [softmax_cross_entropy, softmax_focal, kl_divergence, categorical_hinge])
def test_a_class_out_of_the_question(loss: Any, backend: str) -> None:
    shares = np.eye(3)[LABELS]
    for targets in (LABELS, shares):
        pair = mc.compile(mc.value_and_grad(lambda y, t=targets: loss(y, t)), backend=backend)(SURE)
        value, slope = mc.value_and_grad(lambda y: loss(y, THEIRS))(POSSIBLE)
        np.testing.assert_allclose(pair[0], value, rtol=1e-14)
        np.testing.assert_allclose(pair[1][0, :2], slope[0], rtol=1e-14)
        np.testing.assert_allclose(pair[1][1, 1:], slope[1], rtol=1e-14)
        assert pair[1][0, 2] == pair[1][1, 0] == 0.0


def test_cross_entropy_by_hand() -> None:
    # log(1 + e^-1)
    assert float(softmax_cross_entropy(SURE[:1], LABELS[:1])) == pytest.approx(0.31326168751822286, rel=1e-15)
    assert float(softmax_cross_entropy(SURE[:1], np.array([2]))) == np.inf


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("loss", [binary_cross_entropy, binary_focal])
def test_answers_that_are_certain(loss: Any, backend: str) -> None:
    right = np.array([0.0, 1.0])
    pair = mc.compile(mc.value_and_grad(lambda y: loss(y, right)), backend=backend)(
        np.array([-np.inf, np.inf])
    )
    assert pair[0] == 0.0
    np.testing.assert_array_equal(pair[1], [0.0, 0.0])
    assert float(loss(np.array([np.inf]), np.array([0.0]))) == np.inf
