"""Adaptive gradient methods: the gradient divided by the size of past ones, weight by weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

from minicolumn.optim import parts
from minicolumn.optim.optimizer import DECAY, EPS, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, Optimizer, decaying
from minicolumn.optim.transform import Transform, chain
from minicolumn.registry import Number, is_on


@final
@dataclass(frozen=True)
class RMSProp(Optimizer):
    """Step by the gradient over its running root mean square.

        s = decay s + (1 - decay) g*g      v = momentum v + g / (sqrt(s) + eps)      p -= learning_rate * v

    Source      Tieleman & Hinton 2012, lecture 6.5
    Differs     PyTorch takes decay 0.99 unless told; Keras takes 0.9 as here but puts eps inside the root.

    >>> import numpy as np
    >>> optimizer, params = RMSProp(0.5, decay=0.0), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0].round(6)
    array([-0.5])
    """

    live: ClassVar[tuple[str, ...]] = ("momentum", "weight_decay")
    learning_rate: Annotated[float, LEARNING_RATE] = 0.001
    decay: Annotated[float, DECAY] = 0.9
    momentum: Annotated[float, MOMENTUM] = 0.0
    eps: Annotated[float, EPS] = 1e-8
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        rolling = (parts.heavy_ball(self.momentum),) if is_on(self.momentum) else ()
        scaling = parts.over_root_mean_square(self.decay, self.eps)
        return chain(*decaying(self.weight_decay, penalized), scaling, *rolling)


@final
@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """Step by the gradient over the root of all its past squares.

        s = s + g*g,  s_0 = initial        p -= learning_rate * g / (sqrt(s) + eps)

    Source      Duchi, Hazan, Singer 2011, figure 1 (diagonal form)
    Differs     PyTorch starts s at 0; Keras at 0.1 as here.

    >>> import numpy as np
    >>> optimizer, params = AdaGrad(0.5, initial=0.0), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0].round(6)
    array([-0.5])
    """

    learning_rate: Annotated[float, LEARNING_RATE] = 0.01
    initial: Annotated[float, Number(help="What the sum of squares starts at.", ge=0)] = 0.1
    eps: Annotated[float, EPS] = 1e-7
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        return chain(*decaying(self.weight_decay, penalized), parts.over_root_sum(self.initial, self.eps))


@final
@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Step by the gradient over its running size, times the running size of past steps: no rate to choose.

        s = decay s + (1-decay) g*g      d = g sqrt(u + eps) / sqrt(s + eps)      u = decay u + (1-decay) d*d
        p -= learning_rate * d

    Starts slowly, since the first steps are of size sqrt(eps).

    Source      Zeiler 2012 (arXiv 1212.5701), Algorithm 1
    Differs     Keras takes decay 0.95, eps 1e-7 and a learning rate of 0.001 unless told.

    >>> import numpy as np
    >>> optimizer, params = Adadelta(decay=0.0, eps=1.0), np.array([1.0])
    >>> optimizer.step(np.array([1.0]), optimizer.start(params), params)[0].round(6)
    array([-0.707107])
    """

    learning_rate: Annotated[float, LEARNING_RATE] = 1.0
    decay: Annotated[float, DECAY] = 0.9
    eps: Annotated[float, EPS] = 1e-6
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        return chain(*decaying(self.weight_decay, penalized), parts.over_own_steps(self.decay, self.eps))
