"""scikit-learn's checks of an estimator's manners, whole."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import minicolumn as mc

# Few epochs where the checks would wait for many; the rest is as by default.
ESTIMATORS = [
    mc.MLPClassifier(),
    mc.MLPRegressor(),
    mc.MLPClassifier(solver="lbfgs", dtype="float64"),
    mc.MLPClassifier(dropout=0.2, early_stopping=True, class_weight="balanced", max_iter=100),
    mc.MLPRegressor(conformal_fraction=0.2, n_restarts=2, max_iter=100),
]


@pytest.mark.filterwarnings("default")
@parametrize_with_checks(ESTIMATORS)
def test_manners(estimator: Any, check: Any) -> None:
    check(estimator)
