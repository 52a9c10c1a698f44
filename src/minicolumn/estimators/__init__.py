"""Estimators for scikit-learn: the same parameters and attributes, trained by native code."""

from minicolumn.estimators.classifier import MLPClassifier
from minicolumn.estimators.perceptron import Perceptron
from minicolumn.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "Perceptron"]
