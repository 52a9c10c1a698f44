"""Compiled trainings, kept while the process lives: fitting a network of a kind again compiles nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minicolumn.autodiff.derivatives import value_and_grad
from minicolumn.lower.compile import compile
from minicolumn.nn.layer import Layer
from minicolumn.nn.settings import is_plain
from minicolumn.optim import Optimizer
from minicolumn.train.check import Settings
from minicolumn.train.epoch import loss_of, train_epoch

# Kinds of training kept, the least recently used one going first. Each holds its programs and their memory.
KEEP = 32
# Another number of rows or steps is not another program: X, y, weight; order, rates, numbers.
VARYING = (1, 2, 3), (4, 5, 6)
STATE = 0


@dataclass(frozen=True)
class Kind:
    """What makes one compiled training another than the next: the parts of a step, and how it is compiled.

    optimizer       at rate 1: learning rates are arguments of the program
    regularizer     None also where its numbers are arguments of the program
    each            whether the state after each step is given, and the first one left as it is
    """

    network: Layer
    loss: Callable[..., Any]
    optimizer: Optimizer
    regularizer: Callable[[Any], Any] | None
    constraint: Callable[[Any], Any] | None
    backend: str
    threads: int | None
    shadow: str | None
    each: bool


def epoch_program(settings: Settings, each: bool = False) -> Callable[..., tuple[Any, ...]]:
    """Return the compiled `train_epoch`; the same one for settings that make the same program.

    Learning rates are arguments of it, and so are the numbers of a regularizer that is a record of this
    package: neither makes a new program. Own functions may read what changes between two trainings, so a
    program that holds one is not kept. The state is given away, so that each call may work in its memory;
    with `each`, which gives the state after each step, it stays as it is.
    """
    s = settings
    optimizer, regularizer = s.optimizer.with_rate(1.0), None if is_plain(s.regularizer) else s.regularizer
    kind = Kind(s.network, s.loss, optimizer, regularizer, s.constraint, s.backend, s.threads, s.shadow, each)
    plain = is_plain((kind.network, kind.loss, kind.optimizer, kind.regularizer, kind.constraint))
    return (_kept if plain else _compiled)(kind)


def full_batch_program(
    network: Layer,
    loss: Callable[..., Any],
    regularizer: Callable[[Any], Any] | None,
    threads: int | None = None,
) -> Callable[..., tuple[Any, Any]]:
    """Return the compiled value and gradient of the loss over all rows, kept as `epoch_program` is.

    It takes (params, X, Y, weight, regularizer) and gives ((loss with penalty, its parts), gradients).
    """
    kind = None if is_plain(regularizer) else regularizer
    make = _kept_full if is_plain((network, loss, kind)) else _compiled_full
    return make(network, loss, kind, threads)


def _compiled(kind: Kind) -> Callable[..., tuple[Any, ...]]:
    step = train_epoch(kind.network, kind.loss, kind.optimizer, kind.regularizer, kind.constraint, kind.each)
    given = () if kind.each else (STATE,)
    return compile(
        step,
        kind.backend,
        VARYING,
        donate=given,
        threads=kind.threads,
        shadow=kind.shadow,
        flush_subnormals=True,
    )


_kept = functools.lru_cache(maxsize=KEEP)(_compiled)


def _compiled_full(
    network: Layer, loss: Callable[..., Any], regularizer: Callable[[Any], Any] | None, threads: int | None
) -> Callable[..., tuple[Any, Any]]:
    def objective(params: Any, X: Any, Y: Any, weight: Any, regularizer: Any = regularizer) -> Any:
        value, (losses, _) = loss_of(network, loss, regularizer, params, X, Y, weight)
        return value, losses

    return compile(value_and_grad(objective, has_aux=True), threads=threads, flush_subnormals=True)


_kept_full = functools.lru_cache(maxsize=KEEP)(_compiled_full)
