"""Adapter to scikit-learn's callback protocol (1.9 and later), such as its progress bars.

An estimator of this package is a task "fit" with a subtask for each epoch. Where scikit-learn is older,
`CallbackSupportMixin` and `with_callbacks` do nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import ArrayLike
from sklearn.utils.metaestimators import available_if

from minicolumn.nn.layer import Params
from minicolumn.train import Callback, Trainer
from minicolumn.train.history import Row

if TYPE_CHECKING:
    from minicolumn.estimators.base import BaseMLP
    from minicolumn.estimators.holdout import FeaturesLike

Method = TypeVar("Method", bound=Callable[..., object])

try:
    import sklearn.callback as protocol
except ImportError:  # scikit-learn before 1.9 has no callbacks to support
    protocol = None


class _Unsupported:
    """The mixin of an older scikit-learn: there is nothing to support."""


def with_callbacks(method: Method) -> Method:
    """Return a method that scikit-learn's callbacks are told of; of its own type, which theirs would hide."""
    told: Any = protocol.with_callbacks(method) if protocol else method
    return told


def for_stochastic_solvers(method: Method) -> Method:
    """Return a method that estimators with solver="lbfgs" lack; of its own type, as above."""
    available: Any = available_if(lambda estimator: estimator._stochastic())
    return available(method)


CallbackSupportMixin: Any = protocol.CallbackSupportMixin if protocol else _Unsupported

__all__ = ["CallbackSupportMixin", "Hooks", "for_stochastic_solvers", "with_callbacks"]


class Hooks:
    """The callback context of one fit: tells scikit-learn's callbacks when tasks begin and end.

    Nothing happens, and nothing is computed, where the estimator has no scikit-learn callbacks.

    estimator   that is fitted
    X, y        what `fit` was given
    metadata    {"sample_weight": ...} where weights were given, else None
    epochs      the most subtasks that will come
    attributes  returns, for some weights, the fitted attributes of an estimator that has them; called only
                by callbacks that rebuild the estimator
    """

    def __init__(
        self,
        estimator: BaseMLP,
        X: FeaturesLike,
        y: ArrayLike,
        metadata: dict[str, ArrayLike] | None,
        epochs: int,
        attributes: Callable[[Params], dict[str, object]],
    ) -> None:
        self._estimator, self._attributes = estimator, attributes
        self._data = {"X": X, "y": y, "metadata": metadata}
        self._root = None
        if getattr(estimator, "_skl_callbacks", None) or hasattr(estimator, "_parent_callback_ctx"):
            self._root = estimator._init_callback_context(max_subtasks=epochs)
            self._root.call_on_fit_task_begin(estimator=estimator, **self._data)

    def callbacks(self) -> list[Callback]:
        """Return the callbacks to train with: one that reports epochs, or none where nobody listens."""
        return [] if self._root is None else [Bridge(self)]

    def epoch(self, params: Params) -> bool:
        """Report the end of an epoch, with the weights after it.

        Returns     whether a callback asks to stop
        """
        if self._root is None:
            return False
        task = self._root.subcontext(task_name="epoch")
        task.call_on_fit_task_begin(estimator=self._estimator, **self._data)
        attributes = lambda: self._attributes(params)  # noqa: E731
        return bool(
            task.call_on_fit_task_end(
                estimator=self._estimator, **self._data, reconstruction_attributes=attributes
            )
        )

    def end(self) -> None:
        """Report the end of the fit, once the estimator has its learnt attributes."""
        if self._root is not None:
            self._root.call_on_fit_task_end(
                estimator=self._estimator, **self._data, reconstruction_attributes={}
            )


class Bridge(Callback):
    """A `mc.Callback` that forwards the epochs of a training to `Hooks`."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        if self._hooks.epoch(trainer.params):
            trainer.stop("a scikit-learn callback")
