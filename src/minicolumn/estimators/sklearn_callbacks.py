"""scikit-learn's callback protocol (1.9 and later) on top of minicolumn's own callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minicolumn.train import Callback, Trainer

try:
    import sklearn.callback as protocol
except ImportError:  # scikit-learn before 1.9 has no callbacks to support
    protocol = None


class _Unsupported:
    """Stands in scikit-learn's place where there is nothing to support."""


def _as_it_is(method: Callable[..., Any]) -> Callable[..., Any]:
    return method


CallbackSupportMixin: Any = protocol.CallbackSupportMixin if protocol else _Unsupported
with_callbacks: Any = protocol.with_callbacks if protocol else _as_it_is

__all__ = ["CallbackSupportMixin", "Hooks", "with_callbacks"]


class Hooks:
    """Tells an estimator's scikit-learn callbacks what happens in its fit.

    estimator   that is fitted
    X, y        what it was given; metadata: the sample weights beside
    epochs      at most
    attributes  returns, for some weights, the fitted attributes of an estimator that has them
    """

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        metadata: Any,
        epochs: int,
        attributes: Callable[[Any], dict[str, Any]],
    ) -> None:
        self._estimator, self._attributes = estimator, attributes
        self._data = {"X": X, "y": y, "metadata": metadata}
        self._root = None
        if getattr(estimator, "_skl_callbacks", None) or hasattr(estimator, "_parent_callback_ctx"):
            self._root = estimator._init_callback_context(max_subtasks=epochs)
            self._root.call_on_fit_task_begin(estimator=estimator, **self._data)

    def callbacks(self) -> list[Callback]:
        """Return what a training needs to tell it its epochs; nothing where nobody listens."""
        return [] if self._root is None else [Bridge(self)]

    def epoch(self, params: Any) -> bool:
        """Tell that an epoch is over; return whether a callback wants to stop."""
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
        """Tell that the fit is over."""
        if self._root is not None:
            self._root.call_on_fit_task_end(
                estimator=self._estimator, **self._data, reconstruction_attributes={}
            )


class Bridge(Callback):
    """Hands the epochs of a training on to `Hooks`."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    def on_epoch(self, trainer: Trainer, row: Any) -> None:
        if self._hooks.epoch(trainer.params):
            trainer.stop("a scikit-learn callback")
