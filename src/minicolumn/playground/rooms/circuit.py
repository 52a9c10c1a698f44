"""The room `circuit`: circuits of neurons of 1943, built by hand, with their truth tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn.classic import Circuit, Neuron, TruthTable, circuit_of_table, half_adder, truth_table
from minicolumn.playground.frames import Frame
from minicolumn.playground.lines import line
from minicolumn.playground.room import Room
from minicolumn.registry import Choice, Custom, Integer, Listed, Record, Text

MOST_INPUTS, MOST_NEURONS = 4, 16


def _goal(answers: str, *inputs: str) -> TruthTable:
    return truth_table(answers, inputs or ("a", "b"))


GOALS: Mapping[str, TruthTable] = {
    "and": _goal("0001"),
    "or": _goal("0111"),
    "not": _goal("10", "a"),
    "and_not": _goal("0010"),
    "nand": _goal("1110"),
    "xor": _goal("0110"),
    "majority": _goal("00010111", "a", "b", "c"),
    "half_adder": half_adder().truth_table(),
}
WIRE = Text(help="The name of an input or of a neuron.", longest=12)
WIRES = Listed(help="Names of wires.", of=WIRE, words="names", longest=MOST_NEURONS)
THRESHOLD = Integer(help="How many excitatory inputs it takes.", ge=0, le=MOST_NEURONS)
FIELDS = {"name": WIRE, "excitatory": WIRES, "inhibitory": WIRES, "threshold": THRESHOLD}


def _neuron(value: Any) -> Any:
    """Return a neuron as a dict of plain values: name, excitatory, inhibitory, threshold."""
    if not isinstance(value, Mapping) or set(value) != set(FIELDS):
        return NotImplemented
    found = {name: setting.plain(value[name]) for name, setting in FIELDS.items()}
    return NotImplemented if NotImplemented in found.values() else found


@dataclass(frozen=True, kw_only=True)
class Goal(Record):
    """What the circuit is to answer."""

    goal: Annotated[str, Choice(help="A truth table by its name.", choices=tuple(GOALS))] = "and"


@dataclass(frozen=True, kw_only=True)
class Build(Record):
    """A circuit: its neurons in an order in which every input is known, and which of them answer."""

    neurons: Annotated[
        tuple[Any, ...],
        Listed(
            help="Neurons.", words="neurons with name, excitatory, inhibitory and threshold",
            of=Custom(help="A neuron.", words="a neuron", form=_neuron), longest=MOST_NEURONS,
        ),
    ]  # fmt: skip
    outputs: Annotated[tuple[str, ...], WIRES]


class CircuitRoom(Room):
    """A circuit of McCulloch-Pitts neurons, and the truth table that it is to have.

    A `state` holds the circuit as it is, whether the goal is reached, and by rows of the truth table:

        rows, answers, wanted       the inputs, what the circuit answers, what it is to answer
        fires, sums, forbidden      [rows, neurons]: whether it fires, how many of its excitatory inputs do,
                                    whether an inhibitory one does
    """

    name = "circuit"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {
        "open": (Goal, "open"),
        "build": (Build, "build"),
        "solve": (Goal, "solve"),
    }

    def __init__(self) -> None:
        self._goal = "and"
        self._circuit = Circuit(("a", "b"), {}, ())

    def open(self, said: Goal) -> list[Frame]:
        """Begin with the inputs of a goal and one neuron that fires if any input does."""
        inputs = GOALS[said.goal].inputs
        outputs = GOALS[said.goal].outputs
        self._goal = said.goal
        self._circuit = Circuit(inputs, {name: Neuron(inputs) for name in outputs}, outputs)
        return [self._state()]

    def build(self, said: Build) -> list[Frame]:
        """Put other neurons in place of those of now.

        Errors      DataError where a neuron reads what is not there, or the outputs do not fit the goal
        """
        goal = GOALS[self._goal]
        names = [neuron["name"] for neuron in said.neurons]
        if len(set(names)) < len(names):
            raise DataError(line("sameName"))
        made = {n["name"]: Neuron(n["excitatory"], n["inhibitory"], n["threshold"]) for n in said.neurons}
        if len(said.outputs) != len(goal.outputs):
            given = len(said.outputs)
            raise DataError(line("outputCount", goal=self._goal, count=len(goal.outputs), given=given))
        self._circuit = Circuit(goal.inputs, made, said.outputs)
        return [self._state()]

    def solve(self, said: Goal) -> list[Frame]:
        """Show a circuit that has the goal's truth table."""
        self._goal, goal = said.goal, GOALS[said.goal]
        both = len(goal.outputs) > 1
        self._circuit = half_adder() if both else circuit_of_table(goal.values[:, 0], goal.inputs)
        return [self._state()]

    def _state(self) -> Frame:
        circuit, goal = self._circuit, GOALS[self._goal]
        rows = goal.rows
        wires: dict[str, Any] = dict(zip(circuit.inputs, rows.T, strict=True))
        for name, neuron in circuit.neurons.items():
            wires[name] = np.broadcast_to(neuron(wires), len(rows))
        answers = np.stack([wires[name] for name in circuit.outputs], axis=1)
        layers = {name: depth for depth, names in enumerate(circuit.layers(), 1) for name in names}
        says = {
            "goal": self._goal,
            "goals": list(GOALS),
            "inputs": list(circuit.inputs),
            "outputs": list(circuit.outputs),
            "neurons": [
                {
                    "name": name, "excitatory": list(neuron.excitatory), "threshold": neuron.threshold,
                    "inhibitory": list(neuron.inhibitory), "layer": layers[name], "text": str(neuron),
                }
                for name, neuron in circuit.neurons.items()
            ],
            "reached": bool(np.array_equal(answers, goal.values)),
            "limits": {"neurons": MOST_NEURONS},
        }  # fmt: skip
        fires = _columns([wires[name] for name in circuit.neurons], len(rows))
        sums = _columns([_count(n.excitatory, wires, len(rows)) for n in circuit.neurons.values()], len(rows))
        forbids = [_count(n.inhibitory, wires, len(rows)) > 0 for n in circuit.neurons.values()]
        return self.frame(
            "state", says, rows=rows.astype(np.uint8), fires=fires.astype(np.uint8),
            sums=sums.astype(np.int32), forbidden=_columns(forbids, len(rows)).astype(np.uint8),
            answers=answers.astype(np.uint8), wanted=goal.values.astype(np.uint8),
        )  # fmt: skip


def _count(names: tuple[str, ...], wires: Mapping[str, Any], rows: int) -> Any:
    """Return how many of these wires carry a yes, row by row."""
    return sum((wires[name].astype(int) for name in names), np.zeros(rows, int))


def _columns(columns: list[Any], rows: int) -> Any:
    return np.stack(columns, axis=1) if columns else np.zeros((rows, 0))
