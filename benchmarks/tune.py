"""Trials a minute: a search by `mc.tune` beside Optuna with scikit-learn's MLP, and with PyTorch.

    python benchmarks/tune.py [--data ../shared/data] [--trials 24] [--epochs 10] [--cores 1 2] [SET ...]

The same budget for all: the same candidates (1 to 3 hidden layers of 32, 64 or 128 ReLU units, a rate; Adam,
batches of 256), the same encoded rows, the same three folds, the same epochs, nothing pruned. Each side
trains every candidate on every fold and scores what the fold holds out: ours after each epoch, the others at
the end. Optuna runs with as many threads as cores, its libraries with one thread each. Ours is measured
twice: `cold` compiles every shape, `warm` finds the code on disk. Each line is a process of its own;
`cpu` is its processor time, which tells something even where the machine is busy.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

TABLES = {"adult_income": "income", "letter_recognition": "class"}
SIDES = ("minicolumn cold", "minicolumn warm", "Optuna + scikit-learn", "Optuna + PyTorch")
BATCH, FOLDS = 256, 3


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
        width="32,64,128",
        shape="constant",
        activation="relu",
        normalization="none",
        dropout=0.0,
        ramps=False,
        optimizer="adam",
        learning_rate="1e-3..1e-1",
        weight_decay=0.0,
        schedule="constant",
        batch_size=BATCH,
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


def ours(plan: Any, cores: int) -> list[float]:
    """Search, and return the scores."""
    from minicolumn.tune.session import run_search

    return [trial.score for trial in run_search(plan, refit=False).records]


def by_optuna(plan: Any, cores: int, train: Callable[..., float]) -> list[float]:
    """Search the same candidates with Optuna, cross-validated by hand, and return the scores."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(0))
    candidates = candidates_of(plan)
    for c in candidates:
        study.enqueue_trial({"layers": c.layers, "width": c.width, "learning_rate": c.learning_rate})
    folds = [plan.workshop.data.of(number) for number in range(FOLDS)]

    def objective(trial: Any) -> float:
        hidden = (trial.suggest_categorical("width", [32, 64, 128]),) * trial.suggest_int("layers", 1, 3)
        rate = trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True)
        return sum(train(hidden, rate, *fold, plan.setup.epochs) for fold in folds) / FOLDS

    study.optimize(objective, n_trials=len(candidates), n_jobs=cores)
    return [trial.value for trial in study.trials if trial.value is not None]


def with_sklearn(hidden: tuple[int, ...], rate: float, learnt: Any, held: Any, epochs: int) -> float:
    """Train scikit-learn's MLP, and return its accuracy on the rows held out."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        hidden,
        learning_rate_init=rate,
        batch_size=BATCH,
        max_iter=epochs,
        tol=0.0,
        n_iter_no_change=epochs + 1,
        alpha=0.0,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(model.fit(*learnt[:2]).score(*held[:2]))


def with_torch(hidden: tuple[int, ...], rate: float, learnt: Any, held: Any, epochs: int) -> float:
    """Train a PyTorch network by the usual loop, and return its accuracy on the rows held out."""
    import torch

    X, y = torch.from_numpy(learnt[0]), torch.from_numpy(learnt[1]).long()
    sizes, layers = (X.shape[1], *hidden), []
    for fan_in, units in pairwise(sizes):
        layers += [torch.nn.Linear(fan_in, units), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], int(y.max()) + 1))
    optimizer, loss = torch.optim.Adam(net.parameters(), rate), torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(BATCH):
            optimizer.zero_grad()
            loss(net(X[rows]), y[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        guess = net(torch.from_numpy(held[0])).argmax(1).numpy()
    return float((guess == held[1]).mean())


def measured(side: str, plan: Any, cores: int) -> list[float]:
    """Do one side's search, and return the scores."""
    if side.startswith("minicolumn"):
        return ours(plan, cores)
    if side.endswith("PyTorch"):
        import torch

        torch.set_num_threads(1)
        return by_optuna(plan, cores, with_torch)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return by_optuna(plan, cores, with_sklearn)


def one(options: argparse.Namespace) -> None:
    """Measure one side on one table, and print a line of JSON."""
    from minicolumn.bench.machine import use_cores

    (name,), (cores,) = options.sets, options.cores
    use_cores(cores)
    plan = planned(options.data / f"{name}.csv.gz", TABLES[name], options.trials, options.epochs, cores)
    [plan.workshop.data.of(number) for number in range(FOLDS)]  # rows of the folds, for all sides alike
    began, spent = time.perf_counter(), time.process_time()
    scores = measured(options.side, plan, cores)
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    print(json.dumps({"trials": len(scores), "seconds": seconds, "cpu": spent, "best": max(scores)}))


def run(side: str, name: str, cores: int, options: argparse.Namespace, cache: str) -> dict[str, Any]:
    """Measure one side in a process of its own."""
    words = [
        sys.executable,
        __file__,
        name,
        "--side",
        side,
        "--cores",
        str(cores),
        "--data",
        str(options.data),
    ]
    words += ["--trials", str(options.trials), "--epochs", str(options.epochs)]
    environment = {**os.environ, "MINICOLUMN_CACHE_DIR": cache}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print a table for each set and number of cores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(TABLES), metavar="SET")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        one(options)
        return
    from minicolumn.bench.machine import describe

    print({name: value for name, value in describe().items() if not isinstance(value, list)})
    torch = importlib.util.find_spec("torch") is not None
    sides = [side for side in SIDES if torch or "PyTorch" not in side]
    heads = ("trials/min", "seconds", "cpu", "best", "ours/it")
    print(f"{'':20}{'cores':>6}  {'side':24}" + "".join(f"{head:>12}" for head in heads))
    for name in options.sets:
        for cores in options.cores:
            show(name, cores, sides, options)


def show(name: str, cores: int, sides: list[str], options: argparse.Namespace) -> None:
    """Print the lines of one table and one number of cores; the ratio is of the warm search."""
    with tempfile.TemporaryDirectory() as cache:
        found = {side: run(side, name, cores, options, cache) for side in sides}
    speeds = {side: 60.0 * each["trials"] / each["seconds"] for side, each in found.items()}
    for side, each in found.items():
        ratio = speeds["minicolumn warm"] / speeds[side]
        figures = (speeds[side], each["seconds"], each["cpu"], each["best"], ratio)
        line = "".join(f"{figure:12.5g}" for figure in figures)
        print(f"{name:20}{cores:6}  {side:24}{line}", flush=True)


if __name__ == "__main__":
    main()
