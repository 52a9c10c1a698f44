"""Settings that a compiled step takes as arguments: another momentum or rate of dropout compiles nothing.

Layers and optimizers name them in `live`. A number that is 0 leaves a part out, so it makes another program.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from minicolumn.nn import Sequential
from minicolumn.nn.layer import Layer
from minicolumn.optim import Optimizer
from minicolumn.registry import is_on

Part = TypeVar("Part", Layer, Optimizer)
# What stands in the record of a step in place of each, so that those that differ in them alone are equal.
PLACEHOLDER = 0.5


def live_numbers(network: Layer, optimizer: Optimizer) -> tuple[float, ...]:
    """Return the numbers of a network and an optimizer that are arguments of a compiled step, in order.

    >>> import minicolumn as mc
    >>> net = mc.nn.Sequential(mc.nn.Dense(3), mc.nn.Dropout(0.2), mc.nn.Dropout(0.0))
    >>> live_numbers(net, mc.optim.SGD(0.1, momentum=0.9))
    (0.2, 0.9)
    """
    found: list[float] = []

    def note(value: float) -> float:
        found.append(value)
        return value

    _changed(network, note)
    _changed(optimizer, note)
    return tuple(found)


def with_numbers(
    network: Layer, optimizer: Optimizer, numbers: Sequence[Any] | None = None
) -> tuple[Layer, Optimizer]:
    """Return both with other numbers in the places of `live_numbers`; None puts `PLACEHOLDER` in each.

    numbers     floats, or scalars that are traced
    """
    left = iter(numbers or ())

    def put(value: float) -> Any:
        return PLACEHOLDER if numbers is None else next(left)

    return _changed(network, put), _changed(optimizer, put)


def _changed(part: Part, change: Callable[[float], Any]) -> Part:
    """Return a layer or an optimizer with each live number that is not 0 changed, in the order of fields."""
    if isinstance(part, Sequential):
        whole: Any = Sequential(*[_changed(layer, change) for layer in part.layers])
        return whole
    new: dict[str, Any] = {}
    for field in dataclasses.fields(part) if dataclasses.is_dataclass(part) else ():
        value = getattr(part, field.name)
        if field.name in part.live and is_on(value):
            new[field.name] = change(value)
        elif isinstance(value, Optimizer):
            new[field.name] = _changed(value, change)
    return dataclasses.replace(part, **new) if new else part  # type: ignore[type-var]  a dataclass if not empty
