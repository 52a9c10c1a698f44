"""Adam and its kin: the first moment of the gradient over the root of the second, or another running size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

from minicolumn.optim import parts
from minicolumn.optim.optimizer import B1, B2, EPS, LEARNING_RATE, WEIGHT_DECAY, Optimizer, decaying
from minicolumn.optim.transform import Transform, chain


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

    live: ClassVar[tuple[str, ...]] = ("weight_decay",)
    learning_rate: Annotated[float, LEARNING_RATE] = 0.001
    b1: Annotated[float, B1] = 0.9
    b2: Annotated[float, B2] = 0.999
    eps: Annotated[float, EPS] = 1e-8
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        adam = parts.adaptive_moments(self.b1, self.b2, self.eps)
        return chain(*decaying(self.weight_decay, penalized), adam)


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

    live: ClassVar[tuple[str, ...]] = ("weight_decay",)
    learning_rate: Annotated[float, LEARNING_RATE] = 0.001
    b1: Annotated[float, B1] = 0.9
    b2: Annotated[float, B2] = 0.999
    eps: Annotated[float, EPS] = 1e-8
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.01

    def transform(self, penalized: bool = True) -> Transform:
        adam = parts.adaptive_moments(self.b1, self.b2, self.eps)
        return chain(adam, *decaying(self.weight_decay, penalized))


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

    learning_rate: Annotated[float, LEARNING_RATE] = 0.001
    b1: Annotated[float, B1] = 0.9
    b2: Annotated[float, B2] = 0.999
    eps: Annotated[float, EPS] = 1e-8
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        nadam = parts.adaptive_moments(self.b1, self.b2, self.eps, nesterov=True)
        return chain(*decaying(self.weight_decay, penalized), nadam)


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

    learning_rate: Annotated[float, LEARNING_RATE] = 0.002
    b1: Annotated[float, B1] = 0.9
    b2: Annotated[float, B2] = 0.999
    eps: Annotated[float, EPS] = 1e-8
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        adamax = parts.over_largest(self.b1, self.b2, self.eps)
        return chain(*decaying(self.weight_decay, penalized), adamax)


@final
@dataclass(frozen=True)
class AMSGrad(Optimizer):
    """Adam that divides by the largest mean square so far: its steps never grow again.

        v = b2 v + (1-b2) g*g      w = max(w, v)      p -= learning_rate * mhat / (sqrt(w / (1 - b2^t)) + eps)

    Source      Reddi, Kale, Kumar 2018 (arXiv 1904.09237), Algorithm 2
    Differs     the paper corrects neither mean; here both are, as in PyTorch's ``Adam(amsgrad=True)``. Optax
                takes the largest of the corrected squares instead.

    >>> import numpy as np
    >>> optimizer, params = AMSGrad(0.5), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0].round(6)
    array([-0.5])
    """

    learning_rate: Annotated[float, LEARNING_RATE] = 0.001
    b1: Annotated[float, B1] = 0.9
    b2: Annotated[float, B2] = 0.999
    eps: Annotated[float, EPS] = 1e-8
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        amsgrad = parts.never_faster_moments(self.b1, self.b2, self.eps)
        return chain(*decaying(self.weight_decay, penalized), amsgrad)


@final
@dataclass(frozen=True)
class RAdam(Optimizer):
    """Adam that trusts its root mean square only as far as enough gradients stand behind it: its own warm-up.

        n = n_max - 2 t b2^t / (1 - b2^t),  n_max = 2 / (1 - b2) - 1
        n >= 5:     p -= learning_rate * r mhat / (sqrt(vhat) + eps)
                    r = sqrt((n - 4) (n - 2) n_max / ((n_max - 4) (n_max - 2) n))
        else:       p -= learning_rate * mhat

    Source      Liu et al. 2020 (arXiv 1908.03265), Algorithm 2
    Differs     the paper rectifies from n > 4 on; here from 5 on, as in its authors' program and elsewhere.
                PyTorch adds eps before the correction of v.

    >>> import numpy as np
    >>> optimizer, params = RAdam(0.5), np.array([1.0])
    >>> optimizer.step(np.array([2.0]), optimizer.start(params), params)[0].round(6)
    array([-1.])
    """

    learning_rate: Annotated[float, LEARNING_RATE] = 0.001
    b1: Annotated[float, B1] = 0.9
    b2: Annotated[float, B2] = 0.999
    eps: Annotated[float, EPS] = 1e-8
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        radam = parts.rectified_moments(self.b1, self.b2, self.eps)
        return chain(*decaying(self.weight_decay, penalized), radam)
