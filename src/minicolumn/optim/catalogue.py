"""The registry of optimizers and schedules by name, for the command line and the estimators."""

from __future__ import annotations

from typing import Any

from minicolumn.optim.adam import Adam, AdaMax, AdamW, AMSGrad, NAdam, RAdam
from minicolumn.optim.cycles import CosineRestarts, FlatCosine, LogCosine, OneCycle, WarmUp
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
from minicolumn.optim.wrappers import Averaged, Clipped, Layerwise
from minicolumn.registry import Registry, kind_of

WRAPPERS: Registry[type[Optimizer]] = Registry(
    "optimizer", {"clipped": Clipped, "averaged": Averaged, "layerwise": Layerwise}, by_class=True
)
OPTIMIZERS: Registry[type[Optimizer]] = Registry(
    "optimizer",
    {
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
    },
    # Settings of SGD that courses know by names of their own.
    {
        "gradient_descent": "sgd",
        "momentum": "sgd:momentum=0.9",
        "nesterov": "sgd:momentum=0.9,nesterov=true",
    },
    beside=WRAPPERS,
    by_class=True,
    adopt=kind_of(Optimizer),
    wanted="a frozen dataclass that derives from mc.optim.Optimizer",
)
ALIASES = OPTIMIZERS.aliases
SCHEDULES: Registry[type[Schedule]] = Registry(
    "schedule",
    {
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
        "flat_cosine": FlatCosine,
    },
    by_class=True,
    adopt=kind_of(Schedule),
    wanted="a frozen dataclass that derives from mc.optim.Schedule",
)


def optimizer_by_name(name: str, /, **settings: Any) -> Optimizer:
    """Make an optimizer from its name and settings, in the same text or by keyword.

    name        from ``OPTIMIZERS`` or ``ALIASES``, names for some settings of SGD; or a wrapper of one
    Errors      DataError for an unknown name or setting, or a value out of range

    >>> optimizer_by_name("adam:b1=0.8", learning_rate=0.01)
    Adam(learning_rate=0.01, b1=0.8, b2=0.999, eps=1e-08, weight_decay=0.0)
    >>> optimizer_by_name("clipped:optimizer=(momentum:learning_rate=0.1),norm=1").optimizer
    SGD(learning_rate=0.1, momentum=0.9, nesterov=False, weight_decay=0.0)
    """
    return OPTIMIZERS.make(name, **settings)


def schedule_by_name(name: str, /, **settings: Any) -> Schedule:
    """Make a schedule from its name and settings, in the same text or by keyword.

    Errors      DataError for an unknown name or setting, or a value out of range

    >>> schedule_by_name("cosine", end=0.1), schedule_by_name("warm_up:inner=exponential").inner
    (Cosine(end=0.1), Exponential(end=0.01))
    """
    return SCHEDULES.make(name, **settings)


def described(optimizer: Optimizer) -> dict[str, Any]:
    """Return an optimizer as JSON: its class's name and its settings; one within it likewise.

    Errors      DataError for a class of one's own

    >>> described(Clipped(SGD(0.1), norm=1.0))["optimizer"]
    {'name': 'SGD', 'learning_rate': 0.1, 'momentum': 0.0, 'nesterov': False, 'weight_decay': 0.0}
    """
    return OPTIMIZERS.to_json(optimizer)
