"""Inference pipeline of a model, apart from any language: columns, one graph from numbers to answers, tests.

    cells of a row -> numbers (by column, in each language) -> graph: scaling, network, unit -> answers

What a row's cells are read as is a number each, as `Encoder.read` gives them: that alone is written anew in
every language. All else is one graph, so every layer, calibration and scale of the target comes along.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.ir.graph import Graph
from minicolumn.lower.compile import graph_of, graph_with_dims
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.outputs import ClassOutputs
from minicolumn.tables.forms.number_forms import NUMBER_MISSING
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.values import MISSING, without_point_zero
from minicolumn.trace.tracer import constant
from minicolumn.tree import map_leaves

if TYPE_CHECKING:
    from minicolumn.model.export.samples import Int8Error, Samples
    from minicolumn.model.model import Model
    from minicolumn.tables.encode import Encoder
    from minicolumn.tables.inputs.by_kind import Input

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A model as exports see it.

    model       what is exported
    name        an identifier, which names in the source begin with
    target      the processor of object code, as LLVM names it; "" is this one
    int8        whether weights are stored as int8

    >>> import minicolumn as mc
    >>> net = mc.nn.Dense(2)
    >>> model = mc.Model(net, net.init(0, (3,)), (3,), "softmax_cross_entropy")
    >>> pipeline = Pipeline(model, "iris")
    >>> pipeline.width, pipeline.answers, pipeline.labels, str(pipeline.graph.outputs[0].type)
    (3, ('probability 0', 'probability 1'), ('0', '1'), 'f32[2]')
    """

    model: Model
    name: str
    target: str = ""
    int8: bool = False

    @property
    def encoder(self) -> Encoder | None:
        """The encoder of the table; None for a model of arrays."""
        return self.model.table

    @property
    def columns(self) -> tuple[Input, ...]:
        """The columns of a row, in the order of the table; none for a model of arrays."""
        return () if self.encoder is None else self.encoder.inputs

    @property
    def ordered(self) -> tuple[Input, ...]:
        """The columns in the order of the numbers that the graph takes."""
        return () if self.encoder is None else self.encoder.ordered

    @cached_property
    def places(self) -> dict[str, int]:
        """Where the numbers of each column begin among those that the graph takes."""
        found, place = {}, 0
        for part in self.ordered:
            found[part.name] = place
            place += len(part.columns)
        return found

    @property
    def width(self) -> int:
        """How many numbers the graph takes."""
        if self.encoder is None:
            return int(np.prod(self.model.input_shape))
        return len(self.encoder.columns)

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The labels of the classes; None where numbers are predicted."""
        if not isinstance(self.model.outputs, ClassOutputs):
            return None
        known = self.model.classes or range(max(2, self._outputs))
        return tuple(str(label) for label in known)

    @property
    def threshold(self) -> float | None:
        """From which probability on the second of two classes is predicted; None: the most probable is."""
        if self.labels is None or len(self.labels) != 2 or self.encoder is None:
            return None
        return None if self.encoder.threshold == 0.5 else self.encoder.threshold

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """What each output is: "probability LABEL", "prediction", "quantile 0.05", "standard deviation"."""
        if self.labels is not None:
            return tuple(f"probability {label}" for label in self.labels)
        if self.encoder is None:
            return (
                tuple(f"prediction {k}" for k in range(self._outputs))
                if self._outputs > 1
                else ("prediction",)
            )
        return tuple(self._numbers(np.zeros((1, self._outputs), np.float32)))

    @cached_property
    def _outputs(self) -> int:
        """How many outputs the network has."""
        X = np.zeros((1, *self.model.input_shape), self.model.dtype)
        shape = graph_of(self.network, X).outputs[0].array_type.shape
        return int(np.prod(shape[1:]))

    @cached_property
    def samples(self) -> Samples:
        """Rows, and what the model answers: the self-test that every export carries."""
        from minicolumn.model.export.samples import samples_of

        return samples_of(self)

    @cached_property
    def int8_error(self) -> Int8Error:
        """How far answers with weights of int8 lie from those of the model, over rows made for it."""
        from minicolumn.model.export.samples import int8_error

        return int8_error(self)

    @property
    def example(self) -> Array:
        """A row as the graph takes it, [1, width]."""
        return np.zeros((1, self.width), np.float64 if self.encoder else self.model.dtype)

    @property
    def graph(self) -> Graph:
        """The graph of one row: what is read out of its cells, [width] -> answers, f32[answers]."""
        return graph_of(lambda x: self.answer(x[None])[0], self.example[0])

    @property
    def batch_graph(self) -> Graph:
        """The graph of any number of rows: [batch, width] -> [batch, answers]."""
        return graph_with_dims(self.answer, {0: "batch"}, self.example)

    def features(self, x: Array) -> Any:
        """Return the network's inputs, [rows, *input_shape], of numbers read from rows; traceable.

        x           [rows, width], as `Encoder.read` gives them
        """
        X = x if self.encoder is None else self.encoder.encoded(self._without_missing(x))
        return np.reshape(X, (-1, *self.model.input_shape)).astype(self.model.dtype)

    def network(self, X: Array) -> Any:
        """Return the network's raw outputs, [rows, outputs], of its inputs; traceable.

        X           [rows, *input_shape]
        """
        network, params = self.model.predicting
        return network.apply(map_leaves(constant, params), X)

    def activated(self, raw: Any) -> Any:
        """Return what the loss's output activation makes of raw outputs; traceable."""
        outputs = self.model.outputs
        return activation_by_name(outputs.activation if outputs else "linear").function(raw)

    def answers_of(self, raw: Any) -> Any:
        """Return the answers, float32 [rows, answers], of the network's raw outputs; traceable."""
        found, outputs = self.activated(raw), self.model.outputs
        if isinstance(outputs, ClassOutputs):
            return outputs.class_scores(found).astype(np.float32)
        if self.encoder is not None:
            found = np.concatenate([column[:, None] for column in self._numbers(found).values()], axis=1)
        return found.astype(np.float32)

    def answer(self, x: Array) -> Any:
        """Return the answers, float32 [rows, answers], of numbers read from rows [rows, width]; traceable."""
        return self.answers_of(self.network(self.features(x)))

    def _without_missing(self, x: Array) -> Any:
        """Return what was read with NaN for numbers that stand for a missing value, -999 say; traceable."""
        assert self.encoder is not None
        known = [found for word in self.encoder.missing if (found := _as_number(word)) is not None]
        numbers = [isinstance(p, NumberInput) for p in self.ordered for _ in p.columns]
        if not known or not any(numbers):
            return x
        odd = (x[:, :, None] == np.array(known)).any(axis=2) & np.array(numbers)
        return np.where(odd, np.nan, x)

    def _numbers(self, found: Any) -> dict[str, Any]:
        """Return what is predicted of a numeric target, in its unit, by name; traceable."""
        encoder, outputs = self.encoder, self.model.outputs
        assert encoder is not None
        if outputs is None or isinstance(outputs, ClassOutputs):
            raise DataError("export: the loss does not say what the outputs mean")
        expected = np.reshape(outputs.expected(found), (-1,))  # type: ignore[union-attr]
        described = outputs.described(found, encoder.clipped, encoder.target_scale)  # type: ignore[union-attr]
        return {"prediction": encoder.clipped(expected), **described}


