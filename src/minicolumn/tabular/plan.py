"""Training plan of a table: schema, splits, encoder and recipe, all worked out before the first step."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.model import Model
from minicolumn.model.raw_rows import rows_with_target
from minicolumn.nn.layer import Param
from minicolumn.nn.losses import Loss, as_loss
from minicolumn.tables import Encoder, Schema
from minicolumn.tables.drift import cut_off
from minicolumn.tables.typed import Remark
from minicolumn.tabular.efforts import Effort, effort_by_name
from minicolumn.tabular.labeled import LabeledTable, labeled_table
from minicolumn.tabular.losses import scaled_for, table_loss
from minicolumn.tabular.members import Member, folds_of, members_of
from minicolumn.tabular.memory import check_matrix, said_of_memory, training_memory
from minicolumn.tabular.recipe import Recipe, table_recipe, varied
from minicolumn.tabular.settings import TableSettings
from minicolumn.tabular.start import Start, outputs_of
from minicolumn.tabular.target_scale import scaled_target
from minicolumn.tabular.weights import class_weights
from minicolumn.tree import flatten, unflatten

if TYPE_CHECKING:
    import polars

Array = np.ndarray
Given = tuple[Array, Array] | tuple[Array, Array, Array]


@dataclass(frozen=True, eq=False)
class TableSplit:
    """One split of a table, for training, validation or testing: its rows, raw and encoded.

    frame       as they came
    X           float32 [rows, features]
    y           class codes int32 [rows], or the target on the network's scale, float32 [rows]
    weight      of the rows, by the column of weights, float64 [rows]; None where they count alike
    by_class    their class weights, float64 [rows]; None where none are said

    Losses are weighted by both: the loss that is descended, that of rows held out, which says when to stop,
    and those that temperature and members are chosen by. What is decided and told, thresholds and scores,
    is of the rows as they are, so by the first alone.
    """

    frame: polars.DataFrame
    X: Array
    y: Array
    weight: Array | None = None
    by_class: Array | None = None

    @property
    def loss_weight(self) -> Array | None:
        """Return the weight of each row in a loss, float64 [rows]; None where they count alike."""
        if self.weight is None or self.by_class is None:
            return self.by_class if self.weight is None else self.weight
        return self.weight * self.by_class

    def given(self, rows: Array | slice = slice(None)) -> Given:
        """Return some rows as `fit` takes them: X, targets, and weights where there are any.

        rows        their numbers; all of them by default
        Returns     targets are class codes int32 [rows], or numbers float32 [rows, 1]
        """
        target = self.y if self.y.dtype.kind == "i" else self.y[:, None]
        weight = self.loss_weight
        if weight is None:
            return self.X[rows], target[rows]
        return self.X[rows], target[rows], weight[rows]


@dataclass(frozen=True, eq=False)
class TablePlan:
    """What is going to be trained on which rows: made once, shown, and handed to `train_plan`.

    settings    what the user said
    schema      what was found in the table
    encoder     fitted on the rows that train
    train, validation, test     the rows, which have none in common
    recipe      the network, and how it is trained
    members     of an ensemble, each of which holds out some of the rows that train; of one network there are
                none, and of an ensemble no validation rows
    remarks     what was noticed while cells were read, and what the encoder left out
    """

    settings: TableSettings
    schema: Schema
    encoder: Encoder
    train: TableSplit
    validation: TableSplit
    test: TableSplit
    recipe: Recipe
    remarks: tuple[Remark, ...] = ()
    members: tuple[Member, ...] = ()

    @property
    def rows(self) -> dict[str, int]:
        """How many rows train, validate and test, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part.frame.height for name, part in parts.items()}


