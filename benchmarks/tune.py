"""Trials a minute: a search by `mc.tune` beside Optuna with scikit-learn's MLP, and with PyTorch.

    python benchmarks/tune.py [SET ...] [--data ../shared/data] [--trials 24] [--epochs 10] [--repeats 3]
                              [--cores 1 2] [--sides "minicolumn warm" ...] [--csv FILE]

The same budget for all: the same candidates (1 to 3 hidden layers of 32, 64 or 128 ReLU units, batches of 128
or 256, a rate, a dropout; Adam), the same encoded rows, the same three folds, the same epochs, nothing
pruned. Each side trains every candidate on every fold and scores what the fold holds out: ours after each
epoch, the others at the end. scikit-learn's MLP has no dropout and goes without.

Optuna runs as many threads as cores, its libraries one thread each. PyTorch's loop is the usual one on
tensors in memory, without a DataLoader, which would be slower; `Optuna + torch.compile` compiles the step.
Ours is measured twice: `cold` compiles every shape, `warm` finds the code on disk.

Each measurement is a process of its own, and begins when the libraries are loaded; sides take turns.
`trials/min` is by the clock, the median of the repeats and in brackets the best; `cpu` the least processor
time, which tells something even where the machine is busy. `best` is the best mean accuracy over the folds
after the last epoch, so that speed is not bought with worse trials. `cold/it` and `warm/it`: how many times
as many trials a minute ours does. At the end how many times as many two cores do.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

TABLES = {"adult_income": "income", "letter_recognition": "class"}
COLD, WARM, SKLEARN = "minicolumn cold", "minicolumn warm", "Optuna + scikit-learn"
TORCH, COMPILED = "Optuna + PyTorch", "Optuna + torch.compile"
SIDES = (COLD, WARM, SKLEARN, TORCH, COMPILED)
USUAL = (COLD, WARM, SKLEARN, TORCH)
WIDTHS, BATCHES, FOLDS = (32, 64, 128), (128, 256), 3


@dataclass(frozen=True)
class Measured:
    """One search of one side, in a process of its own.

    seconds     by the clock; cpu: of all threads; best: accuracy
    """

    table: str
    cores: int
    side: str
    trials: int
    seconds: float
    cpu: float
    best: float

    @property
    def speed(self) -> float:
        """Trials a minute."""
        return 60.0 * self.trials / self.seconds


# The search that all sides do -------------------------------------------------------------------------------


def planned(path: Path, target: str, trials: int, epochs: int, cores: int) -> Any:
    """Return the search that all sides do."""
    from minicolumn.tables import read_table
    from minicolumn.tabular.plan import plan_table
    from minicolumn.tune import Space
    from minicolumn.tune.api import table_settings
    from minicolumn.tune.search import Budget
    from minicolumn.tune.session import Asked, plan_search

    space = Space(
        layers="1-3",
        width=WIDTHS,
        shape="constant",
        activation="relu",
        normalization="none",
        dropout="0.01..0.3",
        ramps=False,
        optimizer="adam",
        learning_rate="1e-3..1e-1",
        weight_decay=0.0,
        schedule="constant",
        batch_size=BATCHES,
        horizon=1.0,  # all sides train over all epochs
    )
    settings = table_settings("tune", {"target": target, "epochs": epochs, "seed": 0, "test_fraction": 0.25})
    asked = Asked(
        space=space,
        strategy="random",
        budget=Budget(trials=trials),
        score="accuracy",
        folds=FOLDS,
        threads=cores,
    )
    return plan_search(plan_table(read_table(path), settings), asked)


def candidates_of(plan: Any) -> list[Any]:
    """Return the candidates that the search will try, in order: they do not depend on what is found."""
    from minicolumn.tune import Trial
    from minicolumn.tune.strategies import strategy_by_name

    strategy, found = strategy_by_name("strategy", plan.asked.strategy)(plan.ground), []
    for _ in range(plan.asked.budget.trials):
        found.append(strategy.ask())
        strategy.tell(Trial(0, found[-1], "failed", 1))
    return found


# The sides --------------------------------------------------------------------------------------------------


def ours(plan: Any) -> list[float]:
    """Search, and return the scores after the last epoch, the mean over the folds."""
    from minicolumn.tune.session import run_search

    trials = run_search(plan, refit=False).records
    return [statistics.fmean(curve[-1] for curve in trial.curves) for trial in trials if trial.is_finished]


def by_optuna(plan: Any, cores: int, train: Callable[..., float]) -> list[float]:
    """Search the same candidates with Optuna, cross-validated by hand, and return the scores.

    train       (candidate, rows that learn, rows held out, epochs) -> accuracy
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(0))
    candidates = candidates_of(plan)
    for c in candidates:
        study.enqueue_trial({name: getattr(c, name) for name in vars(Candidate(1, 1, 0.0, 0.0, 1))})
    folds = [plan.workshop.data.of(number) for number in range(FOLDS)]

    def objective(trial: Any) -> float:
        candidate = Candidate(
            layers=trial.suggest_int("layers", 1, 3),
            width=trial.suggest_categorical("width", WIDTHS),
            learning_rate=trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True),
            dropout=trial.suggest_float("dropout", 0.01, 0.3),
            batch_size=trial.suggest_categorical("batch_size", BATCHES),
        )
        return sum(train(candidate, *fold, plan.setup.epochs) for fold in folds) / FOLDS

    study.optimize(objective, n_trials=len(candidates), n_jobs=cores)
    return [trial.value for trial in study.trials if trial.value is not None]


