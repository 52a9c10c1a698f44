"""Estimators by scikit-learn's interface."""

from minicolumn.estimators.classifier import MLPClassifier
from minicolumn.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