def plan_table(
    frame: polars.DataFrame,
    settings: TableSettings,
    test: polars.DataFrame | None = None,
    encoder: type[Encoder] = Encoder,
) -> TablePlan:
    """Plan a training: infer the schema, hold rows out, encode each row once, choose the recipe.

    frame       rows as `read_table` returns them
    settings    what the user said
    test        rows to score on; by default a quarter of the frame is held out, stratified by class
    encoder     the class of what encodes
    Errors      DataError for everything that the schema, the split, the encoder or the recipe refuses, for
                test rows that could not be scored, and for a table that no model file could describe

    Medians, levels and scales come from the training rows alone; so nothing leaks from rows that are scored.

    >>> from minicolumn.tables import read_table
    >>> from minicolumn.tabular import TableSettings
    >>> plan_table(read_table("penguins"), TableSettings("Species")).rows
    {'train': 219, 'validation': 39, 'test': 86}
    """
    table = labeled_table(frame, settings, encoder, tests=test is None)
    settings = _with_members(settings, len(table.rows.kept))
    fitted, loss, said_of_scale = _fitted(table, settings, encoder)
    learnt, validated = (_encoded(table, fitted, rows) for rows in (table.rows.kept, table.rows.held))
    recipe, members = _recipes(table.schema, fitted, learnt, loss, settings)
    by_class = class_weights(settings.class_weight, table.schema.classes, learnt.y)
    learnt, validated = _by_class(learnt, by_class), _by_class(validated, by_class)
    _check_weights_of(members, learnt.loss_weight, table.schema.weight)
    _check_validation(validated)
    plan = TablePlan(
        settings=settings,
        schema=table.schema,
        encoder=fitted,
        train=learnt,
        validation=validated,
        test=_encoded(table, fitted, table.rows.tested) if test is None else _given(fitted, test),
        recipe=recipe,
        remarks=(
            *table.remarks,
            *cut_off(fitted),
            *said_of_scale,
            *_not_learnt(table.schema, learnt.y),
        ),
        members=members,
    )
    _check_storable(plan)
    return replace(plan, remarks=(*plan.remarks, *_of_memory(plan)))


def _fitted(
    table: LabeledTable, settings: TableSettings, encoder: type[Encoder]
) -> tuple[Encoder, Loss | None, tuple[Remark, ...]]:
    """Return an encoder fitted to the rows that train, the user's loss, and what is said of the scale."""
    typed, target = table.typed.frame[table.rows.kept], table.target[table.rows.kept]
    numbers = target if table.schema.task == "regression" else None
    fitted = encoder.fit_typed(typed, table.schema, target=numbers, least=table.least)
    if settings.start is not None:
        fitted = settings.start.encoder(fitted, typed)
    loss = None if settings.loss is None else table_loss(settings.loss, fitted)
    fitted = _scaled(fitted, loss, target)
    fitted, remarks = _bent(fitted, settings, table.typed.frame, table.target, *table.rows.trial)
    if not fitted.features:
        raise DataError("the table has no column left to learn from")
    check_matrix(table.frame.height, len(fitted.features))
    return fitted, loss, remarks


def _of_memory(plan: TablePlan) -> tuple[Remark, ...]:
    """Return a remark where the training takes much memory; DataError where it takes more than is free."""
    parts = (plan.train, plan.validation, plan.test)
    rows, features = sum(len(part.X) for part in parts), len(plan.encoder.features)
    table = int(sum(part.frame.estimated_size() for part in parts))
    return said_of_memory(training_memory(plan.recipe, rows, features, table), rows, features)


def _check_validation(validated: TableSplit) -> None:
    """Refuse class weights that leave no row that validates with a weight."""
    weight = validated.loss_weight
    if weight is not None and len(weight) and not weight.any():
        raise DataError(
            f"class_weight: it is 0 in all {len(weight):,} rows that validate; leave such rows out"
        )


