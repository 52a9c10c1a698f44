"""minicolumn: small neural networks from plain NumPy.

Importing it loads nothing of weight, not even NumPy; each part is loaded when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, which takes longer to load than all of this
if TYPE_CHECKING:
    from typing import Any

    from minicolumn import data, explain, nn, optim, random, tables, train, zoo
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
    from minicolumn.estimators import MLPClassifier, MLPRegressor, Perceptron
    from minicolumn.explain import TrajectoryRecorder, backprop_report, descent, landscape
    from minicolumn.lower.compile import compile
    from minicolumn.lower.inspect import inspect
    from minicolumn.model import Model, load
    from minicolumn.model.export.sklearn_object import to_sklearn
    from minicolumn.model.imports import from_keras, from_onnx, from_sklearn, from_torch
    from minicolumn.playground.monitoring import Monitor
    from minicolumn.tabular import fit_table
    from minicolumn.trace.loops import scan
    from minicolumn.train import (
        Callback,
        Checkpoint,
        EarlyStopping,
        History,
        KeepBest,
        ReduceOnPlateau,
        Run,
        Trainer,
        Unfreeze,
        fit,
        transfer,
    )
    from minicolumn.tune import callable_module as tune
    from minicolumn.tune.search_cv import TopologySearchCV

__version__ = "0.1.0"

# Public names by the module that holds them, which is loaded when one of them is first asked for.
_NAMES = {
    "minicolumn.autodiff.check": ("DerivativeError", "check_grads"),
    "minicolumn.autodiff.derivatives": (
        "grad",
        "hessian",
        "jacobian",
        "jvp",
        "stop_gradient",
        "value_and_grad",
        "vjp",
    ),
    "minicolumn.errors": (
        "DataError",
        "DataWarning",
        "DivergenceError",
        "MinicolumnError",
        "ModelFileError",
        "ShadowError",
        "ShapeError",
        "TraceError",
    ),
    "minicolumn.estimators": ("MLPClassifier", "MLPRegressor", "Perceptron"),
    "minicolumn.explain": ("TrajectoryRecorder", "backprop_report", "descent", "landscape"),
    "minicolumn.lower.compile": ("compile",),
    "minicolumn.lower.inspect": ("inspect",),
    "minicolumn.model": ("Model", "load"),
    "minicolumn.model.export.sklearn_object": ("to_sklearn",),
    "minicolumn.model.imports": ("from_keras", "from_onnx", "from_sklearn", "from_torch"),
    "minicolumn.playground.monitoring": ("Monitor",),
    "minicolumn.tabular": ("fit_table",),
    "minicolumn.trace.loops": ("scan",),
    "minicolumn.train": (
        "Callback",
        "Checkpoint",
        "EarlyStopping",
        "History",
        "KeepBest",
        "ReduceOnPlateau",
        "Run",
        "Trainer",
        "Unfreeze",
        "fit",
        "transfer",
    ),
    "minicolumn.tune.search_cv": ("TopologySearchCV",),
}
_LATER = {name: module for module, names in _NAMES.items() for name in names}
# Stages that are attributes too; those of the second row are no public names.
_STAGES = (
    *("data", "explain", "nn", "optim", "random", "tables", "train", "tune", "zoo"),
    *("autodiff", "errors", "ir", "lower", "passes", "registry", "trace", "tree"),
)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    from minicolumn.address_space import check_room_for_numpy

    if (name in _STAGES or name in _LATER) and _LATER.get(name) != "minicolumn.errors":
        check_room_for_numpy("minicolumn")
    if name in _STAGES:
        return import_module(f"minicolumn.{name}")
    if name not in _LATER:
        from minicolumn.errors import did_you_mean

        raise AttributeError(f"module 'minicolumn' has no attribute {name!r}{did_you_mean(name, __all__)}")
    found = globals()[name] = getattr(import_module(_LATER[name]), name)
    return found


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
    "Monitor",
    "Perceptron",
    "ReduceOnPlateau",
    "Run",
    "ShadowError",
    "ShapeError",
    "TopologySearchCV",
    "TraceError",
    "Trainer",
    "TrajectoryRecorder",
    "Unfreeze",
    "backprop_report",
    "check_grads",
    "compile",
    "data",
    "descent",
    "explain",
    "fit",
    "fit_table",
    "from_keras",
    "from_onnx",
    "from_sklearn",
    "from_torch",
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
    "to_sklearn",
    "train",
    "transfer",
    "tune",
    "value_and_grad",
    "vjp",
    "zoo",
]

import minicolumn.lower.forks  # noqa: E402, F401  from now on a fork waits for imports of other threads
