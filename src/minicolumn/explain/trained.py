"""What explanations are asked for: a model, a run of `fit`, or a fitted estimator with its own labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.model import Model
from minicolumn.train import Run

Array = np.ndarray


@runtime_checkable
class Convertible(Protocol):
    """A fitted estimator."""

    loss: Any

    def to_model(self) -> Model:
        """Return its network with its weights."""
        ...

    def encode_target(self, y: Any) -> Array:
        """Return targets as the network takes them."""
        ...


def trained(who: str, model: Any, y: Any) -> tuple[Model, Any, Callable[..., Any] | None]:
    """Return the model, the targets as its network takes them, and the own loss that it was trained with.

    who         asks, for messages
    Errors      DataError for what is none of these; scikit-learn's NotFittedError
    """
    if isinstance(model, Run):
        return model.model, y, None
    if isinstance(model, Model):
        return model, y, None
    if isinstance(model, Convertible) and not isinstance(model, type):
        return model.to_model(), model.encode_target(y), model.loss if callable(model.loss) else None
    kind = f"class {model.__name__}" if isinstance(model, type) else type(model).__name__
    raise DataError(f"{who}: expected a model, a run of `fit` or a fitted estimator, got a {kind}")
