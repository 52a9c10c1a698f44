"""Compiler inspection for `minicolumn inspect`: graph, fusion plan, kernel times, LLVM IR, assembly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minicolumn.cli.options import check_name
from minicolumn.errors import DataError
from minicolumn.registry import Integer

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from minicolumn.lower.inspect import Inspection
    from minicolumn.lower.profile import Times
    from minicolumn.model import Model
    from minicolumn.nn.layer import Layer
    from minicolumn.nn.losses import Loss
    from minicolumn.optim import Optimizer
    from minicolumn.passes.show import Shown

STEPS, ROWS = 8, 32
BATCH = Integer(name="batch", help="Rows a step.", ge=1, le=65_536, optional=True)


@dataclass(frozen=True)
class Wanted:
    """What is asked for of a compiled program.

    parts       "graph", "plan", "times", "llvm", "assembly", in the order in which they are shown
    train       whether of a training step, not of a prediction
    batch       rows; optimizer: by name; None takes those of the model
    """

    parts: tuple[str, ...] = ()
    train: bool = False
    batch: int | None = None
    optimizer: str | None = None

    @property
    def any(self) -> bool:
        """Whether anything is asked for that only a program has."""
        return bool(self.parts) or self.train or self.batch is not None or self.optimizer is not None


@dataclass(frozen=True)
class Subject:
    """A network with all that its programs need: weights, loss, optimizer, batch size."""

    name: str
    network: Layer
    params: Any
    input_shape: tuple[int, ...]
    loss: Loss | None
    optimizer: Optimizer
    batch: int


def is_network(name: str) -> bool:
    """Return whether a benchmark workload has this name."""
    from minicolumn.bench.workloads import WORKLOADS

    return name in WORKLOADS


def named_network(name: str) -> Subject:
    """Return the network of a benchmark workload, with fresh weights."""
    from minicolumn.bench.ours import network
    from minicolumn.bench.workloads import workload_by_name
    from minicolumn.nn.losses import Loss
    from minicolumn.optim import optimizer_by_name

    found = workload_by_name(name)
    net, shape = network(found), (found.features,)
    optimizer = optimizer_by_name(found.optimizer, learning_rate=found.learning_rate)
    loss = Loss(found.loss)
    return Subject(f"{name}: {found.title}", net, net.init(0, shape), shape, loss, optimizer, found.batch)


def model_network(name: str, model: Model) -> Subject:
    """Return the network of a model file, with its own batch size and optimizer if the file tells them."""
    from minicolumn.errors import ModelFileError
    from minicolumn.optim import OPTIMIZERS, Adam

    try:
        optimizer = OPTIMIZERS.from_json(model.training.get("optimizer"))
    except ModelFileError:  # one of the user's own, or none at all
        optimizer = Adam()
    batch = model.training.get("batch_size")
    known = batch if isinstance(batch, int) and BATCH.holds(batch) else ROWS
    shape = tuple(model.input_shape)
    return Subject(name, model.network, model.params, shape, model.loss_record, optimizer, known)


def show_program(console: Console, subject: Subject, wanted: Wanted) -> dict[str, Any]:
    """Compile a program, print the wanted parts, and return them as JSON values.

    A single part that goes to a file or a pipe is printed bare, so that it can be parsed or assembled.
    """
    from minicolumn.cli.screen import heading

    BATCH.required(wanted.batch, "--batch")
    look, about = _look(subject, wanted)
    found: dict[str, Any] = {"file": subject.name, **about}
    parts = wanted.parts or ("plan",)
    bare = len(parts) == 1 and not console.is_terminal
    if not bare:
        console.print(heading(subject.name, _about(about)))
    for part in parts:
        if not bare and len(parts) > 1:
            console.print(heading(part if part != "llvm" else "LLVM text"))
        found[part] = _PARTS[part](console, look)
    return found


def _about(about: dict[str, Any]) -> str:
    """Return what the program does, for the heading."""
    if about["program"] == "predict":
        return f"predicts {about['batch']:,} rows"
    return f"{STEPS} steps of training, batch {about['batch']:,}, {about['optimizer']}"


def _look(subject: Subject, wanted: Wanted) -> tuple[Inspection, dict[str, Any]]:
    """Return the compiled program, and what describes it in JSON."""
    from minicolumn.lower.inspect import inspect
    from minicolumn.optim import optimizer_by_name

    check_name("--optimizer", wanted.optimizer, optimizer_by_name)
    if wanted.optimizer and not wanted.train:
        raise DataError("--optimizer: only training has one; add --train")
    optimizer = optimizer_by_name(wanted.optimizer) if wanted.optimizer else subject.optimizer
    batch = wanted.batch or subject.batch
    if not wanted.train:
        function, args = _prediction(subject, batch)
        return inspect(function, *args), {"program": "predict", "batch": batch}
    function, args = _training(subject, batch, optimizer)
    name = type(optimizer).__name__
    return inspect(function, *args), {"program": "train", "batch": batch, "optimizer": name}


# The programs ---------------------------------------------------------------------------------------------


def _prediction(subject: Subject, batch: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return the forward pass with output activation, and example arguments."""
    from minicolumn.nn.activations import activation_by_name

    end = activation_by_name(subject.loss.outputs.activation if subject.loss else "linear").function

    def predict(params: Any, x: np.ndarray) -> Any:
        return end(subject.network.apply(params, x))

    return predict, (subject.params, _rows(subject, batch))


