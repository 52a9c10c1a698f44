"""A loss with its settings as a record: what `fit` takes, what a model file holds."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from minicolumn.errors import DataError
from minicolumn.nn.losses.table import LOSSES, LossRule
from minicolumn.nn.outputs import Outputs
from minicolumn.registry import changed, checked


@final
@dataclass(frozen=True, init=False, repr=False)
class Loss:
    """A loss of the catalogue, with its settings: a function of (outputs, targets, sample_weight).

    name        from `LOSSES` or `ALIASES`; settings may follow it, as in "huber:delta=2"
    settings    by keyword, such as delta of huber or levels of quantile; what is left at its default is not
                held, so that equal losses are equal records
    Errors      DataError for an unknown name or setting, or a value out of range

    >>> Loss("huber", delta=2)
    Loss('huber', delta=2.0)
    >>> import numpy as np
    >>> float(Loss("huber", delta=2)(np.array([10.0]), np.array([0.0])))
    18.0
    >>> Loss("mse") == Loss("squared_error"), Loss("quantile:levels=0.1+0.5+0.9")
    (True, Loss('quantile', levels=(0.1, 0.5, 0.9)))
    """

    name: str
    changed: tuple[tuple[str, Any], ...]

    def __init__(self, name: str, /, **settings: Any) -> None:
        if not isinstance(name, str):
            raise DataError(f"Loss: name: expected a name such as 'huber', got {type(name).__name__}")
        own, rule, said = LOSSES.resolve(name, settings)
        known = rule.settings
        object.__setattr__(self, "name", own)
        object.__setattr__(self, "changed", tuple(changed(known, checked(own, known, said)).items()))

    @property
    def rule(self) -> LossRule:
        """Return the entry of the catalogue."""
        return LOSSES[self.name]

    @property
    def settings(self) -> dict[str, Any]:
        """Return all settings, also those at their defaults."""
        return {**self.rule.defaults, **dict(self.changed)}

    def __call__(self, outputs: Any, targets: Any, sample_weight: Any = None) -> Any:
        """Return the (weighted) mean loss; traceable, as the function of the catalogue is."""
        if self.rule.is_own and outputs.shape[1:] == (1,) and targets.shape == outputs.shape[:1]:
            targets = targets.reshape(outputs.shape)  # [batch] beside [batch, 1] would broadcast
        return self.rule.function(outputs, targets, sample_weight, **dict(self.changed))

    def measured(self) -> Loss:
        """Return the loss by which a network is judged: without what only bends targets in training.

        >>> Loss("softmax_cross_entropy", label_smoothing=0.1).measured()
        Loss('softmax_cross_entropy')
        """
        known = self.rule.settings
        return Loss(self.name, **{k: v for k, v in self.changed if not known[k].training_only})

    @property
    def outputs(self) -> Outputs:
        """Return what a network's outputs mean that was trained with it: predictions and intervals follow.

        >>> Loss("huber").outputs.kind, Loss("gaussian_nll").outputs.kind
        ('point', 'normal')
        >>> Loss("quantile", levels=(0.1, 0.5, 0.9)).outputs
        Quantiles(levels=(0.1, 0.5, 0.9))
        """
        return self.rule.outputs_with(self.settings)

    def __repr__(self) -> str:
        return f"Loss({', '.join([repr(self.name), *(f'{k}={v!r}' for k, v in self.changed)])})"

    def to_json(self) -> str | dict[str, Any]:
        """Return the loss as plain JSON values: its name, or an object that holds its settings too.

        >>> Loss("huber").to_json(), Loss("huber", delta=2.0).to_json()
        ('huber', {'name': 'huber', 'delta': 2.0})
        """
        return LOSSES.to_json(self)

    @classmethod
    def from_json(cls, value: Any) -> Loss:
        """Read a loss that ``to_json`` wrote; refuse everything else.

        Errors      ModelFileError, one line: unknown name or setting, or a value out of range

        >>> Loss.from_json({"name": "huber", "delta": -1})
        Traceback (most recent call last):
        minicolumn.errors.ModelFileError: loss: huber: delta: expected a number > 0, got -1
        """
        return LOSSES.from_json(value)


def as_loss(loss: str | Loss | Callable[..., Any]) -> Loss | None:
    """Return the record of a text, of a function of the catalogue, or of one whose settings are bound.

    Returns     None for a function of one's own
    Errors      DataError for an unknown name, or settings out of range

    >>> from minicolumn.nn.losses import huber
    >>> as_loss(functools.partial(huber, delta=2.0))
    Loss('huber', delta=2.0)
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str):
        return Loss(loss)
    inner, settings = loss, {}
    if isinstance(loss, functools.partial) and not loss.args:
        inner, settings = loss.func, loss.keywords
    name = next((rule.name for rule in LOSSES.values() if rule.function is inner), None)
    return None if name is None else Loss(name, **settings)
