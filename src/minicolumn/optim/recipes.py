"""Optimizers: frozen records of their settings, each a chain of parts.

All of them minimise. ``start(params)`` gives the moments before the first step and ``step(grads, moments,
params)`` gives the updates to add and the next moments; both are plain NumPy and can be traced. Moments are a
dict: ``count``, the number of steps taken (int32), and one tree like ``params`` for each thing remembered.
Weight decay leaves parameters named ``bias`` or ``scale`` alone.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, final

from minicolumn.errors import DataError, did_you_mean
from minicolumn.nn.regularize import is_penalized
from minicolumn.nn.settings import settle_flag, settle_number
from minicolumn.optim import parts
from minicolumn.optim.transform import Moments, Transform, chain, start_tree, step_tree


@dataclass(frozen=True)
class Optimizer:
    """What all optimizers share: a learning rate, and how a chain of parts becomes steps on a tree.

    Subclasses are frozen dataclasses that say in ``transform`` what they are made of.
    """

    learning_rate: float = 0.01

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if field.name in ("momentum", "decay", "b1", "b2"):
                settle_number(self, field.name, "0 <= number < 1", lambda value: 0 <= value < 1)
            elif field.name == "nesterov":
                settle_flag(self, field.name)
            else:
                settle_number(self, field.name, "a number >= 0", lambda value: value >= 0)

    def transform(self, penalized: bool = True) -> Transform:
        """Return the parts as one transform, with weight decay only if ``penalized``."""
        raise NotImplementedError(f"{type(self).__name__} lacks transform")

    def _choose(self, path: str) -> Transform:
        return self.transform(is_penalized(path))

    def start(self, params: Any) -> Moments:
        """Return the moments before the first step."""
        return start_tree(self._choose, params)

    def step(
        self, grads: Any, moments: Moments, params: Any, learning_rate: Any = None
    ) -> tuple[Any, Moments]:
        """Return the updates to add to ``params``, and the next moments.

        grads           a tree like ``params``
        moments         what ``start`` or the last ``step`` gave
        learning_rate   a number or a traced scalar; None takes the record's own
        Errors          ValueError if the trees differ
        """
        rate = self.learning_rate if learning_rate is None else learning_rate
        return step_tree(self._choose, grads, moments, params, rate)


def _decaying(rate: float, penalized: bool) -> tuple[Transform, ...]:
    return (parts.decay(rate),) if rate and penalized else ()


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

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        rolling = (parts.heavy_ball(self.momentum, self.nesterov),) if self.momentum else ()
        return chain(*_decaying(self.weight_decay, penalized), *rolling)


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

    learning_rate: float = 0.001
    decay: float = 0.9
    momentum: float = 0.0
    eps: float = 1e-8
    weight_decay: float = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        rolling = (parts.heavy_ball(self.momentum),) if self.momentum else ()
        scaling = parts.over_root_mean_square(self.decay, self.eps)
        return chain(*_decaying(self.weight_decay, penalized), scaling, *rolling)


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

    learning_rate: float = 0.01
    initial: float = 0.1
    eps: float = 1e-7
    weight_decay: float = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        return chain(*_decaying(self.weight_decay, penalized), parts.over_root_sum(self.initial, self.eps))


@final
@dataclass(frozen=True)
class Adam(Optimizer):
    """Step by the gradient's running mean over its running root mean square.

        m = b1 m + (1-b1) g      v = b2 v + (1-b2) g*g      p -= learning_rate * mhat / (sqrt(vhat) + eps)

    with mhat = m / (1 - b1^t), vhat = v / (1 - b2^t) at step t = 1, 2, ...

    eps             outside the root, as in the paper
    weight_decay    added to the gradient (use AdamW for the decoupled kind)
    Source          Kingma & Ba 2015, Algorithm 1 (arXiv 1412.6980)
    Differs         scikit-learn folds both corrections into the rate, so its eps acts differently.

    >>> import numpy as np
    >>> optimizer, params = Adam(0.5), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0].round(6)
    array([-0.5])
    """

    learning_rate: float = 0.001
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        adam = parts.adaptive_moments(self.b1, self.b2, self.eps)
        return chain(*_decaying(self.weight_decay, penalized), adam)


@final
@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with weight decay beside the gradient instead of in it.

        p -= learning_rate * (mhat / (sqrt(vhat) + eps) + weight_decay p)

    Source      Loshchilov & Hutter 2019 (arXiv 1711.05101), Algorithm 2
    Differs     the decay is multiplied by the learning rate, as in PyTorch; the paper multiplies it by the
                schedule's factor alone. Parameters named bias or scale do not decay; in PyTorch all do.

    >>> import numpy as np
    >>> optimizer, params = AdamW(0.5, weight_decay=0.1), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0].round(6)
    array([-0.55])
    """

    learning_rate: float = 0.001
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.01

    def transform(self, penalized: bool = True) -> Transform:
        adam = parts.adaptive_moments(self.b1, self.b2, self.eps)
        return chain(adam, *_decaying(self.weight_decay, penalized))


@final
@dataclass(frozen=True)
class NAdam(Optimizer):
    """Adam that looks ahead along its running mean, as Nesterov's momentum does.

        p -= learning_rate * (b1 m / (1 - b1^(t+1)) + (1 - b1) g / (1 - b1^t)) / (sqrt(vhat) + eps)

    Source      Dozat 2016, "Incorporating Nesterov momentum into Adam"
    Differs     PyTorch and Keras warm b1 up over the first steps; here it is constant.

    >>> import numpy as np
    >>> optimizer, params = NAdam(0.5), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0].round(4)
    array([-0.7368])
    """

    learning_rate: float = 0.001
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        nadam = parts.adaptive_moments(self.b1, self.b2, self.eps, nesterov=True)
        return chain(*_decaying(self.weight_decay, penalized), nadam)


@final
@dataclass(frozen=True)
class AdaMax(Optimizer):
    """Adam with the largest recent gradient in place of the root mean square.

        m = b1 m + (1-b1) g      u = max(b2 u, |g|)      p -= learning_rate * m / ((1 - b1^t) (u + eps))

    Source      Kingma & Ba 2015, Algorithm 2 (arXiv 1412.6980)
    Differs     the paper has no eps; it only keeps 0 / 0 away.

    >>> import numpy as np
    >>> optimizer, params = AdaMax(0.5), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0].round(6)
    array([-0.5])
    """

    learning_rate: float = 0.002
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        adamax = parts.over_largest(self.b1, self.b2, self.eps)
        return chain(*_decaying(self.weight_decay, penalized), adamax)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSProp,
    "adagrad": AdaGrad,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "adamax": AdaMax,
}


def optimizer_by_name(name: str, **settings: Any) -> Optimizer:
    """Make an optimizer from its name and settings, as the command line and the estimators do.

    Errors      DataError for an unknown name or setting

    >>> optimizer_by_name("adam", learning_rate=0.01).learning_rate
    0.01
    """
    if name not in OPTIMIZERS:
        raise DataError(f"unknown optimizer {name!r}{did_you_mean(name, OPTIMIZERS)}")
    kind = OPTIMIZERS[name]
    known = [field.name for field in dataclasses.fields(kind)]
    for setting in settings:
        if setting not in known:
            raise DataError(f"{name}: unknown setting {setting!r}{did_you_mean(setting, known)}")
    return kind(**settings)
