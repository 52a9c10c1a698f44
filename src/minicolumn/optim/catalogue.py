"""All optimizers and schedules by name, as the command line and the estimators ask for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from minicolumn.errors import DataError, did_you_mean
from minicolumn.optim.adam import Adam, AdaMax, AdamW, AMSGrad, NAdam, RAdam
from minicolumn.optim.cycles import CosineRestarts, LogCosine, OneCycle, WarmUp
from minicolumn.optim.descent import SGD, Lion, Rprop
from minicolumn.optim.muon import Muon
from minicolumn.optim.optimizer import Optimizer
from minicolumn.optim.scaled import Adadelta, AdaGrad, RMSProp
from minicolumn.optim.schedule_free import ScheduleFreeAdamW
from minicolumn.optim.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    PiecewiseConstant,
    Polynomial,
    Schedule,
    StepDecay,
)

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSProp,
    "adagrad": AdaGrad,
    "adadelta": Adadelta,
    "adam": Adam,
    "adamw": AdamW,
    "amsgrad": AMSGrad,
    "nadam": NAdam,
    "adamax": AdaMax,
    "radam": RAdam,
    "lion": Lion,
    "muon": Muon,
    "rprop": Rprop,
    "schedule_free_adamw": ScheduleFreeAdamW,
}
# Settings of SGD that courses know by names of their own.
ALIASES: dict[str, tuple[str, dict[str, Any]]] = {
    "gradient_descent": ("sgd", {}),
    "momentum": ("sgd", {"momentum": 0.9}),
    "nesterov": ("sgd", {"momentum": 0.9, "nesterov": True}),
}
SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "cosine": Cosine,
    "exponential": Exponential,
    "polynomial": Polynomial,
    "step_decay": StepDecay,
    "piecewise_constant": PiecewiseConstant,
    "inverse_time": InverseTime,
    "warm_up": WarmUp,
    "one_cycle": OneCycle,
    "cosine_restarts": CosineRestarts,
    "log_cosine": LogCosine,
}


def optimizer_by_name(name: str, /, **settings: Any) -> Optimizer:
    """Make an optimizer from its name and settings; ``ALIASES`` are names for some settings of SGD.

    Errors      DataError for an unknown name or setting

    >>> optimizer_by_name("adam", learning_rate=0.01).learning_rate
    0.01
    >>> optimizer_by_name("momentum", learning_rate=0.1)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=False, weight_decay=0.0)
    """
    plain, given = ALIASES.get(name, (name, {}))
    if plain not in OPTIMIZERS:
        known = [*OPTIMIZERS, *ALIASES]
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        raise DataError(f"unknown optimizer {name!r}{hint}")
    return _made(name, OPTIMIZERS[plain], {**given, **settings})


def schedule_by_name(name: str, /, **settings: Any) -> Schedule:
    """Make a schedule from its name and settings; one within another may be named, too.

    Errors      DataError for an unknown name or setting

    >>> schedule_by_name("cosine", end=0.1)
    Cosine(end=0.1)
    """
    if name not in SCHEDULES:
        hint = did_you_mean(name, SCHEDULES) or f"; there are {', '.join(SCHEDULES)}"
        raise DataError(f"unknown schedule {name!r}{hint}")
    inner = settings.get("inner")
    if isinstance(inner, str):
        settings = {**settings, "inner": schedule_by_name(inner)}
    return _made(name, SCHEDULES[name], settings)


def _made(name: str, kind: Any, settings: Mapping[str, Any]) -> Any:
    known = [field.name for field in dataclasses.fields(kind)]
    for setting in settings:
        if setting not in known:
            hint = did_you_mean(setting, known) or f"; there are {', '.join(known)}"
            raise DataError(f"{name}: unknown setting {setting!r}{hint if known else '; it has none'}")
    return kind(**settings)
