"""Trainings on a table that start from a trained network: its columns and its body, with a new head.

    old encoder -> the same features -> [ old layers | new head ] -> the new target

Columns are matched by name and encoded as the old network's were, since that is what its first layer has
learnt to read. A network that was trained on arrays takes as many columns of numbers, in their order.

Source      Yosinski, Clune, Bengio, Lipson 2014 (arXiv 1411.1792); Howard & Ruder 2018 (arXiv 1801.06146)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.files import PathLike, shown
from minicolumn.model.model import Model, load
from minicolumn.nn import Dense, Flatten, Frozen, Layer, Sequential
from minicolumn.nn.layers.ensemble import Ensemble
from minicolumn.optim.wrappers import Layerwise
from minicolumn.tables import Column, Encoder, Schema
from minicolumn.tables.inputs.by_kind import kind_of
from minicolumn.tables.inputs.categories import CategoryInput
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.inputs.scale import Scaler
from minicolumn.tables.typed import Remark
from minicolumn.tabular.recipe import Recipe
from minicolumn.train.callbacks import Unfreeze
from minicolumn.train.transfer import transfer

if TYPE_CHECKING:
    import polars

Array = np.ndarray
AS_IT_IS = Scaler(0.0, 1.0, False)
# Kinds that a column may have now, where it had another: 0 and 1 are numbers, numbers may be codes; what is
# left out elsewhere may be what the old network knows.
_READ_AS = {
    "number": ("boolean",),
    "category": ("number", "boolean"),
    "boolean": ("category", "number"),
    "datetime": (),
}
_USUAL_RATE = 1e-3
_UNKNOWN = ("constant", "empty", "identifier", "text")


@dataclass(frozen=True, eq=False)
class Start:
    """A trained network that a training starts from, and how it goes on.

    model       that is started from
    name        of its file, for messages
    freeze      True freezes all layers but the head, a number so many from the input on
    layer_rates a factor on the learning rate for each layer with parameters, from the input on; None for one
                rate
    unfreeze    epochs after which frozen layers learn, too; None for never
    """

    model: Model
    name: str
    freeze: bool | int = False
    layer_rates: tuple[float, ...] | None = None
    unfreeze: int | None = None

    @cached_property
    def sources(self) -> tuple[Model, ...]:
        """The networks there are to start from: the members of an ensemble, or the one."""
        network, params = self.model.network, self.model.params
        if isinstance(network, Ensemble):
            made = enumerate(network.members)
            return tuple(replace(self.model, network=each, params=params[str(n)]) for n, each in made)
        return (self.model,)

    # Columns ------------------------------------------------------------------------------------------------

    def schema(self, schema: Schema) -> tuple[Schema, tuple[Remark, ...]]:
        """Return the schema of a table with the columns of the old network, and what is said of the others.

        Errors      DataError for a column that the table lacks, or that holds something else
        """
        columns = self._columns(schema)
        known = {column.name for column in columns}
        further = [column.name for column in schema.columns if column.name not in known]
        table = self.model.table
        missing = schema.missing if table is None else tuple(dict.fromkeys((*schema.missing, *table.missing)))
        said: tuple[Remark, ...] = ()
        if used := [column.name for column in schema.used if column.name in further]:
            text = f"not learnt from: {self.name} does not know {_listed(used)}"
            said = (Remark("", "codes", text),)
        return replace(schema, columns=columns, missing=missing, dropped=(*schema.dropped, *further)), said

    def _columns(self, schema: Schema) -> tuple[Column, ...]:
        """Return the columns that the old network reads, as it reads them."""
        table = self.model.table
        if table is None:
            return self._numbers(schema)
        have = {column.name: column for column in schema.columns}
        if absent := [part.name for part in table.inputs if part.name not in have]:
            raise DataError(
                f"init_from: the table lacks {_listed(absent)}, which {self.name} learnt from; rename "
                "columns, or add empty ones, which are taken as missing"
            )
        wanted = [Column(part.name, kind_of(part), form=getattr(part, "form", "")) for part in table.inputs]
        for column in wanted:
            found = have[column.name].kind
            if found not in (column.kind, *_UNKNOWN, *_READ_AS[column.kind]):
                raise DataError(
                    f"init_from: column {column.name!r} is {found} here, and was {column.kind} when "
                    f"{self.name} learnt; mend or rename it, or train without init_from"
                )
        return tuple(wanted)

    def _numbers(self, schema: Schema) -> tuple[Column, ...]:
        """Return the columns for a network that takes an array of numbers: all there are, in their order."""
        takes, has = math.prod(self.model.input_shape), len(schema.columns)
        if takes != has:
            raise DataError(
                f"init_from: {self.name} takes {takes:,} numbers a row, and the table has {has:,} columns "
                f"beside the target {schema.target!r}; drop columns, or add them"
            )
        if odd := [column for column in schema.columns if column.kind in ("category", "datetime", "nested")]:
            raise DataError(
                f"init_from: {self.name} takes numbers, and column {odd[0].name!r} is {odd[0].kind}"
            )
        return tuple(replace(column, kind="number") for column in schema.columns)

    def encoder(self, fitted: Encoder, typed: polars.DataFrame) -> Encoder:
        """Return an encoder of the new target that reads columns as the old network's did.

        fitted      to the rows that train; typed: these rows
        Errors      DataError for a column of categories none of which the old network knows
        """
        table = self.model.table
        if table is None:
            inputs = [part for part in fitted.inputs if isinstance(part, NumberInput)]
            return replace(
                fitted, inputs=tuple(replace(part, scale=AS_IT_IS, indicator=False) for part in inputs)
            )
        for part in table.inputs:
            if isinstance(part, CategoryInput):
                self._check_levels(part, typed[part.name])
        return replace(fitted, inputs=table.inputs, scaling=table.scaling)

    def _check_levels(self, part: CategoryInput, series: polars.Series) -> None:
        words = {str(value) for value in series.drop_nulls().unique().to_list()}
        if words and part.levels and not words & set(part.levels):
            few = ", ".join(map(repr, sorted(words)[:3]))
            raise DataError(
                f"init_from: column {part.name!r} holds {few} here, none of the levels that {self.name} "
                f"knows ({', '.join(map(repr, part.levels[:3]))})"
            )

    # The network --------------------------------------------------------------------------------------------

    def recipe(self, recipe: Recipe, outputs: int, seed: int, number: int = 0, free: bool = False) -> Recipe:
        """Return a recipe with the old network in place of its own: new head, frozen layers, rates by layer.

        outputs     of the new head
        seed        draws it; number: of the member, each of which starts from another network in turn
        free        whether nobody said the learning rate. That of the recipe is for layers in the NTK form;
                    others get Adam's usual one
        """
        source = self.sources[number % len(self.sources)]
        made = transfer(source, outputs, freeze=self.freeze, loss="squared_error", seed=seed)
        layers, params = list(made.network.layers), dict(made.params)  # type: ignore[attr-defined]
        if len(source.input_shape) > 1:
            layers = _without_flatten(layers, self.name)
            params = {str(n): params[str(n + 1)] for n in range(len(layers))}
        for layer in _end(recipe.network):
            params[str(len(layers))] = {}
            layers.append(layer)
        usual = free and not _is_ntk(source.network)
        optimizer = recipe.optimizer.with_rate(_USUAL_RATE) if usual else recipe.optimizer
        if self.layer_rates is not None:
            rated = sum(bool(params[str(n)]) for n in range(len(layers)))
            if len(self.layer_rates) != rated:
                raise DataError(
                    f"layer_rates: {self.name} has {rated} layers with parameters, head included; got "
                    f"{len(self.layer_rates)} factors"
                )
            optimizer = Layerwise(optimizer, factors=self.layer_rates)
        hung = () if self.unfreeze is None else (Unfreeze(every=self.unfreeze),)
        return replace(
            recipe,
            network=Sequential(*layers),
            optimizer=optimizer,
            params=params,
            callbacks=(*recipe.callbacks, *hung),
        )


def _is_ntk(network: Layer) -> bool:
    """Return whether the last dense layer of a network is in the NTK form."""
    assert isinstance(network, Sequential)
    inner = [layer.inner if isinstance(layer, Frozen) else layer for layer in network.layers]
    return next(each.parametrization == "ntk" for each in reversed(inner) if isinstance(each, Dense))


def outputs_of(network: Layer) -> int:
    """Return the units of the last dense layer of a network that a recipe made."""
    assert isinstance(network, Sequential)
    return next(layer.units for layer in reversed(network.layers) if isinstance(layer, Dense))


def _end(network: Layer) -> Sequence[Layer]:
    """Return the layers behind the last dense one, which the loss asks for; they have no parameters."""
    assert isinstance(network, Sequential)
    places = [place for place, layer in enumerate(network.layers) if isinstance(layer, Dense)]
    return network.layers[places[-1] + 1 :]


def _without_flatten(layers: list[Layer], name: str) -> list[Layer]:
    """Return the layers for rows that are flat already."""
    first = layers[0].inner if isinstance(layers[0], Frozen) else layers[0]
    if not isinstance(first, Flatten):
        raise DataError(f"init_from: {name} takes rows of several dimensions, and does not flatten them")
    return layers[1:]


def start_of(
    where: str,
    model: Model | PathLike | None,
    freeze: Any = None,
    layer_rates: Any = None,
    unfreeze: Any = None,
) -> Start | None:
    """Validate what was said of the network to start from; None where nothing was.

    where       what messages begin with, such as "fit_table: "
    Errors      DataError for what goes with a network to start from, where there is none; ModelFileError for
                a file that is no model
    """
    if model is None:
        for name, value in (("freeze", freeze), ("layer_rates", layer_rates), ("unfreeze", unfreeze)):
            if value is not None and value is not False:
                raise DataError(f"{where}{name}: goes with init_from, a network to start from")
        return None
    name = "the network" if isinstance(model, Model) else shown(model)
    found = model if isinstance(model, Model) else load(model)
    freeze = False if freeze is None else freeze
    if not isinstance(freeze, bool | int | np.integer):
        raise DataError(f"{where}freeze: expected True, False or a number of layers, got {freeze!r:.60}")
    if unfreeze is not None and (isinstance(unfreeze, bool) or not isinstance(unfreeze, int) or unfreeze < 1):
        raise DataError(f"{where}unfreeze: expected a number of epochs, 1 at least, got {unfreeze!r:.60}")
    if unfreeze is not None and freeze is False:
        raise DataError(f"{where}unfreeze: nothing is frozen; say freeze, too")
    layers = freeze if isinstance(freeze, bool) else int(freeze)
    return Start(found, name, layers, _factors(where, layer_rates), unfreeze)


def _factors(where: str, rates: Any) -> tuple[float, ...] | None:
    if rates is None:
        return None
    try:
        found = tuple(float(rate) for rate in rates)
    except (TypeError, ValueError):
        found = ()
    if not found or not all(math.isfinite(rate) and rate >= 0 for rate in found):
        raise DataError(f"{where}layer_rates: expected factors >= 0, such as (0.1, 1.0), got {rates!r:.60}")
    return found


def _listed(names: Sequence[str]) -> str:
    shown_names = ", ".join(map(repr, names[:5]))
    return shown_names + (f" and {len(names) - 5} more" if len(names) > 5 else "")