def _check_weights_of(members: tuple[Member, ...], weight: Array | None, column: str) -> None:
    """Refuse members that learn from, or are judged by, rows which weigh nothing.

    column      of the weights; "" where classes alone weigh
    """
    if weight is None:
        return
    name = f"weight: column {column!r}" if column else "class_weight: it"
    for member in members:
        for what, rows in (("learns from", member.kept(len(weight))), ("holds out", member.held)):
            if not weight[rows].any():
                raise DataError(
                    f"{name} is 0 in all {len(rows):,} rows that network {member.number + 1} of "
                    f"{len(members)} {what}; leave such rows out"
                )


def _not_learnt(schema: Schema, codes: Array) -> tuple[Remark, ...]:
    """Return a remark where whole groups, or the latest rows, took classes out of the training."""
    if not schema.classes:
        return ()
    rows = np.bincount(codes, minlength=len(schema.classes))
    absent = [label for label, n in zip(schema.classes, rows, strict=True) if not n]
    if not absent:
        return ()
    shown = ", ".join(map(repr, absent[:8])) + (f" and {len(absent) - 8} more" if len(absent) > 8 else "")
    text = f"none of the rows that train is of class {shown}; it cannot be learnt"
    return (Remark(schema.target, "levels", text),)


def _bent(
    encoder: Encoder,
    settings: TableSettings,
    typed: polars.DataFrame,
    target: Array,
    kept: Array,
    held: Array,
) -> tuple[Encoder, tuple[Remark, ...]]:
    """Return the encoder with its target on the scale that fits squared error, see `scaled_target`."""
    if encoder.classes is not None or settings.loss is not None:
        if settings.target_scale == "asinh":
            raise DataError("target_scale: asinh is for numbers, with the default loss")
        return encoder, ()

    def of(rows: Array) -> tuple[Callable[[], Array], Array]:
        return lambda: encoder.matrix(typed[rows]), target[rows]

    return scaled_target(encoder, settings.target_scale, of(kept), of(held), settings.seed)


def _by_class(part: TableSplit, weights: Array | None) -> TableSplit:
    """Return a split with class weights, if there are any."""
    return part if weights is None else replace(part, by_class=weights[part.y])


def _encoded(table: LabeledTable, encoder: Encoder, rows: Array) -> TableSplit:
    """Encode some rows of a table."""
    X, y = encoder.matrix(table.typed.frame[rows]), encoder.standardise(table.target[rows])
    return TableSplit(table.frame[rows], X, y, None if table.weight is None else table.weight[rows])


def _scaled(encoder: Encoder, loss: Loss | None, target: Array) -> Encoder:
    """Return the encoder with the target on the scale that the loss needs, see `scaled_for`."""
    if loss is None or encoder.classes is not None:
        return encoder
    plain = replace(encoder, target_mean=0.0, target_scale=1.0)
    return scaled_for(loss, encoder, plain.standardise(target))


def _given(encoder: Encoder, test: polars.DataFrame) -> TableSplit:
    """Return the test split of rows that came by themselves; those without a target are left out."""
    try:
        rows = rows_with_target(test, encoder)
        typed = encoder.typed(rows).frame
        return TableSplit(rows, encoder.matrix(typed), encoder.standardise(encoder.read_target(rows)))
    except DataError as error:
        raise DataError(f"the test rows: {error}") from None


def _with_members(settings: TableSettings, rows: int) -> TableSettings:
    """Return the settings with the number of networks that so many rows are learnt by."""
    if settings.members is not None:
        return settings
    return replace(settings, members=_effort(settings, rows).members)


def _effort(settings: TableSettings, rows: int) -> Effort:
    return effort_by_name("effort", settings.effort).for_rows(rows)


def _recipes(
    schema: Schema, encoder: Encoder, learnt: TableSplit, loss: Loss | None, settings: TableSettings
) -> tuple[Recipe, tuple[Member, ...]]:
    """Return the recipe of one network, and the members of an ensemble."""
    recipe = _recipe(encoder, learnt, loss, settings)
    recipe, members = _members(schema, learnt, recipe, settings)
    return (
        (recipe, members) if settings.start is None else _started(settings.start, settings, recipe, members)
    )


