"""Ensembles of a table: members trained side by side, chosen by rows they have not seen, and joined.

plan -> members beside each other, one thread each -> out-of-fold predictions -> temperatures, choice
     -> one network that averages the chosen
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from minicolumn.errors import DivergenceError
from minicolumn.lower.llvm.runtime.thread_count import cores
from minicolumn.model.compute import forward
from minicolumn.model.mean_loss import ROWS, even_size
from minicolumn.model.model import Model
from minicolumn.model.rows import LabeledRows
from minicolumn.nn import Ensemble
from minicolumn.nn.outputs import ClassOutputs, NumberOutputs, Outputs
from minicolumn.tabular.budget import Deadline, fitted_to
from minicolumn.tabular.calibrate import best_factor, tempered
from minicolumn.tabular.choice import (
    TINY,
    Choice,
    believed,
    choose,
    gap_of_numbers,
    gap_of_right_answers,
)
from minicolumn.tabular.member_checkpoints import MemberStates
from minicolumn.tabular.members import Member
from minicolumn.tabular.plan import TablePlan
from minicolumn.tabular.training import resumed, table_trainer
from minicolumn.train.callbacks import Callback
from minicolumn.train.history import History, mean_history
from minicolumn.train.interrupts import deferred
from minicolumn.train.run import Run
from minicolumn.train.side_by_side import Ending, Maker, Progress, run_side_by_side
from minicolumn.train.trainer import Trainer

Array = np.ndarray
Watch = Callable[[Progress], None]
_ROWS = 1_000  # by about so many members are compared


@dataclass(frozen=True, eq=False)
class TrainedMember:
    """A member that was trained.

    member      its rows and its seed; run: how it was trained
    model       its network, with probabilities calibrated by the rows that all members held out
    held_out    what it predicts for these: probabilities, or numbers on the network's scale, [rows, outputs]
    losses      of these rows, [rows]: their log loss or squared error
    """

    member: Member
    run: Run
    model: Model
    held_out: Array
    losses: Array


@dataclass(frozen=True, eq=False)
class EnsembleRun:
    """How the members of an ensemble were trained: what a `Run` is to one network.

    model       the ensemble of the chosen members
    members     all that were trained, in order
    choice      among them, see `choose`
    diverged    numbers of those that left the finite numbers and were dropped
    seconds     of wall time, with compiling and measuring
    stopped     "all epochs", "out of time" or "interrupted"
    """

    model: Model
    members: tuple[TrainedMember, ...]
    choice: Choice
    diverged: tuple[int, ...]
    seconds: float
    stopped: str

    @property
    def kept(self) -> tuple[TrainedMember, ...]:
        """The members that are in the model, in the order in which they were chosen."""
        return tuple(self.members[place] for place in self.choice.order[: self.choice.count])

    @property
    def steps(self) -> int:
        """How many steps all members took together."""
        return sum(trained.run.steps for trained in self.members)

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights the member chosen first kept."""
        return self.kept[0].run.best_epoch

    @property
    def steps_per_second(self) -> float:
        """Steps of all members together a second of wall time."""
        return self.steps / max(self.seconds, 1e-9)

    @cached_property
    def history(self) -> History:
        """The learning curves: the mean of each figure over the members that had that epoch."""
        return mean_history([trained.run.history for trained in self.members])

    def __repr__(self) -> str:
        return f"EnsembleRun({len(self.kept)} of {len(self.members)} members, {self.stopped})"


def train_members(
    plan: TablePlan,
    watch: Watch = lambda progress: None,
    threads: int | None = None,
    states: MemberStates | None = None,
) -> tuple[tuple[TrainedMember, ...], tuple[int, ...], str]:
    """Train the members of a plan side by side.

    watch       told about ten times a second how far they are
    threads     members at once; None takes the cores
    states      where each begins, and what keeps where it stands; None for at the beginning
    Returns     those that were trained, the numbers of those that diverged, and why all ended: "all epochs",
                "out of time" or "interrupted"
    Errors      DivergenceError where every member diverged; KeyboardInterrupt where an interrupt came before
                any had an epoch behind
    """
    began, at_once = time.monotonic(), threads or cores()
    states = states or MemberStates(len(plan.members))
    plan, deadline = fitted_to(plan, _maker(plan, plan.members[0], MemberStates(1)), began, at_once)
    makers = [_maker(plan, member, states, deadline) for member in plan.members]
    endings = run_side_by_side(makers, at_once, watch=watch, may_begin=lambda: not deadline.is_over())
    found = list(zip(plan.members, endings, strict=True))
    begun = [(member, end) for member, end in found if isinstance(end, Run)]
    # One whose time was over within its first epoch has learnt next to nothing.
    runs = [(member, run) for member, run in begun if run.history.epochs] or begun
    errors = [(member.number, end) for member, end in found if isinstance(end, DivergenceError)]
    if not runs and errors:
        raise errors[0][1]
    if not runs:
        raise KeyboardInterrupt
    stopped = _why(endings, deadline)
    # Who was interrupted once may be so again while what was learnt is judged.
    with deferred(again=stopped != "interrupted"):
        trained = _calibrated(plan, [_judged(plan, member, run) for member, run in runs])
    return trained, tuple(number for number, _ in errors), stopped


