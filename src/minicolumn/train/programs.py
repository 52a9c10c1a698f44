"""A cache of compiled trainings while the process lives: fitting a network of a kind again compiles nothing.

The key is the step itself, a frozen record: layers, loss, optimizer, regularizer, constraint. Numbers that
change from run to run (learning rates, a penalty's strength, the number of rows) are arguments, not keys.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minicolumn.autodiff.derivatives import value_and_grad
from minicolumn.lower.compile import compile
from minicolumn.lower.turns import Turns
from minicolumn.nn.layer import Layer, Params
from minicolumn.registry import is_plain
from minicolumn.train.live_numbers import with_numbers
from minicolumn.train.settings import Settings
from minicolumn.train.step import (
    EPOCHS_DIMS,
    GIVEN,
    STEPS_DIMS,
    Step,
    loss_of,
    train_epochs,
    train_steps,
)
from minicolumn.train.types import Array, LossFunction, Regularizer

# Kinds of training kept, the least recently used one going first. Each holds its programs and their memory.
KEEP = 32


@dataclass(frozen=True)
class Lowering:
    """How a training is compiled.

    backend     "native" or "reference"
    threads     at most; None leaves it to the lowering
    shadow      a second backend that computes each operation too, for comparison; None goes without
    """

    backend: str = "native"
    threads: int | None = None
    shadow: str | None = None


def step_of(network: Layer, settings: Settings) -> Step:
    """Return the training step that is compiled: equal for settings that make the same program.

    Learning rates are arguments of the program, and so are the numbers of a regularizer that is a record of
    this package, and `live_numbers`: none of them makes a new one.
    """
    s = settings
    regularizer = None if is_plain(s.regularizer) else s.regularizer
    network, optimizer = with_numbers(network, s.optimizer.with_rate(1.0))
    return Step(network, s.loss, optimizer, regularizer, s.constraint)


def steps_program(step: Step, lowering: Lowering = Lowering()) -> Callable[..., Any]:
    """Return the compiled `train_steps`, which works in the memory of the state that it is given.

    Own functions may read what changes between two trainings, so a program that holds one is not kept.
    """
    return _known(_kept_steps, step, lowering) if step.is_plain else _steps(step, lowering)


def _steps(step: Step, lowering: Lowering) -> Callable[..., Any]:
    return compile(
        train_steps(step),
        lowering.backend,
        dims=STEPS_DIMS,
        donate=GIVEN,
        threads=lowering.threads,
        shadow=lowering.shadow,
        flush_subnormals=True,
        interruptible=False,
    )


def epochs_program(step: Step, lowering: Lowering = Lowering()) -> Callable[..., Any]:
    """Return the compiled `train_epochs`, which leaves the state that it is given as it is."""
    return _known(_kept_epochs, step, lowering) if step.is_plain else _epochs(step, lowering)


def _epochs(step: Step, lowering: Lowering) -> Callable[..., Any]:
    return compile(
        train_epochs(step),
        lowering.backend,
        dims=EPOCHS_DIMS,
        threads=lowering.threads,
        shadow=lowering.shadow,
        flush_subnormals=True,
        interruptible=False,
    )


_kept_steps, _kept_epochs = (functools.lru_cache(maxsize=KEEP)(make) for make in (_steps, _epochs))
_turns = Turns()


def _known(kept: Callable[..., Any], step: Step, lowering: Lowering) -> Callable[..., Any]:
    """Return what is kept of a step: one program, also for threads that ask at once."""
    with _turns.of((kept, step, lowering)):
        return kept(step, lowering)


def made() -> int:
    """Return how many kinds of training were compiled to be kept since the last `forget`."""
    return max(kept.cache_info().misses for kept in (_kept_steps, _kept_epochs))


def forget() -> None:
    """Keep no compiled training any more; what is running goes on."""
    _kept_steps.cache_clear()
    _kept_epochs.cache_clear()


def full_batch_program(
    network: Layer,
    loss: LossFunction,
    regularizer: Regularizer | None,
    threads: int | None = None,
) -> Callable[..., tuple[Any, Any]]:
    """Return the compiled value and gradient of the loss over all rows, kept as `steps_program` is.

    It takes (params, X, Y, weight, regularizer) and gives ((loss with penalty, its parts), gradients).
    """
    kind = None if is_plain(regularizer) else regularizer
    make = _kept_full if is_plain((network, loss, kind)) else _compiled_full
    return make(network, loss, kind, threads)


def _compiled_full(
    network: Layer, loss: LossFunction, regularizer: Regularizer | None, threads: int | None
) -> Callable[..., tuple[Any, Any]]:
    def objective(
        params: Params,
        X: Array,
        Y: Array,
        weight: Array | None,
        regularizer: Regularizer | None = regularizer,
    ) -> Any:
        value, (losses, _) = loss_of(network, loss, regularizer, params, X, Y, weight)
        return value, losses

    return compile(value_and_grad(objective, has_aux=True), threads=threads, flush_subnormals=True)


_kept_full = functools.lru_cache(maxsize=KEEP)(_compiled_full)
