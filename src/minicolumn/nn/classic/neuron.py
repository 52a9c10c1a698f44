"""The McCulloch-Pitts neuron (1943): it fires if enough of its inputs do, and none that forbid it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn.classic.table import TruthTable, all_rows
from minicolumn.nn.classic.threshold import LTU
from minicolumn.registry import Integer

THRESHOLD = Integer(help="How many inputs must be on.", name="threshold", ge=0)

Array = np.ndarray


@final
@dataclass(frozen=True)
class Neuron:
    """A neuron as McCulloch and Pitts drew it; inputs and output are yes or no.

        fires  =  (sum of excitatory inputs >= threshold)  and  no inhibitory input

    excitatory  names of the inputs that count one each
    inhibitory  names of the inputs each of which alone forbids it to fire
    threshold   how many excitatory inputs it takes; 0 makes a neuron that fires unless forbidden
    Errors      DataError for a threshold that is no integer >= 0, or an input on both sides
    Source      McCulloch & Pitts 1943, "A logical calculus of the ideas immanent in nervous activity"
    Differs     an `LTU` weighs its inputs, so that one of them can be outvoted; here inhibition is absolute

    >>> exciting = Neuron(("a", "b"), inhibitory=("c",), threshold=2)
    >>> print(exciting)
    a + b >= 2 unless c
    >>> exciting({"a": True, "b": True, "c": False})
    True
    """

    excitatory: tuple[str, ...]
    inhibitory: tuple[str, ...] = ()
    threshold: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "excitatory", tuple(self.excitatory))
        object.__setattr__(self, "inhibitory", tuple(self.inhibitory))
        object.__setattr__(self, "threshold", THRESHOLD.check(self.threshold, "Neuron"))
        both = set(self.excitatory) & set(self.inhibitory)
        if both:
            raise DataError(f"Neuron: {', '.join(sorted(both))} cannot excite and inhibit it at once")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the names of all inputs, the excitatory ones first, each once."""
        return tuple(dict.fromkeys((*self.excitatory, *self.inhibitory)))

    def __call__(self, *wires: Any) -> Any:
        """Return whether it fires, for bools or for arrays of them.

        wires       what each input carries, bools or bool arrays of one shape: in the order of `inputs`, or
                    as one dict by their names
        Errors      DataError where an input is missing

        >>> and_neuron("a", "b")(True, False), and_neuron("a", "b")({"a": 1, "b": 1})
        (False, True)
        """
        if len(wires) == 1 and isinstance(wires[0], Mapping):
            return self._fires(wires[0])
        if len(wires) != len(self.inputs):
            names = ", ".join(self.inputs) or "none"
            raise DataError(f"Neuron: {self} has the inputs {names}; got {len(wires)} for {len(self.inputs)}")
        return self._fires(dict(zip(self.inputs, wires, strict=True)))

    def _fires(self, wires: Mapping[str, Any]) -> Any:
        missing = [name for name in self.inputs if name not in wires]
        if missing:
            raise DataError(f"Neuron: {self} is not told {' and '.join(missing)}")
        excited = sum((np.asarray(wires[name]).astype(int) for name in self.excitatory), np.int64(0))
        forbidden = np.any([wires[name] for name in self.inhibitory], axis=0) if self.inhibitory else False
        fires = (excited >= self.threshold) & ~np.asarray(forbidden)
        return fires if np.ndim(fires) else bool(fires)

    def truth_table(self) -> TruthTable:
        """Return what it answers to every row of its inputs.

        >>> and_neuron("a", "b").truth_table()
        TruthTable(a b -> fires: '0001')
        """
        rows = all_rows(len(self.inputs))
        fires = np.broadcast_to(self(*rows.T), len(rows))
        return TruthTable(self.inputs, ("fires",), np.array(fires)[:, None])

    def to_ltu(self, inputs: Sequence[str] | None = None) -> LTU:
        """Return the threshold unit that answers the same: every 1943 neuron is one, with weights.

            weight 1 for what excites, -(excitatory - threshold + 1) for what inhibits, bias -threshold

        An inhibitory weight is just strong enough to win against all excitatory inputs together.

        inputs      the order of the unit's inputs; by default this neuron's own

        >>> not_neuron("a").to_ltu()
        LTU(weight=[[-1]], bias=[0])
        """
        names = self.inputs if inputs is None else tuple(inputs)
        veto = max(len(self.excitatory) - self.threshold, 0) + 1
        weight = [self.excitatory.count(name) - veto * (name in self.inhibitory) for name in names]
        return LTU(np.array(weight)[:, None], np.array([-self.threshold]))

    def __str__(self) -> str:
        excited = f"{' + '.join(self.excitatory) or '0'} >= {self.threshold}" if self.threshold else "always"
        return f"{excited} unless {' or '.join(self.inhibitory)}" if self.inhibitory else excited


def and_neuron(*inputs: str) -> Neuron:
    """Return the neuron that fires if all its inputs do.

    >>> print(and_neuron("a", "b"))
    a + b >= 2
    """
    return Neuron(inputs, threshold=len(inputs))


def or_neuron(*inputs: str) -> Neuron:
    """Return the neuron that fires if one of its inputs does.

    >>> print(or_neuron("a", "b"))
    a + b >= 1
    """
    return Neuron(inputs, threshold=1)


def not_neuron(name: str) -> Neuron:
    """Return the neuron that fires unless its input does.

    >>> print(not_neuron("a"))
    always unless a
    """
    return Neuron((), (name,), threshold=0)
