"""`minicolumn tune`: the options of a search, each declared once; tune_job does the work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from minicolumn.address_space import check_room_for_tables
from minicolumn.cli.declared import Option, as_command
from minicolumn.cli.table_options import COLUMNS, FILE, TABLE, TargetOptions
from minicolumn.registry import Integer
from minicolumn.tabular.limits import LIMITS

SPACE, SEARCH = "What there is to choose among, by default by the table's size", "The search"
TRAINING, OUTPUT = "Each training", "What comes out"


@dataclass(frozen=True, kw_only=True)
class TuneOptions(TargetOptions):
    """The options of `minicolumn tune`, as they were written; None where one was not given.

    Names are those of `mc.tune`'s keywords and of the parts of `Space`; a test holds them together.
    """

    GROUPS: ClassVar = (TABLE, SPACE, SEARCH, TRAINING, OUTPUT, COLUMNS, FILE)

    layers: Annotated[str | None, Option(SPACE, "N", help="Hidden layers: 2, 1-4 or 1,3.")] = None
    width: Annotated[
        str | None, Option(SPACE, "UNITS", help="Of the widest layer: 16,32,64, or 16-128, doubling.")
    ] = None
    shape: Annotated[
        str | None, Option(SPACE, "SHAPES", help="constant, funnel, pyramid, free: widths by layer.")
    ] = None
    activation: Annotated[str | None, Option(SPACE, "NAMES", help="relu,mish,leaky_relu:slope=0.2, ...")] = (
        None
    )
    normalization: Annotated[str | None, Option(SPACE, "NAMES", "none", "none, batch, layer, rms.")] = None
    dropout: Annotated[str | None, Option(SPACE, "RATES", help="0.1,0.3 or 0..0.5.")] = None
    ramps: Annotated[
        str | None, Option(SPACE, "WHETHER", "true,false", "Numbers as ramps between their quantiles, too.")
    ] = None
    optimizer: Annotated[str | None, Option(SPACE, "NAMES", "adamw", "adamw,sgd:momentum=0.9,muon, ...")] = (
        None
    )
    learning_rate: Annotated[str | None, Option(SPACE, "RATES", help="1e-3..1e-1 or 0.01,0.1.")] = None
    weight_decay: Annotated[str | None, Option(SPACE, "RATES", help="0.001..0.1 or 0,0.02.")] = None
    schedule: Annotated[str | None, Option(SPACE, "NAMES", help="flat_cosine,one_cycle, ...")] = None
    batch_size: Annotated[str | None, Option(SPACE, "ROWS", help="32,64, or 32-256, doubling.")] = None
    horizon: Annotated[
        str | None, Option(SPACE, "SHARES", "1/8 to 1", "Of the epochs, in which the schedule ends: 0.25,1.")
    ] = None
    space: Annotated[
        str | None, Option(SPACE, "FILE", help="All of this from a TOML file; options go before it.")
    ] = None
    strategy: Annotated[
        str, Option(SEARCH, "NAME", "course", "course, random, tpe, asha, hyperband, grid or grow.")
    ] = "course"
    time: Annotated[
        str | None, Option(SEARCH, "TIME", "2m, but with --trials or grid", "A budget, such as 60s or 5m.")
    ] = None
    trials: Annotated[int | None, Integer(help="So many candidates, no more.", ge=1), Option(SEARCH, "N")] = (
        None
    )
    target_score: Annotated[
        float | None, Option(SEARCH, "SCORE", help="Stop at a score that is good enough.")
    ] = None
    score: Annotated[
        str | None,
        Option(
            SEARCH, "METRIC", "by the task", "What decides: accuracy, log_loss, roc_auc, r2, rmse, mae ..."
        ),
    ] = None
    folds: Annotated[
        int | None,
        Integer(help="Folds of the cross-validation.", ge=2),
        Option(SEARCH, "N", "5; 3 from 5,000 rows on"),
    ] = None
    winner: Annotated[
        str, Option(SEARCH, "RULE", "smallest", "smallest within one standard error of the best, or best.")
    ] = "smallest"
    storage: Annotated[
        str | None,
        Option(SEARCH, "FILE", "DATA's name.journal", "Keeps every trial; or postgresql://USER@HOST/DB."),
    ] = None
    resume: Annotated[bool, Option(SEARCH, help="Go on with the last search in the storage.")] = False
    threads: Annotated[
        int | None,
        Integer(help="Candidates at once, one thread each.", ge=1),
        Option(SEARCH, "N", "the cores"),
    ] = None
    cluster: Annotated[
        str | None, Option(SEARCH, "ADDRESS", help="Train on a Dask cluster: tcp://10.0.0.5:8786.")
    ] = None
    loss: Annotated[
        str | None, Option(TRAINING, "NAME", "by the task", "huber, quantile, poisson, softmax_focal, ...")
    ] = None
    clip_norm: Annotated[float | None, LIMITS["clip_norm"], Option(TRAINING, "NORM")] = None
    epochs: Annotated[int | None, LIMITS["epochs"], Option(TRAINING, "N", "12 to 160, by the table")] = None
    seed: Annotated[int, LIMITS["seed"], Option(TRAINING, "N", "0")] = 0
    out: Annotated[
        str | None, Option(OUTPUT, "MODEL", "DATA's name.safetensors", "Where to save the winner.")
    ] = None
    html: Annotated[
        str | None, Option(OUTPUT, "FILE", help="Write a report: one page with ranking and pictures.")
    ] = None
    plot: Annotated[str | None, Option(OUTPUT, "FOLDER", help="Write the pictures there, as PNG.")] = None
    as_json: Annotated[
        bool, Option(OUTPUT, help="One JSON line on stdout; words go to stderr.", flags=("--json",))
    ] = False
    quiet: Annotated[bool, Option(OUTPUT, help="Say nothing but errors.", flags=("--quiet", "-q"))] = False


def tune(options: TuneOptions) -> int:
    """Search a network for a table: layers, widths, activation, rates; save the winner as one file.

    The same rows are held out for the test as by train, and the search does not look at them. The rest
    is cut into folds; every candidate is trained on each, the others held out, and scored by the mean, with
    its standard error. Candidates train side by side, one on each core.
    The course starts with few neurons and takes more while it helps, then more layers, then layers
    each smaller than the one before, then the rates, and says what it found at each step. The winner is
    the smallest network that is within one standard error of the best; it learns again, from all rows
    but those of the test.
    --html writes a report with what was found: the ranking, the pictures, and how the course went.
    Every trial is kept in a file as soon as it ends. --resume goes on with it, also after a crash.

    Examples
      minicolumn tune penguins
      minicolumn tune adult.csv.gz --target income --time 5m
      minicolumn tune adult.csv.gz --target income --time 5m --resume
      minicolumn tune houses.csv --target price --strategy tpe --trials 100
      minicolumn tune houses.csv --target price --layers 1-4 --width 16,32,64 --activation relu,mish
      minicolumn tune houses.csv --target price --learning-rate 1e-3..1e-1 --dropout 0..0.5
      minicolumn tune houses.csv --target price --space houses.toml --score mae
      minicolumn tune shop.csv --target y --strategy grid --layers 1-2 --width 16-64 --learning-rate 0.05
    """
    from minicolumn.cli.tune_job import run_tuning

    return run_tuning(options)


command = as_command(tune, TuneOptions, check_room_for_tables)
