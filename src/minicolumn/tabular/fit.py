"""`fit_table`: train and evaluate a network on a table in one call, `minicolumn train` in Python."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from minicolumn.data.image_table import LABEL, image_table, is_image_file
from minicolumn.errors import DataError, DataWarning
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.nn.losses import Loss
from minicolumn.optim import Optimizer, Schedule
from minicolumn.tables import Reading, builtin_names, builtin_target, load_frame
from minicolumn.tabular.pipeline import TableRun, train_plan
from minicolumn.tabular.plan import plan_table
from minicolumn.tabular.schema_file import with_schema
from minicolumn.tabular.settings import settings_of
from minicolumn.train.callbacks import CallbackLike, Checkpoint, check_callbacks, with_monitor

if TYPE_CHECKING:
    import polars

ColumnNames = str | Sequence[str]
ColumnForms = str | Sequence[str] | Mapping[str, str]


def fit_table(
    data: Any,
    target: str | None = None,
    *,
    task: str | None = None,
    number: ColumnForms = (),
    datetime: ColumnForms = (),
    category: ColumnNames = (),
    text: ColumnNames = (),
    keep: ColumnNames = (),
    drop: ColumnNames = (),
    id: ColumnNames = (),
    weight: str | None = None,
    class_weight: str | Mapping[str, float] | None = None,
    groups: str | None = None,
    time_order: str | None = None,
    missing: ColumnNames = (),
    not_missing: ColumnNames = (),
    decimal: str | None = None,
    strict: bool = False,
    schema: PathLike | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    header: bool = True,
    skip_rows: int = 0,
    comment: str | None = None,
    quote: str | None = None,
    sheet: str | int | None = None,
    max_memory: int | None = None,
    threshold: float | str | None = None,
    target_scale: str | None = None,
    test: Any = None,
    test_fraction: float = 0.25,
    validation_fraction: float = 0.15,
    hidden: int | Sequence[int] | None = None,
    activation: str | Sequence[str] | None = None,
    dropout: float | None = None,
    loss: str | Loss | None = None,
    optimizer: str | Optimizer | None = None,
    learning_rate: float | None = None,
    clip_norm: float | None = None,
    schedule: str | Schedule | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    patience: int | None = None,
    seed: int = 0,
    members: int | None = None,
    effort: str | None = None,
    time: float | str | None = None,
    init_from: Model | PathLike | None = None,
    freeze: bool | int | None = None,
    layer_rates: Sequence[float] | None = None,
    unfreeze: int | None = None,
    callbacks: CallbackLike | Sequence[CallbackLike] = (),
    progress: bool | None = None,
    checkpoint: PathLike | None = None,
    every: float | str = "60s",
    resume: PathLike | None = None,
    monitor: bool = False,
) -> TableRun:
    """Train networks on a table, and score their mean on rows apart: `minicolumn train` in Python.

    The kinds of the columns are found, missing values are welcome, and what turns rows into numbers stays
    with the model. Where nothing is said the default recipe decides (docs/decisions/004).

    data            a path (CSV, TSV, JSON lines or Parquet, also compressed; images-idx3-ubyte with labels
                    beside it), the name of a built-in data set, a polars or pandas frame, an Arrow table, a
                    list of dicts, or a dict of columns
    target          the column to predict; built-in data sets have a usual one
    task            "binary", "multiclass" or "regression"; by the target
    number          columns of numbers, whatever they look like: a name, several, or {name: an example of how
                    they are written, such as "1.234,5"}; words among them are missing
    datetime        columns of dates or times: a name, several, or {name: strptime format}
    category        columns of levels, such as integers that are codes, not amounts
    text            columns of free text, which are left out
    keep            columns to learn from though they look like an identifier, an index, or are constant
    drop            columns to leave out; id: those to leave out that predictions carry along
    weight          column of the rows' weights, >= 0, in all that is learnt and chosen, and in scores out of
                    fold; scores on the test rows are unweighted
    class_weight    "balanced", or {label: weight}, against imbalance: in every loss, also of rows held out,
                    by which epochs, temperature and members are chosen; not in thresholds and scores
    groups          column whose equal values stay on one side of every split
    time_order      column of dates or numbers by which the latest rows are tested
    missing         further spellings of a missing value, such as [".."]; not_missing: usual ones that are
                    values here, such as "NA"
    decimal         "." or ",", the decimal mark of all numbers; found by default
    strict          whether words among numbers or dates are an error; by default a few are missing
    schema          a file that `minicolumn inspect --write-schema` wrote; what is said here goes before it
    encoding, separator, header, skip_rows, comment, quote, sheet, max_memory
                    how a file is read, see `mc.tables.Reading`
    threshold       from which probability on the second of two classes is predicted: a number, "f1", or
                    "cost:false_positive=1,false_negative=5", chosen on the validation rows
    target_scale    of a number: "linear", "asinh", or by default the one that fits held-out rows better where
                    it spans many magnitudes
    test            rows to test on, in any form of data; by default `test_fraction` of the rows
    validation_fraction     share of the rest that says when to stop, and calibrates probabilities: of one
                    network, and of an ensemble by time; else each member holds one of 5 to 8 folds out
    hidden          units of each hidden layer
    activation      of all hidden layers, or one for each: "mish", "leaky_relu:slope=0.2", ...
    dropout         rate of each hidden layer
    loss            a name of `mc.nn.LOSSES` that fits the target, with settings as in "huber:delta=2", or a
                    `mc.nn.Loss`; numbers are on a standardised scale
    optimizer, schedule     a name, with settings as in "sgd:momentum=0.9", or a record
    learning_rate   of the optimizer
    clip_norm       the longest gradient of a step; longer ones are shortened
    batch_size      rows a step
    epochs          at most so often through the rows
    patience        epochs without progress, then stop and keep the best; members of an ensemble that learns
                    numbers or many classes run to the end where nothing is said
    seed            the same seed gives the same bits
    members         networks whose predictions are averaged, each of which holds other rows out; by the
                    effort, and 1 where callbacks or a monitor are to follow one training
    effort          "quick", "normal" or "high": how many networks, how large, and how long they learn. Quick
                    are two at half of the usual epochs, of fewer than 3,000 rows four at a sixth, but eight
                    epochs at least
    time            a budget for the training, such as 30, "60s" or "5m"
    init_from       a model, or the path of its file, to start from: with a new head, and with its columns,
                    matched by name. One that was trained on arrays takes as many columns of numbers
    freeze          of init_from: True freezes all layers but the head, a number so many from the input on
    layer_rates     of init_from: a factor on the learning rate for each layer with parameters, such as
                    (0.1, 0.3, 1.0)
    unfreeze        of init_from: epochs after which frozen layers learn, too
    callbacks       `mc.Callback` objects or names, as for `mc.fit`, beside early stopping
    progress        whether to draw a progress bar on standard error
    checkpoint      a file to keep the state of the training in, written anew `every` 30s, 5m or 1h
    resume          such a file, to go on with: the same data and settings, and it ends with the same bits
    monitor         whether to show the training in a browser while it lasts, as for `mc.fit`

    Returns         a `TableRun`: `metrics` and `baseline` on the test rows, `model`, `history`, `confusion`,
                    `predict(rows)`, `save(path)`
    Errors          DataError, one line, for tables and settings that cannot be used; DivergenceError, whose
                    `run` holds the last good weights

    >>> import minicolumn as mc
    >>> run = mc.fit_table("penguins", epochs=12, hidden=(32,))
    >>> run.metrics["accuracy"] > 0.9 > run.baseline["accuracy"]
    True
    """
    said = dict(locals())
    reading = Reading(**{field.name: said[field.name] for field in fields(Reading)})
    given, reading = with_schema("fit_table", said, schema, reading)
    if members is None and effort is None and (callbacks or monitor):
        given["members"] = 1
    frame = loaded_frame(data, reading)
    columns = list(frame.columns)
    settings = settings_of(
        "fit_table", {**given, "target": target_of("fit_table", given["target"], data, columns)}
    )
    plan = plan_table(frame, settings, None if test is None else loaded_frame(test, reading))
    hung = list(with_monitor("fit_table", check_callbacks("fit_table", callbacks), monitor))
    hung += [] if checkpoint is None else [Checkpoint(checkpoint, every)]
    return train_plan(plan, callbacks=hung, progress=progress, resume=resume)


def loaded_frame(data: Any, reading: Reading) -> polars.DataFrame:
    """Return a table in any form; what was guessed while it was read is warned of."""
    if is_image_file(data):
        return image_table(data)
    loaded = load_frame(data, reading)
    for note in loaded.notes:
        warnings.warn(note, DataWarning, stacklevel=3)
    return loaded.frame


def target_of(who: str, given: str | None, data: Any, columns: list[str]) -> str:
    """Return the target column: the given one, or that of a built-in data set; else a DataError."""
    if given is not None:
        return given
    if is_image_file(data):
        return LABEL
    if isinstance(data, str) and data in builtin_names() and not os.path.exists(data):
        return builtin_target(data)
    shown = ", ".join(map(repr, columns[:12])) + ", ..." * (len(columns) > 12)
    raise DataError(f"{who}: target is missing; the columns are {shown}")