def _training(
    subject: Subject, batch: int, optimizer: Optimizer
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return eight training steps as one function, and example arguments."""
    import numpy as np

    from minicolumn import random
    from minicolumn.train.step import Data, State, Step, Steps, next_numbers, train_steps

    if subject.loss is None:
        raise DataError(
            "--train: this model was trained with a loss function of its own, which no file holds"
        )
    steps = train_steps(Step(subject.network, subject.loss, optimizer))

    def train(
        params: Any, moments: Any, X: Any, Y: Any, order: Any, rates: Any, numbers: Any, key: Any
    ) -> Any:
        state, (losses,) = steps(State(params, moments), Data(X, Y), Steps(order, rates, numbers), key)
        return state.params, state.moments, losses

    X = _rows(subject, STEPS * batch)
    order = np.arange(STEPS * batch, dtype=np.int32).reshape(STEPS, batch)
    rates = np.full(STEPS, optimizer.learning_rate, X.dtype)
    key = random.stream(0, "dropout")
    start = optimizer.start(subject.params, subject.network.roles(subject.input_shape))
    return train, (subject.params, start, X, _targets(subject, X), order, rates, next_numbers(0, STEPS), key)


def _rows(subject: Subject, rows: int) -> np.ndarray:
    """Return inputs of zeros: in range for every encoding, and no value makes the code faster."""
    import numpy as np

    from minicolumn.model.compute import dtype_of

    return np.zeros((rows, *subject.input_shape), dtype_of(subject.params))


def _targets(subject: Subject, X: np.ndarray) -> np.ndarray:
    """Return targets that the loss accepts: class 0, or ones."""
    import numpy as np

    shape = subject.network.output_shape(subject.input_shape)
    if subject.loss is None:
        return np.ones((len(X), *shape), X.dtype)
    outputs = subject.loss.outputs
    of_rows = (len(X), *outputs.target_shape(shape))
    return np.zeros(of_rows, np.int32) if outputs.task == "multiclass" else np.ones(of_rows, X.dtype)


# Their parts ----------------------------------------------------------------------------------------------


def _graph(console: Console, look: Inspection) -> str:
    """Print the typed graph in its text form."""
    return _printed(console, look.text)


def _llvm(console: Console, look: Inspection) -> str:
    """Print the LLVM IR."""
    return _printed(console, look.llvm)


def _assembly(console: Console, look: Inspection) -> str:
    """Print the assembly for this processor."""
    return _printed(console, look.assembly)


def _printed(console: Console, text: str) -> str:
    """Print a text as it is and return it."""
    console.print(text.rstrip("\n"), soft_wrap=True)
    return text


def _plan(console: Console, look: Inspection) -> dict[str, Any]:
    """Print the fusion plan: kernels, their cost, and where their results are stored."""
    from rich.text import Text

    plan = look.fused
    if console.is_terminal:
        console.print(_plan_table(plan))
        console.print(Text(f"\n{plan.totals}", "bold"))
    else:
        _printed(console, str(plan))
    return plan.to_json()


def _plan_table(plan: Shown) -> Table:
    """Return the plan as a table: what is computed, and dimmed below it what is read and written."""
    from rich.text import Text

    from minicolumn.passes.show import HEAD, cells, touches

    table = _grid(HEAD[0], *HEAD[1:3], right=2)
    table.add_column(HEAD[3])
    table.add_column(HEAD[4], overflow="fold")
    for line in plan.lines:
        what = Text("  " * line.depth + line.words, "bold" if line.kind == "scan" else "")
        if below := touches(line):
            what.append(f"\n{'  ' * line.depth}{below}", "dim not bold")
        table.add_row(*map(Text, cells(line)), what)
    return table


def _times(console: Console, look: Inspection) -> dict[str, Any]:
    """Run the program and print the time of each kernel."""
    from rich.text import Text

    times = look.times()
    if console.is_terminal:
        console.print(_times_table(times))
        console.print(Text(f"\n{times.totals}", "bold"))
    else:
        _printed(console, str(times))
    return times.to_json()


def _times_table(times: Times) -> Table:
    """Return the times as a table, those that matter in bold."""
    from rich.text import Text

    from minicolumn.lower.profile import HEAD, time_cells

    table = _grid("", *HEAD[:3], right=3)
    table.add_column(HEAD[3], overflow="fold")
    for row in times.rows:
        style = "bold" if row.share >= 0.1 else "dim" if row.share < 0.005 else ""
        table.add_row("", *(Text(cell.strip(), style) for cell in time_cells(row)))
    return table


def _grid(first: str, *numbers: str, right: int) -> Table:
    """Return an empty table: a name, then right-aligned figures."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first, no_wrap=True)
    for name in numbers[:right]:
        table.add_column(name, justify="right", no_wrap=True)
    return table


_PARTS: dict[str, Callable[[Console, Inspection], Any]] = {
    "graph": _graph,
    "plan": _plan,
    "times": _times,
    "llvm": _llvm,
    "assembly": _assembly,
}