def _members(
    schema: Schema, learnt: TableSplit, recipe: Recipe, settings: TableSettings
) -> tuple[Recipe, tuple[Member, ...]]:
    """Return the recipe and the members of an ensemble that learns from these rows; one network has none.

    Where nobody said how many rows a step has, it has so many that an epoch is whole steps.
    """
    count, seed = settings.members, settings.seed
    assert count is not None
    if count == 1:
        return recipe, ()
    share, batch = settings.validation_fraction, None if settings.batch_size else recipe.batch_size
    folds, batch = folds_of(learnt.frame, schema, learnt.y, settings.overrides, count, share, seed, batch)
    recipe = recipe if batch is None else replace(recipe, batch_size=batch)
    free = settings.optimizer is None and settings.learning_rate is None
    silent = settings.dropout is None
    recipes = [varied(recipe, number, dropout=silent, rate=free) for number in range(count)]
    return recipe, members_of(recipes, folds, seed)


def _started(
    start: Start, settings: TableSettings, recipe: Recipe, members: tuple[Member, ...]
) -> tuple[Recipe, tuple[Member, ...]]:
    """Return recipes with the network that is started from in place of their own."""
    outputs, free = outputs_of(recipe.network), settings.optimizer is None and settings.learning_rate is None
    own = [
        replace(member, recipe=start.recipe(member.recipe, outputs, member.seed, member.number, free))
        for member in members
    ]
    return start.recipe(recipe, outputs, settings.seed, free=free), tuple(own)


def _recipe(encoder: Encoder, learnt: TableSplit, loss: Loss | None, settings: TableSettings) -> Recipe:
    """Return the recipe for these training rows, with what the user said in place of the defaults."""
    return table_recipe(
        encoder,
        learnt.X,
        y=learnt.y,
        hidden=settings.hidden,
        activation=settings.activation,
        dropout=settings.dropout,
        loss=loss,
        optimizer=settings.optimizer,
        learning_rate=settings.learning_rate,
        clip_norm=settings.clip_norm,
        schedule=settings.schedule,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        patience=settings.patience,
        effort=None if settings.members == 1 else _effort(settings, len(learnt.X)),
    )


def _check_storable(plan: TablePlan) -> None:
    """Refuse, before anything is trained, a table whose description no model file could hold."""
    recipe, shape = plan.recipe, plan.train.X.shape[1:]
    figures = ("loss", "val_loss", "learning_rate", "seconds", "steps_per_second", *recipe.metrics)
    row = {"epoch": recipe.epochs, **dict.fromkeys(figures, 0.12345678901234567)}
    # Of the weights only the shapes count; one number stands for all of each.
    declared, structure = flatten(recipe.network.declare(shape), is_leaf=lambda node: isinstance(node, Param))
    weights = unflatten(structure, [np.broadcast_to(np.float32(0.0), leaf.shape) for leaf in declared])
    record = as_loss(recipe.loss)
    name = "" if record is None else record.name
    settings = {} if record is None else dict(record.changed)
    model = Model(
        recipe.network, weights, shape, name, plan.encoder, schema=plan.schema, loss_settings=settings
    )
    try:
        replace(model, history=[row] * recipe.epochs).check_storable()
    except DataError as error:
        raise DataError(f"{error}; {_what_takes_most(plan.encoder)}") from None


def _what_takes_most(encoder: Encoder) -> str:
    """Return what makes a description too large for a file, and what to do."""
    sizes = {part.name: len(json.dumps(part.to_json())) for part in encoder.inputs}
    name = max(sizes, key=lambda n: sizes[n])
    if sizes[name] > sum(sizes.values()) / 10:
        return f"the column {name[:60]!r} takes most of it; leave it out (--drop)"
    return (
        f"{len(sizes):,} columns with such names are too many; leave some out (--drop) or shorten their names"
    )
