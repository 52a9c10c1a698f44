"""Gradient clipping, weight averaging (EMA), layer-wise rates: optimizers around other optimizers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Self, final

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.nn.roles import Roles
from minicolumn.optim.optimizer import DECAY, Optimizer
from minicolumn.optim.parts import one_minus_power
from minicolumn.optim.transform import Moments, apply_updates
from minicolumn.registry import Listed, Number, Part, Registry, Search, refuse, settle
from minicolumn.tree import flatten, map_leaves, named_leaves, unflatten

if TYPE_CHECKING:
    from minicolumn.optim.transform import Array, Rate
    from minicolumn.tree import Tree

BOUND = Search(0.1, 10.0, log=True)
FACTORS = Listed(
    help="A factor on the learning rate for each layer with weights, from the input on.",
    of=Number(help="Of one layer.", ge=0),
    words="numbers >= 0",
    least=1,
)


def _optimizers() -> Registry[type[Optimizer]]:
    from minicolumn.optim.catalogue import OPTIMIZERS  # which holds wrappers too

    return OPTIMIZERS


@dataclass(frozen=True)
class Wrapper(Optimizer):
    """An optimizer that takes its steps by another one, at that one's learning rate."""

    learning_rate: float = field(init=False, repr=False)
    optimizer: Annotated[
        Optimizer,
        Part(
            help="What takes the steps.",
            words="a name, or a record such as mc.optim.Adam(1e-3)",
            registry=_optimizers,
            accepts=lambda value: isinstance(value, Optimizer),
        ),
    ]

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, "learning_rate", self.optimizer.learning_rate)

    def with_rate(self, learning_rate: float) -> Self:
        return replace(self, optimizer=self.optimizer.with_rate(learning_rate))

    @property
    def adaptive(self) -> bool:
        return self.optimizer.adaptive

    @property
    def plain(self) -> bool:
        return self.optimizer.plain


