"""Circuits of McCulloch-Pitts neurons (1943), and the circuit of any truth table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from minicolumn.errors import DataError, ShapeError, did_you_mean
from minicolumn.nn.classic.neuron import Neuron, and_neuron, or_neuron
from minicolumn.nn.classic.table import TruthTable, all_rows, input_names, truth_table

Array = np.ndarray


@final
@dataclass(frozen=True)
class Circuit:
    """Neurons that feed each other, without loops. Printing it lists them layer by layer.

    inputs      names of the inputs
    neurons     each neuron by the name of its output, in an order in which every input is known
    outputs     the names that are the answer, of neurons or inputs
    Errors      DataError where a neuron reads a name that is not there yet, or takes one that is

    >>> xor = circuit_of_table("0110", output="xor")
    >>> print(xor)
    inputs   a b
    layer 1  row_01 = b >= 1 unless a
             row_10 = a >= 1 unless b
    layer 2  xor    = row_01 + row_10 >= 1
    outputs  xor
    >>> xor(np.array([[0, 1], [1, 1]])).ravel()
    array([ True, False])
    """

    inputs: tuple[str, ...]
    neurons: Mapping[str, Neuron]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        known = list(input_names(self.inputs))
        for name, neuron in self.neurons.items():
            for wire in neuron.inputs:
                if wire not in known:
                    raise DataError(
                        f"Circuit: {name} reads {wire!r}, which is not there yet{did_you_mean(wire, known)}"
                    )
            if name in known:
                raise DataError(f"Circuit: there are two wires called {name!r}")
            known.append(name)
        for wire in self.outputs:
            if wire not in known:
                raise DataError(f"Circuit: no wire is called {wire!r}{did_you_mean(wire, known)}")

    def __call__(self, *x: Any) -> Array:
        """Return the answers to rows of bits.

        x           [rows, inputs], yes or no; or one row, as an array [inputs] or bit by bit
        Returns     bool [rows, outputs], or [outputs] for one row
        Errors      ShapeError for another shape

        >>> half_adder()(1, 1)
        array([False,  True])
        """
        bits = np.atleast_1d(x[0] if len(x) == 1 else x).astype(bool)
        if bits.shape == (len(self.inputs),):
            return self(bits[None])[0]
        if bits.ndim != 2 or bits.shape[1] != len(self.inputs):
            raise ShapeError(
                f"Circuit: x has shape {list(bits.shape)}, expected [rows, {len(self.inputs)}], or "
                f"one row of {len(self.inputs)}"
            )
        wires: dict[str, Any] = dict(zip(self.inputs, bits.T, strict=True))
        for name, neuron in self.neurons.items():
            wires[name] = np.broadcast_to(neuron(wires), len(bits))
        columns = [wires[name] for name in self.outputs]
        return np.stack(columns, axis=1) if columns else np.zeros((len(bits), 0), bool)

    def truth_table(self) -> TruthTable:
        """Return what it answers to every row of its inputs.

        >>> half_adder().truth_table()
        TruthTable(a b -> sum carry: '0110', '0001')
        """
        return TruthTable(self.inputs, self.outputs, self(all_rows(len(self.inputs))))

    def layers(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of the neurons by how many neurons a signal passes until it comes out of them."""
        depth = dict.fromkeys(self.inputs, 0)
        for name, neuron in self.neurons.items():
            depth[name] = 1 + max((depth[wire] for wire in neuron.inputs), default=0)
        deepest = max((depth[name] for name in self.neurons), default=0)
        return tuple(
            tuple(name for name in self.neurons if depth[name] == level) for level in range(1, deepest + 1)
        )

    def __str__(self) -> str:
        width = max(map(len, self.neurons), default=0)
        lines = [f"inputs   {' '.join(self.inputs)}"]
        for number, names in enumerate(self.layers(), start=1):
            for place, name in enumerate(names):
                head = f"layer {number}" if place == 0 else ""
                lines.append(f"{head:<8} {name:<{width}} = {self.neurons[name]}")
        return "\n".join([*lines, f"outputs  {' '.join(self.outputs)}"])


def circuit_of_table(table: Any, inputs: Any = None, output: str = "out") -> Circuit:
    """Return a circuit of two layers that answers as a truth table does, whichever it is.

        one neuron for each row that says yes, which fires on it alone, and one that fires if one of them does

    Its size is the number of rows that say yes. This is the disjunctive normal form, and why networks of such
    neurons can compute whatever a table can say.

    table       a `TruthTable`, or what `truth_table` takes: "0110", a list, or a function of bits
    inputs      as for `truth_table`
    output      the name of the answer
    Errors      as `truth_table`; DataError for a table of several answers
    Source      McCulloch & Pitts 1943, theorem II

    >>> circuit_of_table(lambda a, b, c: (a + b + c) >= 2).truth_table()
    TruthTable(a b c -> out: '00010111')
    """
    if not isinstance(table, TruthTable):
        table = truth_table(table, inputs, output)
    elif len(table.outputs) == 1:
        output = table.outputs[0]
    if len(table.outputs) != 1:
        raise DataError(f"circuit_of_table: expected one answer, got {', '.join(table.outputs)}")
    names = table.inputs
    yes = table.rows[np.flatnonzero(table.values)]
    neurons = {_named(row, (*names, output)): _fires_on(names, row) for row in yes}
    return Circuit(names, {**neurons, output: or_neuron(*neurons)}, (output,))


def _fires_on(names: tuple[str, ...], row: Array) -> Neuron:
    """Return the neuron that fires on one row alone."""
    on = tuple(name for name, bit in zip(names, row, strict=True) if bit)
    off = tuple(name for name, bit in zip(names, row, strict=True) if not bit)
    return Neuron(on, off, threshold=len(on))


def _named(row: Array, taken: tuple[str, ...]) -> str:
    """Return a name for the neuron of a row, which no other wire has."""
    name = f"row_{''.join(str(int(bit)) for bit in row)}"
    while name in taken:
        name += "_"
    return name


def half_adder() -> Circuit:
    """Return the circuit that adds two bits: their sum and what is carried.

    >>> print(half_adder())
    inputs   a b
    layer 1  carry  = a + b >= 2
             either = a + b >= 1
    layer 2  sum    = either >= 1 unless carry
    outputs  sum carry
    """
    neurons = {
        "carry": and_neuron("a", "b"),
        "either": or_neuron("a", "b"),
        "sum": Neuron(("either",), ("carry",), threshold=1),
    }
    return Circuit(("a", "b"), neurons, ("sum", "carry"))
