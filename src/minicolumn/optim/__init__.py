"""Optimizers and learning-rate schedules, all plain NumPy."""

from minicolumn.optim.adam import Adam, AdaMax, AdamW, AMSGrad, NAdam, RAdam
from minicolumn.optim.catalogue import (
    ALIASES,
    OPTIMIZERS,
    SCHEDULES,
    described,
    optimizer_by_name,
    schedule_by_name,
)
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
from minicolumn.optim.transform import Transform, apply_updates, chain
from minicolumn.optim.wrappers import Averaged, Clipped, Layerwise

__all__ = [
    "ALIASES",
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "AMSGrad",
    "AdaGrad",
    "AdaMax",
    "Adadelta",
    "Adam",
    "AdamW",
    "Averaged",
    "Clipped",
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Exponential",
    "FlatCosine",
    "InverseTime",
    "Layerwise",
    "Lion",
    "LogCosine",
    "Muon",
    "NAdam",
    "OneCycle",
    "Optimizer",
    "PiecewiseConstant",
    "Polynomial",
    "RAdam",
    "RMSProp",
    "Rprop",
    "Schedule",
    "ScheduleFreeAdamW",
    "StepDecay",
    "Transform",
    "WarmUp",
    "apply_updates",
    "chain",
    "described",
    "optimizer_by_name",
    "schedule_by_name",
]
