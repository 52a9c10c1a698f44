"""Learning-rate schedules evaluated: the factors on the learning rate, also by somebody's own function."""

from __future__ import annotations

import numpy as np

from minicolumn.errors import DataError, MinicolumnError, one_line
from minicolumn.optim.schedules import Schedule
from minicolumn.train.types import ScheduleFunction

Array = np.ndarray


def factors(schedule: ScheduleFunction, steps: Array, total: int) -> Array:
    """Return a schedule's factors on the learning rate at some steps, float64 [steps].

    steps       their numbers, from 0; total: steps of the whole training
    Errors      DataError where an own function does not give one number >= 0 for each
    Differs     PyTorch's schedulers are stepped and hold a count; a schedule here is a function of the step

    >>> factors(lambda steps, total: 1.0 - steps / total, np.array([0, 5]), 10)
    array([1. , 0.5])
    """
    if isinstance(schedule, Schedule) and not schedule.is_endless:
        steps = np.minimum(steps, max(total - 1, 0))  # beyond the end the last step's factor stays
    try:
        found = np.broadcast_to(np.asarray(schedule(steps, total), np.float64), steps.shape)
    except MinicolumnError:
        raise
    except Exception as error:
        raise DataError(
            "fit: a schedule is a function of (steps, total_steps) that gives a factor for each of an array "
            f"of steps; this one fails: {one_line(error)}"
        ) from error
    if not (found >= 0).all():
        raise DataError(f"fit: a schedule gives factors >= 0, this one gave {found[~(found >= 0)][0]:g}")
    return found