@final
@dataclass(frozen=True)
class Clipped(Wrapper):
    """Make large gradients smaller before the optimizer sees them.

        value:  g = clip(g, -value, value)
        norm:   g = g min(1, norm / (|g| + 1e-6)),     |g| the length of all gradients together

    value       bound of every single slope, None for none; comes first where both are given
    norm        bound of the length, None for none; the direction stays
    Source      Pascanu, Mikolov, Bengio 2013 (arXiv 1211.5063), Algorithm 1
    Differs     as PyTorch's clip_grad_norm_ and clip_grad_value_; Optax has no 1e-6. Keras' ``clipnorm`` is
                about each array's own length, its ``global_clipnorm`` about that of all.

    >>> import numpy as np
    >>> from minicolumn.optim import SGD
    >>> optimizer, params = Clipped(SGD(1.0), norm=1.0), np.zeros(2)
    >>> optimizer.step(np.array([30.0, -40.0]), optimizer.start(params), params)[0].round(6)
    array([-0.6,  0.8])
    """

    norm: Annotated[
        float | None,
        Number(help="The longest gradient of a step.", gt=0, search=BOUND),
    ] = None
    value: Annotated[float | None, Number(help="The largest single slope of a step.", gt=0, search=BOUND)] = (
        None
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.norm is None and self.value is None:
            refuse(self, "norm", "a number > 0, or one for value")

    def start(self, params: Tree, roles: Roles | None = None) -> Moments:
        return self.optimizer.start(params, roles)

    def step(
        self,
        grads: Tree,
        moments: Moments,
        params: Tree,
        learning_rate: Rate | None = None,
        roles: Roles | None = None,
    ) -> tuple[Any, Moments]:
        return self.optimizer.step(self._clip(grads), moments, params, learning_rate, roles)

    @property
    def averages(self) -> bool:
        return self.optimizer.averages

    def weights(self, params: Tree, moments: Moments) -> Any:
        return self.optimizer.weights(params, moments)

    def _clip(self, grads: Tree) -> Any:
        value, norm = self.value, self.norm
        if value is not None:
            grads = map_leaves(lambda g: np.clip(g, -value, value), grads)
        if norm is not None and flatten(grads)[0]:
            length = np.sqrt(sum(np.sum(g * g) for g in flatten(grads)[0]))
            share = np.minimum(norm / (length + 1e-6), 1.0)
            grads = map_leaves(lambda g: g * share.astype(g.dtype), grads)
        return grads


@final
@dataclass(frozen=True)
class Averaged(Wrapper):
    """Keep a running mean of the weights beside those that are trained: less noise at the same rate.

        mean += (p - mean) (1 - decay) / (1 - decay^t)      after step t = 1, 2, ...

    ``weights`` gives the mean, which is what `fit` measures, keeps and hands back. It is the exponential
    moving average freed of its start: first p itself, later the mean of some 1 / (1 - decay) steps.

    decay       0 <= decay < 1
    Source      Polyak & Juditsky 1992; with exponential weights: Tarvainen & Valpola 2017 (arXiv 1703.01780)
    Differs     in Keras' ``use_ema`` and PyTorch's ``AveragedModel`` the first weights weigh as much as all
                1 / (1 - decay) before them would. Optax' ``ema`` with ``debias`` is the same as here.

    >>> import numpy as np
    >>> from minicolumn.optim import SGD
    >>> optimizer, params = Averaged(SGD(1.0), decay=0.5), np.array([8.0])
    >>> moments = optimizer.start(params)
    >>> for _ in range(2):
    ...     updates, moments = optimizer.step(np.array([3.0]), moments, params)
    ...     params = params + updates
    >>> params, optimizer.weights(params, moments).round(9)
    (array([2.]), array([3.]))
    """

    decay: Annotated[float, DECAY] = 0.999

    def start(self, params: Tree, roles: Roles | None = None) -> Moments:
        inner, mean = self.optimizer.start(params, roles), map_leaves(np.copy, params)
        return {"count": np.zeros((), np.int32), "inner": inner, "mean": mean}

    def step(
        self,
        grads: Tree,
        moments: Moments,
        params: Tree,
        learning_rate: Rate | None = None,
        roles: Roles | None = None,
    ) -> tuple[Any, Moments]:
        updates, inner = self.optimizer.step(grads, moments["inner"], params, learning_rate, roles)
        count = moments["count"] + np.int32(1)

        def follow(mean: Array, p: Array) -> Any:
            share = one_minus_power(self.decay, np.ones((), p.dtype))
            return mean + (p - mean) * (share / one_minus_power(self.decay, count.astype(p.dtype)))

        kept = self.optimizer.weights(apply_updates(params, updates), inner)
        return updates, {"count": count, "inner": inner, "mean": map_leaves(follow, moments["mean"], kept)}

    @property
    def averages(self) -> bool:
        return True

    def weights(self, params: Tree, moments: Moments) -> Any:
        return moments["mean"]


@final
@dataclass(frozen=True)
class Layerwise(Wrapper):
    """Give each layer a learning rate of its own: discriminative fine-tuning.

        p -= factor[layer] * (what the optimizer would subtract)

    factors     one for each layer of a `Sequential` that has parameters, from the input on, such as
                (0.1, 0.3, 1.0); weight decay that the optimizer adds is scaled too, so a layer with factor 0
                stays as it is. `mc.nn.Frozen` also saves its part of the backward pass
    Errors      ShapeError where the network has another number of layers with parameters
    Source      Howard & Ruder 2018, "ULMFiT" (arXiv 1801.06146), section 3.2, with factors of 1 / 2.6 a layer
    Elsewhere   parameter groups in PyTorch; `optax.multi_transform`

    >>> import numpy as np
    >>> from minicolumn.optim import SGD
    >>> params = {"0": {"weight": np.ones(1)}, "1": {}, "2": {"weight": np.ones(1)}}
    >>> optimizer = Layerwise(SGD(1.0), factors=(0.1, 1.0))
    >>> updates, _ = optimizer.step(params, optimizer.start(params), params)
    >>> updates["0"]["weight"], updates["2"]["weight"]
    (array([-0.1]), array([-1.]))
    """

    factors: Annotated[tuple[float, ...], FACTORS] = (1.0,)

    def start(self, params: Tree, roles: Roles | None = None) -> Moments:
        self._by_leaf(params)
        return self.optimizer.start(params, roles)

    def step(
        self,
        grads: Tree,
        moments: Moments,
        params: Tree,
        learning_rate: Rate | None = None,
        roles: Roles | None = None,
    ) -> tuple[Any, Moments]:
        updates, moments = self.optimizer.step(grads, moments, params, learning_rate, roles)
        leaves, structure = flatten(updates)
        scaled = [leaf * factor for leaf, factor in zip(leaves, self._by_leaf(params), strict=True)]
        return unflatten(structure, scaled), moments

    @property
    def averages(self) -> bool:
        return self.optimizer.averages

    def weights(self, params: Tree, moments: Moments) -> Any:
        return self.optimizer.weights(params, moments)

    def _by_leaf(self, params: Tree) -> list[float]:
        """Return the factor of each array; a single factor is for all of a tree without layers."""
        owners = [path.split(".")[0] for path, _ in named_leaves(params)]
        layers = sorted(set(owners), key=lambda name: (int(name) if name.isdigit() else -1, name))
        if not all(name.isdigit() for name in layers):
            layers = [""]
            owners = [""] * len(owners)
        if len(layers) != len(self.factors):
            raise ShapeError(
                f"Layerwise: {len(self.factors)} factors for {len(layers)} layers with parameters"
            )
        return [self.factors[layers.index(owner)] for owner in owners]
