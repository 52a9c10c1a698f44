"""Stochastic gradient descent, with or without momentum, and descent by the sign of the gradient alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

from minicolumn.optim import parts
from minicolumn.optim.optimizer import (
    B1,
    B2,
    LEARNING_RATE,
    MOMENTUM,
    NESTEROV,
    WEIGHT_DECAY,
    Optimizer,
    decaying,
)
from minicolumn.optim.transform import Transform, chain
from minicolumn.registry import Number, Search, is_on


@final
@dataclass(frozen=True)
class SGD(Optimizer):
    """Step down the gradient, with or without momentum.

        v = momentum v + (g + weight_decay p)        p -= learning_rate * v
        nesterov:                                    p -= learning_rate * (g + weight_decay p + momentum v)

    Source      Robbins & Monro 1951; Polyak 1964; Sutskever, Martens, Dahl, Hinton 2013
    Differs     Keras and scikit-learn fold the learning rate into v: the same path at a constant rate.

    >>> import numpy as np
    >>> optimizer, params = SGD(0.5), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0]
    array([-1.])
    """

    live: ClassVar[tuple[str, ...]] = ("momentum", "weight_decay")
    learning_rate: Annotated[float, LEARNING_RATE] = 0.01
    momentum: Annotated[float, MOMENTUM] = 0.0
    nesterov: Annotated[bool, NESTEROV] = False
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        rolling = (parts.heavy_ball(self.momentum, self.nesterov),) if is_on(self.momentum) else ()
        return chain(*decaying(self.weight_decay, penalized), *rolling)

    @property
    def adaptive(self) -> bool:
        return False

    @property
    def plain(self) -> bool:
        return self.momentum == 0


@final
@dataclass(frozen=True)
class Rprop(Optimizer):
    """Follow the sign of the gradient in steps that learn their own size, a weight each.

        size = clip(size * (grow if g's sign stayed, shrink if it turned, else 1), least, most),  size_0 = 1
        p -= learning_rate * size sign(g),  but stay where the sign turned

    For whole batches (``batch_size=len(X)``): from batch to batch, signs turn by chance.

    least, most     bounds of the size, as factors on the learning rate
    weight_decay    added to the gradient
    Source          Riedmiller & Braun 1993; without backtracking: Igel & Huesken 2000, "iRprop-"
    Differs         PyTorch bounds the steps themselves, by 1e-6 and 50: the same at its learning rate, 0.01.
                    Here the rate stays a factor on every step, so that schedules work.

    >>> import numpy as np
    >>> optimizer, params = Rprop(0.5), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0]
    array([-0.5])
    """

    learning_rate: Annotated[float, LEARNING_RATE] = 0.01
    shrink: Annotated[
        float, Number(help="Factor on a size where the sign turned.", gt=0, lt=1, search=Search(0.1, 0.9))
    ] = 0.5
    grow: Annotated[
        float, Number(help="Factor on a size where the sign stayed.", gt=1, search=Search(1.01, 2.0))
    ] = 1.2
    least: Annotated[float, Number(help="The least size, as a factor on the rate.", ge=0)] = 1e-4
    most: Annotated[float, Number(help="The largest size, as a factor on the rate.", at_least="least")] = 5e3
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        rprop = parts.resilient(self.shrink, self.grow, self.least, self.most)
        return chain(*decaying(self.weight_decay, penalized), rprop)


@final
@dataclass(frozen=True)
class Lion(Optimizer):
    """Step by the sign of the gradient mixed with its running mean: all weights move equally far.

        p -= learning_rate * (sign(b1 m + (1-b1) g) + weight_decay p)        m = b2 m + (1-b2) g

    learning_rate   three to ten times smaller than Adam's, with weight decay larger by as much
    weight_decay    beside the gradient, as in AdamW
    Source          Chen et al. 2023 (arXiv 2302.06675), Algorithm 2
    Differs         Optax decays by 0.001 unless told.

    >>> import numpy as np
    >>> optimizer, params = Lion(0.5), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0]
    array([-0.5])
    """

    learning_rate: Annotated[float, LEARNING_RATE] = 0.0001
    b1: Annotated[float, B1] = 0.9
    b2: Annotated[float, B2] = 0.99
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        return chain(parts.sign_of_mean(self.b1, self.b2), *decaying(self.weight_decay, penalized))
