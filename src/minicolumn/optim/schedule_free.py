"""Schedule-free learning: averaging takes the place of a falling learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, final

import numpy as np

from minicolumn.nn.roles import Roles
from minicolumn.optim import parts
from minicolumn.optim.optimizer import B2, EPS, LEARNING_RATE, WEIGHT_DECAY, Optimizer, decaying
from minicolumn.optim.transform import Moments, Transform, apply_updates, as_scalar, chain
from minicolumn.registry import Number, Search
from minicolumn.tree import flatten, map_leaves

if TYPE_CHECKING:
    from minicolumn.optim.transform import Array, Rate
    from minicolumn.tree import Tree


@final
@dataclass(frozen=True)
class ScheduleFreeAdamW(Optimizer):
    """AdamW without a schedule: gradients are taken between a fast path z and its mean x, and x is kept.

        y = (1-b1) z + b1 x                              the parameters while training: g is the slope there
        z -= rate * (g / (sqrt(vhat) + eps) + weight_decay y)
        x += c (z - x),    c = w^2 / (sum of all w^2),  w = the largest rate so far

    ``weights`` gives x, which is what `fit` measures, keeps and hands back. Use it with ``Constant`` or a
    ``WarmUp`` of it; b1 takes the place of momentum.

    b1              0 < b1 < 1; of v = b2 v + (1-b2) g*g, vhat = v / (1 - b2^t)
    weight_decay    acts at y, as in the authors' program
    Source          Defazio et al. 2024, "The road less scheduled" (arXiv 2405.15682)
    Differs         the authors' program can warm up by itself; here schedules do

    >>> import numpy as np
    >>> optimizer, params = ScheduleFreeAdamW(0.5), np.array([1.0])
    >>> updates, moments = optimizer.step(np.array([2.0]), optimizer.start(params), params)
    >>> optimizer.weights(params + updates, moments).round(6)
    array([0.5])
    """

    learning_rate: Annotated[float, LEARNING_RATE] = 0.0025
    b1: Annotated[
        float, Number(help="How near to the mean gradients are taken.", gt=0, lt=1, search=Search(0.5, 0.99))
    ] = 0.9
    b2: Annotated[float, B2] = 0.999
    eps: Annotated[float, EPS] = 1e-8
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.0

    def transform(self, penalized: bool = True) -> Transform:
        """Return what z is moved by."""
        scaling = parts.over_root_mean_square(self.b2, self.eps, unbiased=True)
        return chain(scaling, *decaying(self.weight_decay, penalized))

    def start(self, params: Tree, roles: Roles | None = None) -> Moments:
        leaves = flatten(params)[0]
        zero = np.zeros((), leaves[0].dtype if leaves else np.float32)
        fast = map_leaves(np.copy, params)
        return {**super().start(params, roles), "fast": fast, "highest": zero, "total": zero.copy()}

    def step(
        self,
        grads: Tree,
        moments: Moments,
        params: Tree,
        learning_rate: Rate | None = None,
        roles: Roles | None = None,
    ) -> tuple[Any, Moments]:
        rate = self.learning_rate if learning_rate is None else learning_rate
        inner = {name: part for name, part in moments.items() if name not in ("fast", "highest", "total")}
        moves, inner = super().step(grads, inner, params, rate, roles)
        highest = np.maximum(moments["highest"], as_scalar(rate, moments["highest"].dtype))
        total = moments["total"] + highest * highest
        # No weight at all while the rate has been 0 throughout.
        share = highest * highest / np.where(total > 0, total, 1.0).astype(total.dtype)

        def between(y: Array, z: Array, move: Array) -> Any:
            c = share.astype(y.dtype)
            # y's own change, without x: what rounds to 0 moves nothing.
            return c * (z - y) + (1.0 - self.b1 * (1.0 - c)) * move

        updates = map_leaves(between, params, moments["fast"], moves)
        fast = apply_updates(moments["fast"], moves)
        return updates, {**inner, "fast": fast, "highest": highest, "total": total}

    @property
    def averages(self) -> bool:
        return True

    def weights(self, params: Tree, moments: Moments) -> Any:
        """Return x, from y and z."""
        return map_leaves(lambda y, z: y + (1.0 / self.b1 - 1.0) * (y - z), params, moments["fast"])