def _as_number(word: str) -> float | None:
    """Return the number that a spelling of missing is, if it is a finite one."""
    try:
        found = float(word)
    except ValueError:
        return None
    return found if np.isfinite(found) else None


def missing_words(encoder: Encoder) -> frozenset[str]:
    """Return every spelling of a missing cell, in lower case, "-999.0" as "-999"."""
    return MISSING | {without_point_zero(word) for word in encoder.missing}


def no_values(encoder: Encoder) -> frozenset[str]:
    """Return what else is written for no value where numbers and dates stand."""
    return frozenset() if encoder.strict else NUMBER_MISSING


def identifier(text: str) -> str:
    """Return an identifier that C, C++ and JavaScript take, as near to a text as can be.

    >>> identifier("Flipper Length (mm)"), identifier("2nd"), identifier("int"), identifier("몸무게")
    ('flipper_length_mm', 'x2nd', 'int_', 'x_')
    """
    found = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    found = (found if found[:1].isalpha() else f"x{found}")[:_LONGEST].rstrip("_")
    return f"{found}_" if found in _RESERVED else found


def distinct_identifiers(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return an identifier for each name, all of them different.

    >>> distinct_identifiers(("a b", "a-b", "c"))
    ('a_b', 'a_b_2', 'c')
    """
    found: list[str] = []
    for name in names:
        first = identifier(name)
        numbered = (f"{first}_{k}" for k in range(2, len(names) + 2))
        found.append(first if first not in found else next(n for n in numbered if n not in found))
    return tuple(found)


_LONGEST = 60  # characters: C99 tells 63 apart, and names of files end somewhere

# Words of C up to C23, C++20 and JavaScript, what GCC defines without -std, and what the exports' own
# functions are called with.
_WORDS = """alignas alignof and and_eq arguments asm async auto await bitand bitor bool break case catch
    char char16_t char32_t char8_t class co_await co_return co_yield compl concept const const_cast
    consteval constexpr constinit continue debugger decltype default delete do double dynamic_cast else
    enum explicit export extends extern false finally float for friend function goto i386 if import in
    inline instanceof int interface let linux long main mutable namespace new noexcept not not_eq null
    nullptr operator or or_eq out package private protected public register reinterpret_cast requires
    restrict return row short signed sizeof static static_assert static_cast struct super switch
    template this thread_local throw true try typedef typeid typename typeof typeof_unqual union unix
    unsigned using var virtual void volatile wchar_t while with x xor xor_eq yield"""
_RESERVED = frozenset(_WORDS.split())
