"""scikit-learn's checks of an estimator's manners, whole."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import minicolumn as mc

# As many epochs as scikit-learn's own run of these checks takes. float64 meets every check as it is; float32,
# the default, meets all but two, which compare a fit with weights to one with copies within 1e-7, closer than
# two neighbouring numbers of float32 lie. Within what float32 can hold, test_laws.py has the same law.
WIDE = [mc.MLPClassifier(dtype="float64", max_iter=100), mc.MLPRegressor(dtype="float64", max_iter=100)]
NARROW = [mc.MLPClassifier(max_iter=100), mc.MLPRegressor(max_iter=100)]
TOO_NARROW = {
    f"check_sample_weight_equivalence_on_{form}_data": "asks for 1e-7, float32 has 1.2e-7 between neighbours"
    for form in ("dense", "sparse")
}

pytestmark = pytest.mark.filterwarnings("default")


@parametrize_with_checks(WIDE)
def test_manners(estimator: Any, check: Any) -> None:
    check(estimator)


@parametrize_with_checks(NARROW, expected_failed_checks=lambda estimator: TOO_NARROW)
def test_manners_in_float32(estimator: Any, check: Any) -> None:
    check(estimator)