def _why(endings: Sequence[Ending], deadline: Deadline) -> str:
    """Return why trainings ended: what ended any of them early, or kept it from beginning."""
    reasons = {end.stopped for end in endings if isinstance(end, Run)}
    if None in endings:
        reasons.add("out of time" if deadline.is_over() else "interrupted")
    return next((reason for reason in ("interrupted", "out of time") if reason in reasons), "all epochs")


def _maker(
    plan: TablePlan,
    member: Member,
    states: MemberStates,
    deadline: Deadline = Deadline(),  # noqa: B008  a record
) -> Maker:
    """Return what makes the trainer of a member, where it stood, in the thread that runs it."""
    learnt = plan.train

    def make(callbacks: Sequence[Callback]) -> Trainer:
        kept, held = learnt.given(member.kept(len(learnt.X))), learnt.given(member.held)
        hung = [deadline, *states.keeper(member.number), *callbacks]
        trainer = table_trainer(member.recipe, kept, held, hung, seed=member.seed, threads=1)
        state = states.states.get(member.number)
        trainer = trainer if state is None else resumed(state, trainer, kept, held)
        if member.number % 2:
            # Two that begin at once would wait for one program: the other one is made meanwhile.
            trainer.engine.measured(trainer.engine.weights(trainer.state))
        return trainer

    return make


def _judged(plan: TablePlan, member: Member, run: Run) -> TrainedMember:
    """Return a trained member with its predictions for the rows that it held out."""
    predicted = _predicted(plan, run.model, member.held, ROWS)
    return TrainedMember(
        member, run, run.model, predicted, _losses(run.model.outputs, predicted, plan.train.y[member.held])
    )


def _predicted(plan: TablePlan, model: Model, rows: Array, size: int) -> Array:
    """Return what a member predicts for some of the rows that are learnt from, [rows, outputs].

    size        rows of a block at most

    The program is the one that measured its training, where the rows are blocks like those held out.
    """
    X, y, *weight = plan.train.given(rows)
    known = model.loss_record
    if known is None:
        return model.predict(X).reshape(len(X), -1)
    labeled = LabeledRows(X, y, weight[0].astype(X.dtype) if weight else None)
    found = forward(model.network, known, threads=1).measured(model.params, labeled, size)
    return found.outputs.reshape(len(X), -1)


def _calibrated(plan: TablePlan, trained: Sequence[TrainedMember]) -> tuple[TrainedMember, ...]:
    """Return the members with probabilities calibrated by one temperature, fitted to what all held out."""
    outputs = trained[0].model.outputs
    if not isinstance(outputs, ClassOutputs) or not outputs.are_probabilities:
        return tuple(trained)
    held, weight = np.concatenate([each.member.held for each in trained]), plan.train.loss_weight
    pooled = np.concatenate([outputs.class_scores(each.held_out) for each in trained])
    factor = best_factor(pooled, plan.train.y[held], _of(weight, held))
    models = [tempered(each.model, factor) for each in trained]
    runs = [replace(each.run, model=model) for each, model in zip(trained, models, strict=True)]
    return tuple(_judged(plan, each.member, run) for each, run in zip(trained, runs, strict=True))


def _losses(outputs: Outputs | None, predicted: Array, y: Array) -> Array:
    """Return each row's loss: the log loss of probabilities, else the squared error of what is expected."""
    if isinstance(outputs, ClassOutputs):
        scores = outputs.class_scores(predicted)
        right = scores[np.arange(len(y)), y].astype(np.float64)
        return -np.log(np.maximum(right, TINY)) if outputs.are_probabilities else (1.0 - right) ** 2
    assert isinstance(outputs, NumberOutputs)
    return (outputs.expected(predicted).reshape(len(y)).astype(np.float64) - y) ** 2


