"""Table encoder: rows to features and the target to numbers, fitted on the training rows, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from minicolumn.errors import DataError, ModelFileError, did_you_mean
from minicolumn.tables import state
from minicolumn.tables.inputs.by_kind import Input, fit_input, input_from_json, kind_of
from minicolumn.tables.inputs.categories import FEWEST_ROWS, CategoryInput
from minicolumn.tables.inputs.numbers import NumberInput, encoded_together
from minicolumn.tables.inputs.scale import SCALINGS, Array, Scaling
from minicolumn.tables.older import encoder_of_today
from minicolumn.tables.schema import MOST_COLUMNS, Schema
from minicolumn.tables.target import (
    MOST_CLASSES,
    TASKS,
    Task,
    class_labels,
    label_code,
    label_places,
    labeled,
)
from minicolumn.tables.typed import Expected, Typed, typed_columns, typed_target
from minicolumn.tables.values import MISSING, per_text, require

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True, slots=True)
class Encoder:
    """Fitted preprocessing of a table: features from its columns, and the target to and from network outputs.

        robust     x' = (x - median) / (q75 - q25),  then  x' / sqrt(1 + (x'/3)^2)
        standard   x' = (x - mean) / std

    inputs      one record a used column, with what was fitted
    target      name of the target column; task: "binary", "multiclass" or "regression"
    scaling     "robust" or "standard", of numbers and parts of dates
    classes     labels in the order of their codes, None for regression
    target_form how numbers of the target are written, see `Column`
    target_...  of regression: y' = (y - target_mean) / target_scale, and the range seen in training
    target_unit of regression: where it is not 0, asinh(y / target_unit) stands for y, see `target_scale`
    missing     spellings of missing beyond the usual ones, in lower case
    strict      whether words among numbers and dates are refused, not taken as missing
    threshold   of two classes: the second is predicted where its probability is at least this

    Nothing is learnt from rows other than those of `fit`, so scores on held-out rows do not leak.

    Source      Holzmueller, Grinsztajn & Steinwart 2024, RealMLP-TD-S (arXiv 2407.04491), section 3
    Differs     missing numbers get an indicator; 0/1 columns of categories are not scaled. scikit-learn's
                RobustScaler is the first step alone, so outliers stay as far out as they are; its
                ColumnTransformer is stored as a pickle, this as JSON.

    >>> import polars
    >>> from minicolumn.tables import infer_schema
    >>> frame = polars.DataFrame({"size": ["1", "2", "?", "3"], "kind": ["a", "b", "a", "b"]})
    >>> encoder = Encoder.fit(frame, infer_schema(frame, "kind"))
    >>> encoder.features, encoder.classes
    (('size', 'size missing'), ('a', 'b'))
    >>> encoder.transform(frame)[:, 1]
    array([0., 0., 1., 0.], dtype=float32)
    >>> Encoder.from_json(encoder.to_json()) == encoder
    True
    """

    inputs: tuple[Input, ...]
    target: str
    task: Task
    scaling: Scaling
    classes: tuple[str, ...] | None
    target_form: str = ""
    target_mean: float = 0.0
    target_scale: float = 1.0
    target_low: float = 0.0
    target_high: float = 0.0
    target_unit: float = 0.0
    missing: tuple[str, ...] = ()
    strict: bool = False
    threshold: float = 0.5

    @classmethod
    def fit(
        cls,
        frame: polars.DataFrame,
        schema: Schema,
        scaling: Scaling = "robust",
        target: Array | None = None,
    ) -> Self:
        """Return the encoder fitted to these training rows.

        frame       raw training rows, with all used columns of the schema; further ones are not read
        schema      of `infer_schema`
        scaling     "robust" (median and quartiles, smoothly clipped) or "standard" (mean and deviation)
        target      its numbers in these rows, where `read_target` has read them already; regression only
        Errors      DataError: no rows, a missing column, an unknown scaling, a target whose spread overflows
        """
        if scaling not in SCALINGS:
            raise DataError(
                f"unknown scaling {scaling!r}{did_you_mean(scaling, SCALINGS)}; expected {SCALINGS}"
            )
        if frame.height == 0:
            raise DataError("there are no training rows")
        return cls.fit_typed(schema.typed(frame).frame, schema, scaling, target)

    @classmethod
    def fit_typed(
        cls,
        typed: polars.DataFrame,
        schema: Schema,
        scaling: Scaling = "robust",
        target: Array | None = None,
        least: Mapping[str, int] = MappingProxyType({}),
    ) -> Self:
        """Return the encoder fitted to rows of `Schema.typed`; see `fit`.

        least       rows that a level of a category needs, by column; 2 where nothing is said
        """
        missing = MISSING - set(schema.not_missing)
        inputs = tuple(
            fit_input(
                typed[column.name],
                column.kind,
                column.form,
                scaling,
                missing,
                least.get(column.name, FEWEST_ROWS),
            )
            for column in schema.used
        )
        empty = cls(inputs, schema.target, schema.task, scaling, None, schema.target_form)
        empty = replace(empty, missing=schema.missing, strict=schema.strict)
        if schema.task != "regression":
            return replace(empty, classes=schema.classes)
        y = empty.read_target(typed) if target is None else target
        with np.errstate(over="ignore"):  # said below
            scale = float(np.std(y)) or 1.0
        if not np.isfinite(scale):
            raise DataError(
                f"the target {schema.target!r} is too large: its spread leaves the range of numbers"
            )
        return replace(
            empty,
            target_mean=float(np.mean(y)),
            target_scale=scale,
            target_low=float(y.min()),
            target_high=float(y.max()),
        )

    def typed(self, frame: polars.DataFrame) -> Typed:
        """Return the columns of raw rows, their numbers and dates read in the forms of the training.

        Errors      DataError, with column, row and form: a missing column, a cell in another form, many words
                    where numbers or dates were
        """
        require(frame.columns, (part.name for part in self.inputs), "the table")
        expected = [Expected(part.name, kind_of(part), getattr(part, "form", "")) for part in self.inputs]
        return typed_columns(frame, expected, self.missing, strict=self.strict)

    def labeled(self, frame: polars.DataFrame) -> polars.DataFrame:
        """Return the rows that have a target: a finite number, or a label.

        Errors      DataError for a missing target column, and for many words where numbers were
        """
        keep = labeled(self._typed_target(frame), self.task, self.classes or ())
        return frame if keep.all() else frame.filter(keep)

    def _typed_target(self, frame: polars.DataFrame) -> polars.Series:
        """Return the target of raw rows, its numbers read in their form."""
        return typed_target(frame, self.target, self.task, self.target_form, self.missing, strict=self.strict)

    @property
    def ordered(self) -> tuple[Input, ...]:
        """The inputs in the order of the features: those of codes stand last, for one embedding layer."""
        return tuple(sorted(self.inputs, key=_is_embedded))

    @property
    def features(self) -> tuple[str, ...]:
        """The name of every feature, a column of what `transform` gives."""
        return tuple(name for part in self.ordered for name in part.features)

    @property
    def embeddings(self) -> tuple[tuple[int, int], ...]:
        """For every feature of codes: its column in the matrix, and how many codes there are.

        Returns     ((column, len(levels) + 2), ...), as `minicolumn.nn.ColumnEmbedding` takes them
        """
        codes = [part for part in self.inputs if isinstance(part, CategoryInput) and part.embedded]
        first = len(self.features) - len(codes)
        return tuple((first + place, len(part.levels) + 2) for place, part in enumerate(codes))

    def transform(self, frame: polars.DataFrame) -> Array:
        """Return the feature matrix of raw rows, float32 [rows, features].

        frame       rows as `read_table` or `as_frame` gives them; the order of columns and further ones do
                    not matter, nor need the target be there
        Errors      DataError with column and row: a missing column, or words where numbers or dates were
        Differs     scikit-learn's transformers want the columns in the order of `fit`
        """
        return self.matrix(self.typed(frame).frame)

    def matrix(self, typed: polars.DataFrame) -> Array:
        """Return the feature matrix of typed rows, float32 [rows, features]."""
        matrix = np.zeros((typed.height, len(self.features)), np.float32)
        for part, place in zip(self.ordered, _places(len(p.features) for p in self.ordered), strict=True):
            matrix[:, place] = part.encoded(part.read(typed[part.name]))
        return matrix

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of every column of what `read` gives; of a date each part that is used."""
        return tuple(name for part in self.ordered for name in part.columns)

    def read(self, frame: polars.DataFrame) -> Array:
        """Return what the rows hold as numbers, before any is scaled, float64 [rows, columns].

        Of a number that number, NaN where missing; of a boolean +1, -1 or 0; of a category its code, of a
        date its parts. `encoded` makes the matrix of it.

        Errors      as of `transform`
        """
        typed = self.typed(frame).frame
        parts = [part.read(typed[part.name]) for part in self.ordered]
        return np.concatenate([np.zeros((frame.height, 0)), *parts], axis=1)

    def encoded(self, values: Array) -> Array:
        """Return the feature matrix, float32 [rows, features], of what `read` gave: `transform` is both.

        Plain arithmetic, which can be traced: `Model.graph` begins with it.
        """
        places = _places(len(part.columns) for part in self.ordered)
        found = []
        for alike, run in groupby(zip(self.ordered, places, strict=True), lambda pair: _smooth(pair[0])):
            pairs = list(run)
            if alike is None:
                found += [part.encoded(values[:, at]) for part, at in pairs]
            else:
                numbers = [part for part, _ in pairs if isinstance(part, NumberInput)]
                found.append(encoded_together(numbers, values[:, pairs[0][1].start : pairs[-1][1].stop]))
        return np.concatenate(found, axis=1).astype(np.float32)

    @classmethod
    def of_target(cls, schema: Schema) -> Self:
        """Return an encoder that reads the target alone, to split rows by class before anything is fitted."""
        classes = None if schema.task == "regression" else schema.classes
        plain = cls((), schema.target, schema.task, "robust", classes, schema.target_form)
        return replace(plain, missing=schema.missing, strict=schema.strict)

    def encode_target(self, frame: polars.DataFrame) -> Array:
        """Return the target as a network learns it, [rows]: class codes int32, or standardised float32.

        Errors      DataError for a row without a target or with a label not seen before
        """
        return self.standardise(self.read_target(frame))

    def standardise(self, target: Array) -> Array:
        """Standardise numbers of the target: y' = (y - mean) / scale, float32; class codes stay as they are.

        Numbers past the range of float32 stop at its ends: a test row may lie anywhere.
        """
        if self.classes is not None:
            return target
        largest = float(np.finfo(np.float32).max)  # where a number past all of the training's stops
        t = np.arcsinh(target / self.target_unit) if self.target_unit else target
        return np.clip((t - self.target_mean) / self.target_scale, -largest, largest).astype(np.float32)

    def read_target(self, frame: polars.DataFrame) -> Array:
        """Return class codes, int32 [rows], or the target's numbers in their unit, float64 [rows].

        Errors      DataError with the row, as of `encode_target`
        """
        series = self._typed_target(frame)
        if self.classes is None:
            values = series.to_numpy().astype(np.float64)
            if len(odd := np.flatnonzero(~np.isfinite(values))):
                raise DataError(
                    f"target {self.target!r}: has no number in row {int(odd[0]) + 1}; drop the rows without "
                    "one (with_target)"
                )
            return values
        places = label_places(self.classes)
        found = per_text(series, lambda word: label_code(word, places), np.int32)
        if len(found) and found.min() < 0:
            self._refuse_label(series, int(np.argmin(found)))
        return found

    def _refuse_label(self, series: polars.Series, row: int) -> None:
        """Raise DataError for a row (from 0) whose target is missing or is no class."""
        assert self.classes is not None
        label = class_labels(series, self.classes)[row]
        if label is None:
            raise DataError(
                f"row {row + 1} has no target {self.target!r}; drop the rows without one (with_target)"
            )
        hint = (
            did_you_mean(label, self.classes) or f"; the classes are {', '.join(map(repr, self.classes[:8]))}"
        )
        raise DataError(
            f"target {self.target!r}, row {row + 1}: {label[:60]!r} is no class of the training{hint}"
        )

    def decode_target(self, outputs: Any) -> Array:
        """Return predictions in the terms of the table: labels, or numbers in the target's unit.

        outputs     class codes int [rows], scores [rows, classes] of which the largest counts, or for
                    regression standardised numbers [rows] or [rows, 1]
        Returns     str [rows] or float64 [rows]
        Errors      DataError for other shapes and for codes out of range

        Numbers are clipped to the range seen in training, as RealMLP's are: a network does not extrapolate.
        """
        outputs = np.asarray(outputs)
        if self.classes is None:
            if outputs.ndim != 1 and outputs.shape[1:] != (1,):
                raise DataError(f"decode_target: found {list(outputs.shape)}, expected one number a row")
            return self.clipped(outputs.reshape(len(outputs)))
        codes = self.choose(outputs) if outputs.ndim == 2 else outputs
        if (
            codes.ndim != 1
            or codes.dtype.kind not in "iu"
            or (outputs.ndim == 2 and outputs.shape[1] != self._width)
        ):
            expected = f"codes [rows] or scores [rows, {self._width}]"
            raise DataError(
                f"decode_target: found {outputs.dtype} {list(outputs.shape)}, expected {expected}"
            )
        if len(codes) and not (codes.min() >= 0 and codes.max() < self._width):
            raise DataError(
                f"decode_target: codes go from 0 to {self._width - 1}, found {codes.min()} to {codes.max()}"
            )
        return np.array(self.classes)[codes]

    def choose(self, scores: Array) -> Array:
        """Return the class that scores [rows, classes] speak for, by the largest or the threshold, [rows]."""
        if self.threshold == 0.5 or scores.shape[1] != 2:
            return np.argmax(scores, axis=1)
        return (scores[:, 1] >= self.threshold).astype(np.intp)

    def in_unit(self, numbers: Array) -> Array:
        """Return standardised numbers of any shape in the target's unit, float64: y = y' scale + mean.

        On an asinh scale y = unit sinh(y' scale + mean).
        """
        t = numbers.astype(np.float64) * self.target_scale + self.target_mean
        if not self.target_unit:
            return t
        with np.errstate(over="ignore"):
            return self.target_unit * np.sinh(t)

    def clipped(self, numbers: Array) -> Array:
        """Return standardised numbers in the target's unit, within the range of the training; traceable."""
        return np.clip(self.in_unit(numbers), self.target_low, self.target_high)

    @property
    def _width(self) -> int:
        """The number of classes; 0 for regression."""
        return len(self.classes or ())

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as JSON values; every float survives json.dumps bit by bit."""
        return {
            "inputs": [part.to_json() for part in self.inputs],
            "target": self.target,
            "task": self.task,
            "scaling": self.scaling,
            "classes": None if self.classes is None else list(self.classes),
            "target_form": self.target_form,
            "target_mean": self.target_mean,
            "target_scale": self.target_scale,
            "target_low": self.target_low,
            "target_high": self.target_high,
            "target_unit": self.target_unit,
            "missing": list(self.missing),
            "strict": self.strict,
            "threshold": self.threshold,
        }

    @classmethod
    def from_json(cls, value: object) -> Encoder:
        """Return the encoder that `to_json` described.

        value       whatever a JSON parser gave; no class or function is named in it, so nothing is run
        Errors      ModelFileError, one line with the path of the field, for anything else
        Differs     a scikit-learn encoder is stored by pickle or joblib, which run code as they load
        """
        have = state.fields(encoder_of_today(value), "encoder", cls.__dataclass_fields__)
        figures = {
            key: state.number(have[key], f"encoder.{key}")
            for key in ("target_mean", "target_scale", "target_low", "target_high", "target_unit")
        }
        encoder = cls(
            inputs=state.items(have["inputs"], "encoder.inputs", input_from_json, MOST_COLUMNS),
            target=state.name(have["target"], "encoder.target"),
            task=state.choice(have["task"], "encoder.task", TASKS),
            scaling=state.choice(have["scaling"], "encoder.scaling", SCALINGS),
            classes=_classes_from_json(have["classes"]),
            target_form=state.form(have["target_form"], "encoder.target_form", "number"),
            missing=state.items(have["missing"], "encoder.missing", state.text, MOST_COLUMNS),
            strict=state.flag(have["strict"], "encoder.strict"),
            threshold=state.number(have["threshold"], "encoder.threshold"),
            **figures,
        )
        encoder._check()
        return encoder

    def _check(self) -> None:
        """Refuse fields that do not fit each other: repeated names, classes of regression, an empty range."""
        state.distinct((*(part.name for part in self.inputs), self.target), "encoder.inputs")
        state.classes_of(self.task, self.classes or (), "encoder.classes")
        if (self.classes is None) != (self.task == "regression"):
            raise ModelFileError(f"encoder.classes: do not fit the task {self.task}")
        if not 0.0 < self.threshold < 1.0:
            raise ModelFileError("encoder.threshold: expected a number between 0 and 1")
        if self.target_unit < 0 or self.target_scale <= 0 or self.target_low > self.target_high:
            raise ModelFileError("encoder.target_scale: the scale or the range of the target is reversed")


def _places(widths: Iterable[int]) -> list[slice]:
    """Return the slices of adjacent blocks of columns, by their widths.

    >>> _places([2, 1])
    [slice(0, 2, None), slice(2, 3, None)]
    """
    ends = list(accumulate(widths, initial=0))
    return [slice(first, last) for first, last in pairwise(ends)]


def _smooth(part: Input) -> bool | None:
    """Return whether a number column is clipped smoothly; None of another kind of column."""
    return part.scale.smooth if isinstance(part, NumberInput) else None


def _is_embedded(part: Input) -> bool:
    """Return whether an input is encoded as integer codes."""
    return isinstance(part, CategoryInput) and part.embedded


def _classes_from_json(value: object) -> tuple[str, ...] | None:
    """Return the class labels; None stands for regression."""
    if value is None:
        return None
    return state.items(value, "encoder.classes", state.text, MOST_CLASSES)
