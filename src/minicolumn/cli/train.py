"""`minicolumn train`: the options of a training on a table, each declared once; train_job does the work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from minicolumn.address_space import check_room_for_tables
from minicolumn.cli.declared import Option, as_command
from minicolumn.cli.table_options import COLUMNS, FILE, TABLE, TargetOptions
from minicolumn.tabular.limits import LIMITS

NETWORK, START, TRAINING, OUTPUT = (
    "The network", "A trained network to start from", "The training", "What comes out",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrainOptions(TargetOptions):
    """The options of `minicolumn train`, as they were written; None where one was not given.

    Names are those of `fit_table`'s keywords; a test holds them together.
    """

    GROUPS: ClassVar = (TABLE, COLUMNS, FILE, NETWORK, START, TRAINING, OUTPUT)

    validation_fraction: Annotated[
        float,
        LIMITS["validation_fraction"],
        Option(TABLE, "SHARE", "0.15"),
    ] = 0.15
    folds: Annotated[
        int | None, Option(TABLE, "N", help="Cross-validate first: N networks, each tested on its share.")
    ] = None
    hidden: Annotated[str | None, Option(NETWORK, "UNITS", "256,256,256", "Units of each hidden layer.")] = (
        None
    )
    activation: Annotated[
        str | None,
        Option(
            NETWORK,
            "NAME",
            "selu; mish for numbers",
            "relu, leaky_relu:slope=0.2, ..., or one a layer: mish,tanh.",
        ),
    ] = None
    dropout: Annotated[
        float | None,
        LIMITS["dropout"],
        Option(NETWORK, "RATE", "0.15; 0.3 for two classes"),
    ] = None
    init_from: Annotated[
        str | None,
        Option(
            START,
            "MODEL",
            help="A model file, a network of the zoo or hf://OWNER/NAME; it gets a new head.",
            flags=("--from",),
        ),
    ] = None
    freeze: Annotated[
        str | None,
        Option(START, "LAYERS", "none", "all but the head (all), or so many from the input on."),
    ] = None
    layer_rates: Annotated[
        str | None,
        Option(START, "FACTORS", "1 for all", "On the rate of each layer with weights: 0.1,0.3,1."),
    ] = None
    unfreeze: Annotated[
        int | None, Option(START, "N", help="Epochs after which frozen layers learn, too.")
    ] = None
    loss: Annotated[
        str | None, Option(TRAINING, "NAME", "by the task", "huber, quantile, poisson, softmax_focal, ...")
    ] = None
    optimizer: Annotated[
        str | None, Option(TRAINING, "NAME", "adamw", "adam, adamw, sgd, rmsprop, muon, ...")
    ] = None
    learning_rate: Annotated[
        float | None,
        LIMITS["learning_rate"],
        Option(TRAINING, "RATE", "0.04; 0.05 for numbers"),
    ] = None
    clip_norm: Annotated[
        float | None,
        LIMITS["clip_norm"],
        Option(TRAINING, "NORM"),
    ] = None
    schedule: Annotated[
        str | None, Option(TRAINING, "NAME", "log_cosine", "constant, cosine, one_cycle, ...")
    ] = None
    batch_size: Annotated[
        int | None,
        LIMITS["batch_size"],
        Option(TRAINING, "ROWS", "32 to 256, by the table"),
    ] = None
    epochs: Annotated[
        int | None,
        LIMITS["epochs"],
        Option(TRAINING, "N", "12 to 160, by the table"),
    ] = None
    patience: Annotated[
        int | None,
        LIMITS["patience"],
        Option(TRAINING, "N", "half of the epochs; of many networks none"),
    ] = None
    seed: Annotated[
        int,
        LIMITS["seed"],
        Option(TRAINING, "N", "0"),
    ] = 0
    effort: Annotated[
        str | None,
        Option(TRAINING, "EFFORT", "normal", "quick, normal or high: how many networks, of what size."),
    ] = None
    members: Annotated[
        int | None,
        LIMITS["members"],
        Option(TRAINING, "N", "by the effort"),
    ] = None
    time: Annotated[str | None, Option(TRAINING, "TIME", help="A budget, such as 60s or 5m.")] = None
    checkpoint: Annotated[
        str | None,
        Option(TRAINING, "FILE", help="Keep the state of the training here, to go on after a stop."),
    ] = None
    every: Annotated[str, Option(TRAINING, "TIME", "60s", "How often, such as 30s, 5m or 1h.")] = "60s"
    resume: Annotated[
        str | None, Option(TRAINING, "FILE", help="Go on from a checkpoint; say the rest as before.")
    ] = None
    monitor: Annotated[bool, Option(TRAINING, help="Show the training in a browser while it lasts.")] = False
    out: Annotated[str | None, Option(OUTPUT, "MODEL", "DATA's name.safetensors", "Where to save.")] = None
    plot: Annotated[
        str | None, Option(OUTPUT, "PICTURE", help="Draw the loss curves: .png, .svg or .pdf.")
    ] = None
    about: Annotated[
        str | None,
        Option(OUTPUT, "TEXT", "target and columns", "What the model is for: intended use, on its card."),
    ] = None
    limits: Annotated[
        str | None, Option(OUTPUT, "TEXT", help="What it is not for: out-of-scope use, on its card.")
    ] = None
    licence: Annotated[
        str | None,
        Option(OUTPUT, "TEXT", help="Of the data, on the card: CC BY 4.0.", flags=("--licence", "--license")),
    ] = None
    as_json: Annotated[
        bool, Option(OUTPUT, help="One JSON line on stdout; words go to stderr.", flags=("--json",))
    ] = False
    quiet: Annotated[bool, Option(OUTPUT, help="Say nothing but errors.", flags=("--quiet", "-q"))] = False


def train(options: TrainOptions) -> int:
    """Train networks on a table, test what they say in the mean, and save them as one file.

    The kinds of the columns are found, and missing values are welcome. A quarter of the rows is held
    out for the test. Of the others each network holds out some, which say when it stops; the mean of
    all predicts. --members 1 trains a single network.
    Activations, losses, optimizers and schedules have the names of the catalogue in Python; settings
    follow behind a colon, several numbers as 0.3+0.6.

    Examples
      minicolumn train penguins
      minicolumn train adult.csv.gz --target income
      minicolumn train houses.csv --target price --drop id,url --plot curves.png
      minicolumn train may.csv --test june.csv --target sales --hidden 64,32
      minicolumn train houses.csv --target price --loss huber:delta=2
      minicolumn train big.csv --target y --checkpoint big.safetensors --every 5m
      minicolumn train big.parquet --target y --resume big.safetensors
      minicolumn train houses.csv --target price --loss quantile:levels=0.1+0.5+0.9
      minicolumn train penguins --optimizer sgd:momentum=0.9 --schedule cosine
      minicolumn train penguins --hidden 64,32 --activation mish,elu:alpha=0.5
      minicolumn train penguins --folds 5
      minicolumn train adult.csv.gz --target income --effort quick
      minicolumn train adult.csv.gz --target income --effort high --time 5m
      minicolumn train shop.csv --target y --datetime day=%d/%m/%Y --category zip
      minicolumn train shop.csv --target y --time-order day
      minicolumn train shop.csv --schema shop.toml
      minicolumn train new.csv --target y --from old.safetensors --freeze all
      minicolumn train train-images-idx3-ubyte.gz --from mnist-mlp
    """
    from minicolumn.cli.train_job import run_training

    return run_training(options)


command = as_command(train, TrainOptions, check_room_for_tables)