def out_of_fold(members: Sequence[TrainedMember], rows: int) -> tuple[Array, Array]:
    """Return what members that have not seen a row predict for it in the mean, for all rows that have such.

    Returns     predictions float32 [found, outputs], and the numbers of these rows, in order
    """
    total = np.zeros((rows, members[0].held_out.shape[1]))
    count = np.zeros(rows, np.int64)
    for trained in members:
        total[trained.member.held] += trained.held_out
        count[trained.member.held] += 1
    found = np.flatnonzero(count)
    return (total[found] / count[found, None]).astype(np.float32), found


def joined(models: Sequence[Model]) -> Model:
    """Return one model that averages the predictions of several: of networks of one kind of outputs."""
    first = models[0]
    if len(models) == 1:
        return first
    average: Any = "numbers" if first.outputs is None else first.outputs.average
    network = Ensemble(*[model.network for model in models], average=average)
    return replace(first, network=network, params={str(n): model.params for n, model in enumerate(models)})


def train_ensemble(
    plan: TablePlan, watch: Watch = lambda progress: None, states: MemberStates | None = None
) -> EnsembleRun:
    """Train the members of a plan, choose among them, and join them into one model.

    watch, states   as for `train_members`
    Errors      as for `train_members`
    """
    began = time.perf_counter()
    trained, diverged, stopped = train_members(plan, watch, states=states)
    with deferred(again=stopped != "interrupted"):
        run = EnsembleRun(
            trained[0].model,
            trained,
            _chosen(plan, trained),
            diverged,
            time.perf_counter() - began,
            stopped,
        )
        whole = joined([each.model for each in run.kept])
        return replace(run, model=replace(whole, training=_described(plan, run), history=run.history.rows))


def _chosen(plan: TablePlan, trained: Sequence[TrainedMember]) -> Choice:
    """Choose among the members by their losses, and by how far they disagree on some of the rows."""
    learnt, outputs, weight = plan.train, trained[0].model.outputs, plan.train.loss_weight
    some, size = _compared(trained, np.arange(len(learnt.X)) if weight is None else np.flatnonzero(weight))
    y, each_weight = learnt.y[some], _of(weight, some)
    predictions = [_predicted(plan, t.model, some, size) for t in trained]
    losses = believed([t.losses for t in trained], [_of(weight, t.member.held) for t in trained])
    if isinstance(outputs, ClassOutputs) and outputs.are_probabilities:
        right = [outputs.class_scores(each)[np.arange(len(y)), y, None] for each in predictions]
        return choose(losses, np.stack(right), gap_of_right_answers, each_weight)
    if isinstance(outputs, NumberOutputs):
        predictions = [outputs.expected(each).reshape(len(y), 1) for each in predictions]
    return choose(losses, np.stack(predictions), gap_of_numbers, each_weight)


def _compared(trained: Sequence[TrainedMember], counted: Array) -> tuple[Array, int]:
    """Return about a thousand of the rows that count, evenly spaced, and how long blocks of them are.

    They are whole blocks of what the members held out, so that no other program is compiled for them.
    """
    size = even_size(len(trained[0].member.held))
    rows = min(max(_ROWS // size, 1), len(counted) // size) * size or len(counted)
    return counted[np.linspace(0, len(counted) - 1, rows).astype(np.int64)], size


def _of(weight: Array | None, rows: Array) -> Array | None:
    """Return the weights of some rows, None where all count alike."""
    return None if weight is None else weight[rows]


def _described(plan: TablePlan, run: EnsembleRun) -> dict[str, Any]:
    """Return the training as metadata for the model file: that of one member, and each member's own part."""
    training = dict(run.kept[0].run.model.training)
    for name in ("seed", "epochs_run", "best_epoch", "stopped"):
        training.pop(name, None)
    members = [
        {
            "seed": trained.member.seed,
            "epochs_run": trained.run.history.epochs,
            "best_epoch": trained.run.best_epoch,
            "held_out_loss": float(
                np.average(trained.losses, weights=_of(plan.train.loss_weight, trained.member.held))
            ),
            "expected_loss": expected,
        }
        for trained, expected in zip(run.kept, run.choice.losses, strict=False)
    ]
    return {**training, "seconds": round(run.seconds, 3), "stopped": run.stopped, "members": members}
