"""The optimizer interface: a frozen record of settings, and a chain of parts that takes steps on a tree.

All of them minimise. ``start(params)`` gives the moments before the first step, ``step(grads, moments,
params)`` the updates to add and the next moments, ``weights(params, moments)`` the weights to evaluate and to
keep; all three are plain NumPy and can be traced. Moments are a dict: ``count``, the number of steps taken
(int32), and one tree like ``params`` for each thing remembered. Weight decay leaves biases, scales, slopes
and running statistics alone.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from minicolumn.nn.roles import PENALIZED, Role, Roles, role_of
from minicolumn.optim import parts
from minicolumn.optim.transform import Array, Choose, Moments, Transform, start_tree, step_tree
from minicolumn.registry import Boolean, Number, Record, Search, is_on

if TYPE_CHECKING:
    from minicolumn.optim.transform import Array, Rate
    from minicolumn.tree import Tree

LEARNING_RATE = Number(help="Factor on every step.", ge=0, search=Search(1e-4, 1.0, log=True))
MOMENTUM = Number(help="How much of the last step's direction is kept.", ge=0, lt=1, search=Search(0.0, 0.99))
NESTEROV = Boolean(help="Whether the step looks ahead along the momentum.")
DECAY = Number(help="How much of a running mean each step keeps.", ge=0, lt=1, search=Search(0.5, 0.9999))
B1 = Number(help="How much of the gradient's mean each step keeps.", ge=0, lt=1, search=Search(0.5, 0.99))
B2 = Number(help="How much of the squares' mean each step keeps.", ge=0, lt=1, search=Search(0.9, 0.9999))
EPS = Number(help="Added to what is divided by.", ge=0, search=Search(1e-10, 1e-3, log=True))
WEIGHT_DECAY = Number(help="How fast weights shrink by themselves.", ge=0, search=Search(1e-6, 0.3, log=True))


@dataclass(frozen=True)
class Optimizer(Record):
    """What all optimizers share: a learning rate, and how a chain of parts becomes steps on a tree.

        p -= learning_rate * direction,      direction = parts applied to the gradient, one after the other

    Subclasses are frozen dataclasses that say in ``transform`` what they are made of: parts of
    `minicolumn.optim.parts`, or ones of their own. Fields annotated with a setting of `minicolumn.registry`
    are checked, and settings of the name once it is added.

    >>> import numpy as np, minicolumn as mc
    >>> from dataclasses import dataclass
    >>> from minicolumn.optim.transform import Transform
    >>> from minicolumn.registry import Number
    >>> @dataclass(frozen=True)
    ... class SignDescent(mc.optim.Optimizer):
    ...     scale: Annotated[float, Number(help="On the sign.", gt=0)] = 1.0
    ...     def transform(self, penalized: bool = True) -> Transform:
    ...         step = lambda direction, moments, param, time: (self.scale * np.sign(direction), moments)
    ...         return Transform((), lambda param: {}, step)  # it remembers nothing
    >>> params = np.array([1.0, -2.0])
    >>> rule = SignDescent(learning_rate=0.5)
    >>> rule.step(np.array([3.0, -0.1]), rule.start(params), params)[0]
    array([-0.5,  0.5])
    >>> with mc.optim.OPTIMIZERS.including({}):  # so that this example leaves nothing behind
    ...     mc.optim.OPTIMIZERS.add("lab.sign", SignDescent)
    ...     mc.optim.OPTIMIZERS.make("lab.sign:scale=2").scale
    2.0
    """

    # Settings that may also be traced scalars where they are not 0: changing them compiles nothing.
    live: ClassVar[tuple[str, ...]] = ()
    learning_rate: Annotated[float, LEARNING_RATE] = 0.01

    def transform(self, penalized: bool = True) -> Transform:
        """Return the parts as one transform, with weight decay only if ``penalized``."""
        raise NotImplementedError(f"{type(self).__name__} lacks transform")

    def _choose(self, path: str, param: Array, role: Role) -> Transform:
        """Return what moves the parameter with this path and role."""
        return self.transform(role in PENALIZED)

    def _chooser(self, roles: Roles | None) -> Choose:
        return lambda path, param: self._choose(path, param, role_of(path, roles))

    def start(self, params: Tree, roles: Roles | None = None) -> Moments:
        """Return the moments before the first step.

        roles           of the parameters, as their network declares them; None takes what their names say
        """
        return start_tree(self._chooser(roles), params)

    def step(
        self,
        grads: Tree,
        moments: Moments,
        params: Tree,
        learning_rate: Rate | None = None,
        roles: Roles | None = None,
    ) -> tuple[Any, Moments]:
        """Return the updates to add to ``params``, and the next moments.

        grads           a tree like ``params``
        moments         what ``start`` or the last ``step`` gave
        learning_rate   a number or a traced scalar; None takes the record's own
        roles           as for ``start``
        Errors          ValueError if the trees differ
        """
        rate = self.learning_rate if learning_rate is None else learning_rate
        return step_tree(self._chooser(roles), grads, moments, params, rate)

    def with_rate(self, learning_rate: float) -> Self:
        """Return the same optimizer with another learning rate.

        >>> from minicolumn.optim import SGD, Clipped
        >>> Clipped(SGD(0.1), norm=1.0).with_rate(0.5).optimizer.learning_rate
        0.5
        """
        return dataclasses.replace(self, learning_rate=learning_rate)

    @property
    def adaptive(self) -> bool:
        """Whether steps are freed of the gradient's size, weight by weight or matrix by matrix.

        Then one learning rate suits layers of all widths. Wrappers answer for what they wrap.

        >>> from minicolumn.optim import SGD, Adam, Clipped
        >>> Adam().adaptive, SGD().adaptive, Clipped(SGD(), norm=1.0).adaptive
        (True, False, False)
        """
        return True

    @property
    def plain(self) -> bool:
        """Whether a step follows the gradient of its own batch alone, with no memory of past ones.

        >>> from minicolumn.optim import SGD, Averaged
        >>> SGD().plain, SGD(momentum=0.9).plain, Averaged(SGD()).plain
        (True, False, True)
        """
        return False

    @property
    def averages(self) -> bool:
        """Whether `weights` gives others than those that are trained."""
        return False

    def weights(self, params: Tree, moments: Moments) -> Any:
        """Return the weights to evaluate and to keep: ``params`` themselves, unless an optimizer averages."""
        return params


def decaying(rate: float, penalized: bool) -> tuple[Transform, ...]:
    """Return the part for weight decay, where there is any."""
    return (parts.decay(rate),) if is_on(rate) and penalized else ()
