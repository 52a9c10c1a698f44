"""What every optimizer is: a frozen record of its settings, and a chain of parts that takes steps on a tree.

All of them minimise. ``start(params)`` gives the moments before the first step, ``step(grads, moments,
params)`` the updates to add and the next moments, ``weights(params, moments)`` the weights to evaluate and to
keep; all three are plain NumPy and can be traced. Moments are a dict: ``count``, the number of steps taken
(int32), and one tree like ``params`` for each thing remembered. Weight decay leaves biases, scales, slopes
and running statistics alone.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

from minicolumn.nn.regularize import is_penalized
from minicolumn.nn.settings import settle_flag, settle_number
from minicolumn.optim import parts
from minicolumn.optim.transform import Array, Moments, Transform, start_tree, step_tree

_BELOW_ONE = frozenset({"momentum", "decay", "b1", "b2"})


@dataclass(frozen=True)
class Optimizer:
    """What all optimizers share: a learning rate, and how a chain of parts becomes steps on a tree.

    Subclasses are frozen dataclasses that say in ``transform`` what they are made of.
    """

    learning_rate: float = 0.01

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            self._settle(field.name)

    def _settle(self, name: str) -> None:
        """Check one setting; subclasses do so for those that are neither numbers nor ``nesterov``."""
        if name in _BELOW_ONE:
            settle_number(self, name, "0 <= number < 1", lambda value: 0 <= value < 1)
        elif name == "nesterov":
            settle_flag(self, name)
        else:
            settle_number(self, name, "a number >= 0", lambda value: value >= 0)

    def transform(self, penalized: bool = True) -> Transform:
        """Return the parts as one transform, with weight decay only if ``penalized``."""
        raise NotImplementedError(f"{type(self).__name__} lacks transform")

    def _choose(self, path: str, param: Array) -> Transform:
        return self.transform(is_penalized(path))

    def start(self, params: Any) -> Moments:
        """Return the moments before the first step."""
        return start_tree(self._choose, params)

    def step(
        self, grads: Any, moments: Moments, params: Any, learning_rate: Any = None
    ) -> tuple[Any, Moments]:
        """Return the updates to add to ``params``, and the next moments.

        grads           a tree like ``params``
        moments         what ``start`` or the last ``step`` gave
        learning_rate   a number or a traced scalar; None takes the record's own
        Errors          ValueError if the trees differ
        """
        rate = self.learning_rate if learning_rate is None else learning_rate
        return step_tree(self._choose, grads, moments, params, rate)

    def with_rate(self, learning_rate: float) -> Self:
        """Return the same optimizer with another learning rate.

        >>> from minicolumn.optim import SGD, Clipped
        >>> Clipped(SGD(0.1), norm=1.0).with_rate(0.5).optimizer.learning_rate
        0.5
        """
        return dataclasses.replace(self, learning_rate=learning_rate)

    @property
    def averages(self) -> bool:
        """Whether `weights` gives others than those that are trained."""
        return False

    def weights(self, params: Any, moments: Moments) -> Any:
        """Return the weights to evaluate and to keep: ``params`` themselves, unless an optimizer averages."""
        return params


def decaying(rate: float, penalized: bool) -> tuple[Transform, ...]:
    """Return the part for weight decay, where there is any."""
    return (parts.decay(rate),) if rate and penalized else ()


def described(optimizer: Optimizer) -> dict[str, Any]:
    """Return an optimizer as JSON: its class's name and its settings; one within it likewise.

    >>> from minicolumn.optim import SGD, Clipped
    >>> described(Clipped(SGD(0.1), norm=1.0))["optimizer"]
    {'name': 'SGD', 'learning_rate': 0.1, 'momentum': 0.0, 'nesterov': False, 'weight_decay': 0.0}
    """
    settings = {field.name: getattr(optimizer, field.name) for field in dataclasses.fields(optimizer)}
    return {"name": type(optimizer).__name__} | {
        name: described(value) if isinstance(value, Optimizer) else value for name, value in settings.items()
    }
