"""Estimators for scikit-learn: the same parameters and attributes, trained by native code."""

from minicolumn.estimators.perceptron import Perceptron

__all__ = ["Perceptron"]
