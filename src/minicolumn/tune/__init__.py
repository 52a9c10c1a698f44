"""Topology search: hyperparameter optimization of a table's network, with an error bar and a winner.

    Space       what there is to choose among      Candidate   one point of it
    Trial       what became of a candidate         Study       all trials, and the winner

The module itself can be called: `mc.tune(X, y, ...)` is `mc.tune.tune`, the search.

Source      strategies: `tune.strategies`; samplers, pruners and storage are Optuna's (Akiba et al. 2019)
Differs     an Optuna study is given an objective; here the search knows networks: candidates train side by
            side in one process, are pruned on epochs and folds together, and the winner has an error bar
"""

from __future__ import annotations

import importlib
import sys
from inspect import Signature, signature
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minicolumn.tune.api import tune
    from minicolumn.tune.candidate import Candidate
    from minicolumn.tune.parts import Choices, Interval
    from minicolumn.tune.space import Space
    from minicolumn.tune.strategies import STRATEGIES
    from minicolumn.tune.study import Study
    from minicolumn.tune.trial import Trial

# Loaded when they are first asked for: the command line's help needs none of them.
_LATER = {
    "STRATEGIES": "strategies",
    "Candidate": "candidate",
    "Choices": "parts",
    "Interval": "parts",
    "Space": "space",
    "Study": "study",
    "Trial": "trial",
    "tune": "api",
}


class CallableModule(ModuleType):
    """The module as the function of its name: people write both `mc.tune(X, y)` and `mc.tune.Space(...)`."""

    if TYPE_CHECKING:  # what `__getattr__` below finds
        from minicolumn.tune.candidate import Candidate
        from minicolumn.tune.parts import Choices, Interval
        from minicolumn.tune.space import Space
        from minicolumn.tune.strategies import STRATEGIES
        from minicolumn.tune.study import Study
        from minicolumn.tune.trial import Trial

        __call__ = staticmethod(tune)
        tune = staticmethod(tune)
    else:

        def __call__(self, *args, **keywords):
            """Search; see `mc.tune.tune`."""
            return self.tune(*args, **keywords)

    @property
    def __signature__(self) -> Signature:
        return signature(__getattr__("tune"))


def __getattr__(name: str) -> Any:
    """Import a public name on its first use."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    callable_module: CallableModule
sys.modules[__name__].__class__ = CallableModule
__all__ = ["STRATEGIES", "Candidate", "Choices", "Interval", "Space", "Study", "Trial", "tune"]
