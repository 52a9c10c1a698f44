"""scikit-learn estimators: the same parameters and learnt attributes, trained by native code.

    mc.MLPClassifier, mc.MLPRegressor       multi-layer perceptrons, with every parameter of scikit-learn's
    mc.Perceptron                           Rosenblatt's perceptron, with its mistake bound

They pass scikit-learn's own checks of estimators, so pipelines, grid searches and `clone` take them.
"""

from minicolumn.estimators.classifier import MLPClassifier
from minicolumn.estimators.perceptron import Perceptron
from minicolumn.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "Perceptron"]
