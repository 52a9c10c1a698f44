"""Optimizers and learning-rate schedules, all plain NumPy."""

from minicolumn.optim.recipes import (
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    AdaMax,
    AdamW,
    NAdam,
    Optimizer,
    RMSProp,
    optimizer_by_name,
)
from minicolumn.optim.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    LogCosine,
    Schedule,
    StepDecay,
    WarmUp,
    schedule_by_name,
)
from minicolumn.optim.transform import Transform, apply_updates, chain

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "AdaGrad",
    "AdaMax",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "Exponential",
    "InverseTime",
    "LogCosine",
    "NAdam",
    "Optimizer",
    "RMSProp",
    "Schedule",
    "StepDecay",
    "Transform",
    "WarmUp",
    "apply_updates",
    "chain",
    "optimizer_by_name",
    "schedule_by_name",
]