@dataclass(frozen=True)
class Candidate:
    """What the other sides are told of a network."""

    layers: int
    width: int
    learning_rate: float
    dropout: float
    batch_size: int


def with_sklearn(candidate: Candidate, learnt: Any, held: Any, epochs: int) -> float:
    """Train scikit-learn's MLP, and return its accuracy on the rows held out."""
    from sklearn.neural_network import MLPClassifier

    batch_size: Any = candidate.batch_size
    model = MLPClassifier(
        (candidate.width,) * candidate.layers,
        learning_rate_init=candidate.learning_rate,
        batch_size=batch_size,
        max_iter=epochs,
        tol=0.0,
        n_iter_no_change=epochs + 1,
        alpha=0.0,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(model.fit(*learnt[:2]).score(*held[:2]))


def with_torch(candidate: Candidate, learnt: Any, held: Any, epochs: int, compiled: bool = False) -> float:
    """Train a PyTorch network by the usual loop, and return its accuracy on the rows held out."""
    import torch

    torch.manual_seed(0)
    X, y = torch.from_numpy(learnt[0]), torch.from_numpy(learnt[1]).long()
    sizes, layers = (X.shape[1], *(candidate.width,) * candidate.layers), []
    for fan_in, units in pairwise(sizes):
        layers += [torch.nn.Linear(fan_in, units), torch.nn.ReLU(), torch.nn.Dropout(candidate.dropout)]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], int(y.max()) + 1))
    forward: Any = torch.compile(net) if compiled else net
    optimizer = torch.optim.Adam(net.parameters(), candidate.learning_rate)
    loss = torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(candidate.batch_size):
            optimizer.zero_grad()
            loss(forward(X[rows]), y[rows]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        guess = net(torch.from_numpy(held[0])).argmax(1).numpy()
    return float((guess == held[1]).mean())


def search_of(side: str, plan: Any, cores: int) -> Callable[[], list[float]]:
    """Return what does one side's search and gives its scores, with the libraries loaded that it needs."""
    if side in (COLD, WARM):
        from minicolumn.lower.llvm.runtime.jit import available

        available()
        return lambda: ours(plan)
    import optuna  # noqa: F401
    import sklearn.neural_network  # noqa: F401

    if side == SKLEARN:
        return lambda: by_optuna(plan, cores, with_sklearn)
    import torch

    torch.set_num_threads(1)
    compiled = side == COMPILED
    return lambda: by_optuna(plan, cores, lambda *given: with_torch(*given, compiled=compiled))


# Measuring --------------------------------------------------------------------------------------------------


def measure(name: str, side: str, cores: int, options: argparse.Namespace) -> Measured:
    """Measure one side on one table in this process."""
    from minicolumn.bench.machine import use_cores

    use_cores(cores)
    plan = planned(options.data / f"{name}.csv.gz", TABLES[name], options.trials, options.epochs, cores)
    [plan.workshop.data.of(number) for number in range(FOLDS)]  # rows of the folds, for all sides alike
    search = search_of(side, plan, cores)
    began, spent = time.perf_counter(), time.process_time()
    scores = search()
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    return Measured(name, cores, side, len(scores), seconds, spent, max(scores))


def measured_apart(name: str, side: str, cores: int, options: argparse.Namespace, cache: str) -> Measured:
    """Measure one side in a process of its own."""
    words = [sys.executable, __file__, name, "--side", side, "--cores", str(cores)]
    words += ["--data", str(options.data), "--trials", str(options.trials), "--epochs", str(options.epochs)]
    # Threads of the libraries, in whichever thread Optuna calls them.
    environment = {**os.environ, "MINICOLUMN_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{side} on {name}: {done.stderr[-2000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def measured_in_turns(
    name: str, cores: int, sides: Sequence[str], options: argparse.Namespace
) -> list[Measured]:
    """Measure all sides some times, each round in an order of its own; what is warm was made warm before."""
    found = []
    for number in range(options.repeats):
        turned = [*sides[number % len(sides) :], *sides[: number % len(sides)]]
        with tempfile.TemporaryDirectory() as cache:
            if WARM in turned and COLD in turned:  # the one leaves on disk what the other finds
                turned.remove(WARM)
                turned.insert(turned.index(COLD) + 1, WARM)
            elif WARM in turned:
                measured_apart(name, COLD, cores, options, cache)
            found += [measured_apart(name, side, cores, options, cache) for side in turned]
    return found


# Showing ----------------------------------------------------------------------------------------------------


def speed_of(found: Sequence[Measured], table: str, cores: int, side: str) -> float:
    """Return the median of a side's trials a minute; NaN where it was not measured."""
    speeds = [m.speed for m in found if (m.table, m.cores, m.side) == (table, cores, side)]
    return statistics.median(speeds) if speeds else float("nan")


def line_of(found: Sequence[Measured], table: str, cores: int, side: str) -> str:
    """Return a side's line of the table."""
    own = [m for m in found if (m.table, m.cores, m.side) == (table, cores, side)]
    speed = speed_of(found, table, cores, side)
    clock = f"{speed:.1f} ({max(m.speed for m in own):.1f})"
    ratios = [speed_of(found, table, cores, other) / speed for other in (COLD, WARM)]
    figures = f"{min(m.cpu for m in own):9.2f}{max(m.best for m in own):9.4f}"
    return f"{table:20}{cores:6}  {side:24}{clock:>18}{figures}" + "".join(f"{r:9.2f}" for r in ratios)


def gains(found: Sequence[Measured]) -> list[str]:
    """Return how many times as many trials a minute each side does on more cores, a line each."""
    lines = []
    for table, side in dict.fromkeys((m.table, m.side) for m in found):
        cores = sorted({m.cores for m in found if (m.table, m.side) == (table, side)})
        for few, many in pairwise(cores):
            times = speed_of(found, table, many, side) / speed_of(found, table, few, side)
            lines.append(f"{table:20}  {side:24}{many} cores / {few}: {times:.2f}")
    return lines


def write(found: Sequence[Measured], path: Path) -> None:
    """Write every measurement as a row of a CSV file."""
    with open(path, "w", newline="") as file:
        rows = csv.DictWriter(file, [*asdict(found[0]), "speed"])
        rows.writeheader()
        rows.writerows({**asdict(m), "speed": round(m.speed, 3)} for m in found)


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for on the command line, or by these words."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"both of {', '.join(TABLES)} by default")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--trials", type=int, default=24)
    # Beyond ten a fold of ours may end early, and the others' do not.
    parser.add_argument("--epochs", type=int, default=10, choices=range(1, 11), metavar="1-10")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(USUAL))
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    said = parser.parse_args(words)
    said.sets = said.sets or list(TABLES)  # a default is no choice of argparse's, where there may be none
    if unknown := [name for name in said.sets if name not in TABLES]:
        parser.error(f"unknown set {unknown[0]!r}; expected {', '.join(TABLES)}")
    return said


def main() -> None:
    """Print a line a side for each table and number of cores."""
    options = parsed()
    if options.side:
        (name,), (cores,) = options.sets, options.cores
        print(json.dumps(asdict(measure(name, options.side, cores, options))))
        return
    from minicolumn.bench.machine import describe

    print({name: value for name, value in describe().items() if not isinstance(value, list)})
    missing = {"torch": (TORCH, COMPILED), "optuna": (SKLEARN, TORCH, COMPILED)}
    lost = {s for module, sides in missing.items() if not importlib.util.find_spec(module) for s in sides}
    sides = [side for side in options.sides if side not in lost]
    heads = ("cpu", "best", "cold/it", "warm/it")
    title = f"{'':20}{'cores':>6}  {'side':24}{'trials/min':>18}"
    print(title + "".join(f"{head:>9}" for head in heads))
    found: list[Measured] = []
    for name in options.sets:
        for cores in options.cores:
            found += measured_in_turns(name, cores, sides, options)
            for side in sides:
                print(line_of(found, name, cores, side), flush=True)
            if options.csv:
                write(found, options.csv)
    print("\n".join(gains(found)))


if __name__ == "__main__":
    main()
