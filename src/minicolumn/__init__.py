"""minicolumn: small neural networks from plain NumPy.

Importing it loads neither SciPy, scikit-learn nor polars; each part is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from minicolumn.autodiff.check import DerivativeError, check_grads
from minicolumn.autodiff.derivatives import (
    grad,
    hessian,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)
from minicolumn.errors import (
    DataError,
    DataWarning,
    DivergenceError,
    MinicolumnError,
    ModelFileError,
    ShadowError,
    ShapeError,
    TraceError,
)
from minicolumn.lower.compile import compile
from minicolumn.lower.inspect import inspect
from minicolumn.trace.loops import scan

__version__ = "0.1.0"

if TYPE_CHECKING:
    from minicolumn import data, explain, nn, optim, random, tables, train
    from minicolumn.estimators import MLPClassifier, MLPRegressor, Perceptron
    from minicolumn.explain import TrajectoryRecorder, backprop_report, descent, landscape
    from minicolumn.model import Model, load
    from minicolumn.tabular import fit_table
    from minicolumn.train import (
        Callback,
        Checkpoint,
        EarlyStopping,
        History,
        KeepBest,
        ReduceOnPlateau,
        Run,
        Trainer,
        fit,
    )

# Public names whose stage is loaded when they are first asked for.
_LATER = {
    "data": "minicolumn.data",
    "explain": "minicolumn.explain",
    "nn": "minicolumn.nn",
    "optim": "minicolumn.optim",
    "random": "minicolumn.random",
    "tables": "minicolumn.tables",
    "train": "minicolumn.train",
    "MLPClassifier": "minicolumn.estimators",
    "MLPRegressor": "minicolumn.estimators",
    "Model": "minicolumn.model",
    "load": "minicolumn.model",
    "Callback": "minicolumn.train",
    "Checkpoint": "minicolumn.train",
    "EarlyStopping": "minicolumn.train",
    "History": "minicolumn.train",
    "KeepBest": "minicolumn.train",
    "ReduceOnPlateau": "minicolumn.train",
    "Run": "minicolumn.train",
    "Trainer": "minicolumn.train",
    "TrajectoryRecorder": "minicolumn.explain",
    "fit": "minicolumn.train",
    "fit_table": "minicolumn.tabular",
    "Perceptron": "minicolumn.estimators",
    "backprop_report": "minicolumn.explain",
    "descent": "minicolumn.explain",
    "landscape": "minicolumn.explain",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        from minicolumn.errors import did_you_mean

        raise AttributeError(f"module 'minicolumn' has no attribute {name!r}{did_you_mean(name, __all__)}")
    module = importlib.import_module(_LATER[name])
    return module if _LATER[name] == f"minicolumn.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "Callback",
    "Checkpoint",
    "DataError",
    "DataWarning",
    "DerivativeError",
    "DivergenceError",
    "EarlyStopping",
    "History",
    "KeepBest",
    "MLPClassifier",
    "MLPRegressor",
    "MinicolumnError",
    "Model",
    "ModelFileError",
    "Perceptron",
    "ReduceOnPlateau",
    "Run",
    "ShadowError",
    "ShapeError",
    "TraceError",
    "Trainer",
    "TrajectoryRecorder",
    "backprop_report",
    "check_grads",
    "compile",
    "data",
    "descent",
    "explain",
    "fit",
    "fit_table",
    "grad",
    "hessian",
    "inspect",
    "jacobian",
    "jvp",
    "landscape",
    "load",
    "nn",
    "optim",
    "random",
    "scan",
    "stop_gradient",
    "tables",
    "train",
    "value_and_grad",
    "vjp",
]
