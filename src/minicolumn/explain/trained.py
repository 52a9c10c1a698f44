"""Input adapter: a model, a run of `fit` or a fitted estimator as a `Model` with encoded targets."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from minicolumn.errors import DataError
from minicolumn.model.model import Model
from minicolumn.nn import Loss
from minicolumn.train import Run
from minicolumn.train.types import LossFunction

Array = np.ndarray


@runtime_checkable
class FittedEstimator(Protocol):
    """A fitted estimator: any object with these three, such as `mc.MLPClassifier` once it is fitted.

    This folder stands before `estimators` in the order of stages, so it asks for methods, not for a class.

    loss        as the estimator was constructed with; a function is an own loss
    """

    @property
    def loss(self) -> str | Loss | LossFunction:
        """Return the loss that it is trained with."""
        ...

    def to_model(self) -> Model:
        """Return its network with its weights.

        Errors      scikit-learn's NotFittedError before `fit`
        """
        ...

    def encode_target(self, y: ArrayLike, /) -> Array:
        """Return targets as the network takes them: class numbers int [rows], or floats [rows, outputs]."""
        ...


# What `landscape` and `backprop_report` explain.
Explained = Model | Run | FittedEstimator


def trained(who: str, model: Explained, y: ArrayLike) -> tuple[Model, ArrayLike, LossFunction | None]:
    """Return the network with its weights, the encoded targets, and an own loss function if there was one.

    who         the caller's name, which error messages start with
    model       what `fit` or `load` gave, or a fitted estimator
    y           targets: of a model or a run as its network takes them, of an estimator as its `fit` does
    Returns     the `Model`; y, encoded where it came with an estimator; None for a loss of the catalogue,
                which the model itself knows
    Errors      DataError for anything else, classes included; scikit-learn's NotFittedError
    """
    if isinstance(model, Run):
        return model.model, y, None
    if isinstance(model, Model):
        return model, y, None
    if isinstance(model, FittedEstimator) and not isinstance(model, type):
        loss = model.loss
        own = loss if callable(loss) else None
        return model.to_model(), model.encode_target(y), own
    kind = f"class {model.__name__}" if isinstance(model, type) else type(model).__name__
    raise DataError(f"{who}: expected a model, a run of `fit` or a fitted estimator, got a {kind}")
