"""Muon: momentum orthogonalized by Newton-Schulz iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, final

from minicolumn.nn.roles import PENALIZED, Role
from minicolumn.optim import parts
from minicolumn.optim.optimizer import (
    B1,
    B2,
    EPS,
    LEARNING_RATE,
    MOMENTUM,
    NESTEROV,
    WEIGHT_DECAY,
    Optimizer,
    decaying,
)
from minicolumn.optim.transform import Array, Transform, chain, side_by_side
from minicolumn.registry import Listed, Text


@final
@dataclass(frozen=True)
class Muon(Optimizer):
    """Step along the momentum with its singular values made equal, for weight matrices; AdamW for the others.

        v = momentum v + g      d = g + momentum v      x = U V' nearly, where d = U S V'
        p -= learning_rate * (0.2 sqrt(max(rows, columns)) x + weight_decay p)

    Weight matrices are the weights by role with two axes: not the tables of embeddings, whose rows are looked
    up one by one, nor those that ``exclude`` names. With the scale given, their steps are as large
    as Adam's, so that one learning rate serves all.

    exclude         paths of further parameters left to AdamW, or their beginnings: ("2",) for a third layer.
                    The authors leave the output layer to it, which cannot be told from a path.
    b1, b2          AdamW's; eps keeps both kinds of steps from 0 / 0
    Source          Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; the scale:
                    Liu et al. 2025 (arXiv 2502.16982), section 2.2
    Differs         Jordan scales by sqrt(max(1, fan_out / fan_in)) and has a second rate for Adam; Keras and
                    PyTorch's "match_rms_adamw" scale as here. All of these iterate in bfloat16; here in the
                    parameter's own precision. Optax corrects Nesterov's mean as NAdam does.

    >>> import numpy as np
    >>> optimizer, params = Muon(0.5), {"weight": np.eye(2), "bias": np.zeros(2)}
    >>> updates, _ = optimizer.step(params, optimizer.start(params), params)
    >>> bool(np.allclose(updates["weight"], -0.5 * 0.2 * 2**0.5 * np.eye(2), rtol=0.3))
    True
    """

    learning_rate: Annotated[float, LEARNING_RATE] = 0.001
    momentum: Annotated[float, MOMENTUM] = 0.95
    nesterov: Annotated[bool, NESTEROV] = True
    b1: Annotated[float, B1] = 0.9
    b2: Annotated[float, B2] = 0.999
    eps: Annotated[float, EPS] = 1e-8
    weight_decay: Annotated[float, WEIGHT_DECAY] = 0.01
    exclude: Annotated[
        tuple[str, ...],
        Listed(
            help="Paths of parameters left to AdamW, or their beginnings.",
            of=Text(help="A path."),
            words='a tuple of paths such as ("2", "4.weight")',
        ),
    ] = ()

    def transform(self, penalized: bool = True) -> Transform:
        """Return what weight matrices are moved by."""
        rolling = parts.heavy_ball(self.momentum, self.nesterov)
        return chain(rolling, parts.orthogonal(self.eps), *decaying(self.weight_decay, penalized))

    def _choose(self, path: str, param: Array, role: Role) -> Transform:
        penalized = role in PENALIZED
        adam = parts.adaptive_moments(self.b1, self.b2, self.eps)
        others = chain(adam, *decaying(self.weight_decay, penalized))
        matrices = self.transform(penalized)
        if self._is_weight_matrix(path, param, role):
            return side_by_side(matrices, others)
        return side_by_side(others, matrices)

    def _is_weight_matrix(self, path: str, param: Array, role: Role) -> bool:
        excluded = any(f"{path}.".startswith(f"{start}.") for start in self.exclude)
        return param.ndim == 2 and role == "weight" and not excluded
