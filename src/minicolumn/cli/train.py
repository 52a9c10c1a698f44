"""`minicolumn train`: what may be said about a training; the work is in train_job."""

from __future__ import annotations

from typing import Annotated, Any

import typer

TABLE, NETWORK, TRAINING, OUTPUT = "The table", "The network", "The training", "What comes out"


def _option(group: str, metavar: str, text: str) -> Any:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=group)


def _flag(names: str, text: str) -> Any:
    return typer.Option(*names.split(), help=text, rich_help_panel=OUTPUT)


_DATA = typer.Argument(metavar="DATA", help="A file, or a built-in table: penguins.", rich_help_panel=TABLE)
_TARGET = _option(TABLE, "COLUMN", "The column to predict.")
_TASK = _option(TABLE, "TASK", "binary, multiclass or regression. [default: by the target]")
_DROP = _option(TABLE, "COLUMNS", "Leave out: --drop a,b or --drop a --drop b.")
_CATEGORICAL = _option(TABLE, "COLUMNS", "Whole numbers that are codes, not amounts.")
_TEST = _option(TABLE, "FILE", "Test on these rows, not on a share of DATA.")
_TEST_FRACTION = _option(TABLE, "SHARE", "Share of the rows to test on. [default: 0.25]")
_VALIDATION_FRACTION = _option(TABLE, "SHARE", "Share of the rest that says when to stop. [default: 0.15]")
_HIDDEN = _option(NETWORK, "UNITS", "Units of each hidden layer. [default: 256,256,256]")
_ACTIVATION = _option(
    NETWORK,
    "NAME",
    "relu, leaky_relu:slope=0.2, ..., or one a layer: mish,tanh. [default: selu; mish for numbers]",
)
_DROPOUT = _option(NETWORK, "RATE", "Share of units to silence. [default: 0.15; 0.3 for two classes]")
_LOSS = _option(TRAINING, "NAME", "huber, quantile, poisson, softmax_focal, ... [default: by the task]")
_OPTIMIZER = _option(TRAINING, "NAME", "adam, adamw, sgd, rmsprop, muon, ... [default: adamw]")
_SCHEDULE = _option(TRAINING, "NAME", "constant, cosine, one_cycle, ... [default: log_cosine]")
_CLIP_NORM = _option(TRAINING, "NORM", "Longest gradient of a step; longer ones are shortened.")
_LEARNING_RATE = _option(TRAINING, "RATE", "How far a step goes. [default: 0.04; 0.05 for numbers]")
_BATCH_SIZE = _option(TRAINING, "ROWS", "Rows a step. [default: 32 to 256, by the table]")
_EPOCHS = _option(TRAINING, "N", "At most so often through the rows. [default: 12 to 160, by the table]")
_PATIENCE = _option(TRAINING, "N", "Epochs without progress, then stop. [default: half of the epochs]")
_SEED = _option(TRAINING, "N", "The same seed gives the same model. [default: 0]")
_OUT = _option(OUTPUT, "MODEL", "Where to save. [default: DATA's name.safetensors]")
_PLOT = _option(OUTPUT, "PICTURE", "Draw the loss curves: .png, .svg or .pdf.")


def train(
    data: Annotated[str, _DATA],
    target: Annotated[str | None, _TARGET] = None,
    task: Annotated[str | None, _TASK] = None,
    drop: Annotated[list[str] | None, _DROP] = None,
    categorical: Annotated[list[str] | None, _CATEGORICAL] = None,
    test: Annotated[str | None, _TEST] = None,
    test_fraction: Annotated[float, _TEST_FRACTION] = 0.25,
    validation_fraction: Annotated[float, _VALIDATION_FRACTION] = 0.15,
    hidden: Annotated[str | None, _HIDDEN] = None,
    activation: Annotated[str | None, _ACTIVATION] = None,
    dropout: Annotated[float | None, _DROPOUT] = None,
    loss: Annotated[str | None, _LOSS] = None,
    optimizer: Annotated[str | None, _OPTIMIZER] = None,
    learning_rate: Annotated[float | None, _LEARNING_RATE] = None,
    clip_norm: Annotated[float | None, _CLIP_NORM] = None,
    schedule: Annotated[str | None, _SCHEDULE] = None,
    batch_size: Annotated[int | None, _BATCH_SIZE] = None,
    epochs: Annotated[int | None, _EPOCHS] = None,
    patience: Annotated[int | None, _PATIENCE] = None,
    seed: Annotated[int, _SEED] = 0,
    out: Annotated[str | None, _OUT] = None,
    plot: Annotated[str | None, _PLOT] = None,
    as_json: Annotated[bool, _flag("--json", "One JSON line on stdout; words go to stderr.")] = False,
    quiet: Annotated[bool, _flag("--quiet -q", "Say nothing but errors.")] = False,
) -> int:
    """Train a network on a table, test it, and save it as one file.

    The kinds of the columns are found, and missing values are welcome. A quarter of the rows is set
    apart for the test, some of the others say when to stop, and the best weights are kept.
    Activations, losses, optimizers and schedules have the names of the catalogue in Python; settings
    follow behind a colon, several numbers as 0.3+0.6.

    Examples
      minicolumn train penguins
      minicolumn train adult.csv.gz --target income
      minicolumn train houses.csv --target price --drop id,url --plot curves.png
      minicolumn train may.csv --test june.csv --target sales --hidden 64,32
      minicolumn train houses.csv --target price --loss huber:delta=2
      minicolumn train houses.csv --target price --loss quantile:levels=0.1+0.5+0.9
      minicolumn train penguins --optimizer sgd:momentum=0.9 --schedule cosine
      minicolumn train penguins --hidden 64,32 --activation mish,elu:alpha=0.5
    """
    from minicolumn.cli.train_job import Wishes, run_training

    wishes = Wishes(
        data=data, target=target, task=task, drop=drop or [], categorical=categorical or [], test=test,
        test_fraction=test_fraction, validation_fraction=validation_fraction, hidden=hidden,
        activation=activation, dropout=dropout, loss=loss, optimizer=optimizer,
        learning_rate=learning_rate, clip_norm=clip_norm, schedule=schedule,
        batch_size=batch_size, epochs=epochs, patience=patience, seed=seed, out=out, plot=plot,
        as_json=as_json, quiet=quiet,
    )  # fmt: skip
    return run_training(wishes)
