"""scikit-learn estimators: the same parameters and learnt attributes, trained by native code.

    mc.MLPClassifier, mc.MLPRegressor       multi-layer perceptrons, with every parameter of scikit-learn's
    mc.Perceptron                           Rosenblatt's perceptron, with its mistake bound

They pass scikit-learn's own checks of estimators, so pipelines, grid searches and `clone` take them.
"""

from minicolumn.address_space import check_room_for_sklearn

check_room_for_sklearn("the estimators")

from minicolumn.estimators.classifier import MLPClassifier  # noqa: E402  (only where there is room for it)
from minicolumn.estimators.perceptron import Perceptron  # noqa: E402
from minicolumn.estimators.regressor import MLPRegressor  # noqa: E402

__all__ = ["MLPClassifier", "MLPRegressor", "Perceptron"]
