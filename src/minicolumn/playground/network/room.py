"""The room `network`: the playground itself, messages in and frames out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from minicolumn.data.points.arc4 import Arc4
from minicolumn.data.points.points import Points
from minicolumn.errors import DataError, DivergenceError, MinicolumnError
from minicolumn.model import Model
from minicolumn.model.artifact import artifact_from_bytes
from minicolumn.nn.layer import Params
from minicolumn.playground.allowance import AT_ONCE, Allowance, work_of_step
from minicolumn.playground.frames import Frame
from minicolumn.playground.lines import line, line_of
from minicolumn.playground.links import parse_link
from minicolumn.playground.network import messages as m
from minicolumn.playground.network.columns import formula_of_columns
from minicolumn.playground.network.consequences import points_for, with_consequences
from minicolumn.playground.network.diverging import divergence
from minicolumn.playground.network.exports import exported
from minicolumn.playground.network.learner import Learner
from minicolumn.playground.network.loading import opened_model
from minicolumn.playground.network.neuron import neuron_formula
from minicolumn.playground.network.pacing import Pacing
from minicolumn.playground.network.painting import painted
from minicolumn.playground.network.reshaping import with_layer, with_units
from minicolumn.playground.network.setup import DATA, DEFAULT, OWN, TABLE, VIEW, Setup, changed
from minicolumn.playground.network.shown import Picture, check_view
from minicolumn.playground.network.summary import summary_of
from minicolumn.playground.network.tables import EncodedTable, SentTable
from minicolumn.playground.network.whole import FIXED, Whole
from minicolumn.playground.room import Nothing, Room
from minicolumn.playground.uploads import Upload, as_bytes, as_utf8
from minicolumn.registry import Record


class NetworkRoom(Room):
    """A network on points in a plane: built, trained, watched and taken apart while it learns.

    learner     points, network and training; made when the room is opened
    setup       all that can be set, one record: the learner's
    """

    name = "network"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {
        "open": (m.Open, "open"),
        "set": (m.Set, "set"),
        "run": (m.Run, "run"),
        "pause": (Nothing, "pause"),
        "step": (m.Step, "step"),
        "reset": (m.Reset, "reset"),
        "regenerate": (Nothing, "regenerate"),
        "speed": (m.Speed, "speed"),
        "weight": (m.Weight, "weight"),
        "bias": (m.Bias, "bias"),
        "layer": (m.Layer, "layer"),
        "units": (m.Units, "units"),
        "points": (m.Paint, "points"),
        "table": (m.Table, "table"),
        "target": (m.Target, "target"),
        "view": (m.View, "view"),
        "watch": (m.Watch, "watch"),
        "neuron": (m.Neuron, "neuron"),
        "formula": (m.Formula, "formula"),
        "back": (m.Back, "back"),
        "export": (m.Export, "export"),
        "load": (m.Load, "load"),
    }

    def __init__(self) -> None:
        self._learner: Learner | None = None
        self._picture: Picture | None = None
        self._pacing = Pacing()
        self._good: list[Any] = []  # the last two snapshots that were shown, to step back to
        self._upload = Upload()
        self._table: SentTable | None = None
        self._is_known = False  # whether the page has the controls
        self._hidden: tuple[str, ...] = ()  # controls that a link hides
        self._watched = False  # whether ticks tell norms

    # Beginning ----------------------------------------------------------------------------------------------

    @property
    def setup(self) -> Setup:
        """All that can be set."""
        return DEFAULT if self._learner is None else self._learner.setup

    @property
    def learner(self) -> Learner:
        """What learns; a default network where nothing was opened yet."""
        if self._learner is None:
            self._begin(self.setup)
        assert self._learner is not None
        return self._learner

    def open(self, said: m.Open) -> list[Frame]:
        """Begin with a setup or a link."""
        notes: tuple[str, ...] = ()
        hidden: tuple[str, ...] = ()
        fields: Mapping[str, Any] = said.setup or {}
        if said.link is not None:
            link = parse_link(said.link)
            fields, notes, hidden = {**link.fields, **fields}, link.notes, link.hidden
        self._begin(changed(DEFAULT, fields), before=said)
        self._is_known, self._hidden = False, hidden
        return self._state(reset=said.weights is None, said=notes)

    def _begin(
        self,
        setup: Setup,
        points: Points | None = None,
        table: EncodedTable | None = None,
        before: m.Open | None = None,
        params: Params | None = None,
        whole: Whole | None = None,
    ) -> None:
        """Begin anew, or from the weights that a page had; where that fails nothing was touched."""
        if points is None:
            points = points_for(setup, self._learner)
            table, whole = self._table_of(setup), self._whole_of(setup)
        learner = Learner(setup, points, table, params, whole=whole)
        if before is not None and before.weights is not None:
            weights = np.frombuffer(as_bytes(before.weights), np.uint8)
            learner.resume(weights, before.epoch, before.step)
        self._learner = learner
        self._picture = Picture(learner)
        self._pacing.stop()
        self._good = []

    def _table_of(self, setup: Setup) -> EncodedTable | None:
        return self._learner.table if self._learner is not None and setup.dataset == TABLE else None

    def _whole_of(self, setup: Setup) -> Whole | None:
        """Return the network that came as it is, which stays as long as its points do."""
        return self.learner.whole if setup.dataset in (OWN, TABLE) else None

    # Changes ------------------------------------------------------------------------------------------------

    def set(self, said: m.Set) -> list[Frame]:
        """Change fields of the setup; weights stay wherever their shapes allow."""
        after = changed(self.setup, with_consequences(said.changes, self.learner))
        before, learner = self.setup, self.learner
        differing = {name for name in said.changes if getattr(before, name) != getattr(after, name)}
        if learner.whole is not None and differing & set(FIXED) and "dataset" not in differing:
            raise DataError(line("wholeFixed"))
        if "dataset" in differing or ("seed" in differing) or ("initialization" in differing):
            self._begin(after)
            return self._state(reset=True)
        if differing <= set(VIEW):
            learner.setup = after
            return self._state()
        return self._adopted(
            learner.changed(after, points_for(after, learner) if differing & set(DATA) else None)
        )

    def _adopted(self, learner: Learner, *, reset: bool = False) -> list[Frame]:
        """Go on with a learner that was changed, and show it."""
        self._learner = learner
        self._picture = Picture(learner, self._picture)
        self._pacing.stopped, self._good = None, []
        return self._state(reset=reset)

    def layer(self, said: m.Layer) -> list[Frame]:
        """Put a hidden layer in, or take one out; other weights stay."""
        return self._rebuilt(*with_layer(self.setup, self.learner.labels, said))

    def units(self, said: m.Units) -> list[Frame]:
        """Grow a hidden layer, or take neurons out of it; other weights stay."""
        return self._rebuilt(*with_units(self.setup, self.learner.labels, said))

    def _rebuilt(self, changes: Mapping[str, Any], labels: list[list[Any]]) -> list[Frame]:
        return self._adopted(self.learner.changed(changed(self.setup, changes), after=labels))

    def weight(self, said: m.Weight) -> list[Frame]:
        """Set one weight."""
        weights = self.learner.weights
        matrix = self._layer(weights, said.layer)[0]
        if said.source >= len(matrix) or said.unit >= matrix.shape[1]:
            raise DataError(line("noWeight", layer=said.layer, shape=str(list(matrix.shape))))
        matrix[said.source, said.unit] = said.value
        return self._edited(weights)

    def bias(self, said: m.Bias) -> list[Frame]:
        """Set one bias."""
        weights = self.learner.weights
        bias = self._layer(weights, said.layer)[1]
        if said.unit >= len(bias):
            raise DataError(line("noBias", layer=said.layer, count=len(bias)))
        bias[said.unit] = said.value
        return self._edited(weights)

    def _layer(self, weights: list[Any], layer: int) -> Any:
        if layer >= len(weights):
            raise DataError(line("noLayer", count=len(weights), layer=layer))
        return weights[layer]

    def _edited(self, weights: list[Any]) -> list[Frame]:
        self.learner.set_weights(weights)
        return [self._tick()]

    def points(self, said: m.Paint) -> list[Frame]:
        """Add, move and remove points; the data set becomes own."""
        points = painted(self.learner.points, said)
        setup = changed(self.setup, {"dataset": OWN})
        if points.task != self.learner.points.task:
            setup = changed(setup, {"loss": "auto"})
        return self._adopted(self.learner.changed(setup, points))

    def regenerate(self, said: Nothing) -> list[Frame]:
        """Draw other points; weights stay."""
        seed = f"{Arc4(self.setup.data_seed)():.10f}"  # with fewer digits the same ones soon come again
        return self.set(m.Set(changes={"data_seed": seed}))

    # Tables and files ---------------------------------------------------------------------------------------

    def table(self, said: m.Table) -> list[Frame]:
        """Take a part of a table's file; with the last one its columns are told."""
        if (said.text is None) == (said.base64 is None):
            raise DataError(line("textOrBytes"))
        piece = as_bytes(said.base64) if said.base64 is not None else as_utf8(str(said.text))
        data = self._upload.take(said.name, said.part, said.parts, piece)
        if data is None:
            return []
        self._table = SentTable.read(said.name, data)
        return [self.frame("columns", self._table.described())]

    def target(self, said: m.Target) -> list[Frame]:
        """Learn a column of the table."""
        if self._table is None:
            raise DataError(line("tableFirst"))
        table = self._table.encoded(said.column, said.task, self.setup)
        loss = self.setup.loss if table.points.task == self.learner.points.task else "auto"
        changes = {"dataset": TABLE, "features": list(table.points.inputs), "loss": loss}
        self._begin(changed(self.setup, changes), table.points, table)
        return self._state(reset=True, said=table.said)

    def load(self, said: m.Load) -> list[Frame]:
        """Take a part of a model file; with the last one its network is shown.

        One that cannot be drawn is told of in a `summary`, and what was drawn before stays.
        """
        data = self._upload.take(said.name, said.part, said.parts, as_bytes(said.base64))
        if data is None:
            return []
        model = Model.from_artifact(artifact_from_bytes(data, said.name), said.name)
        try:
            opened = opened_model(model)
        except MinicolumnError as error:
            before = [] if self._is_known else self._state()
            return [*before, self._summary(model, said.name, line_of(error))]
        self._begin(opened.setup, opened.points, opened.table, params=opened.params, whole=opened.whole)
        state = self._state(reset=True, said=opened.said)
        return state if opened.whole is None else [*state, self._summary(model, said.name, opened.said[0])]

    def _summary(self, model: Model, name: str, why: str) -> Frame:
        says, curve = summary_of(model, name, why)
        return self.frame("summary", says, curve=curve)

    def export(self, said: m.Export) -> list[Frame]:
        """Answer with a file."""
        name, kind, data = exported(said.what, self.learner)
        return [self.frame("file", {"name": name, "type": kind}, bytes=np.frombuffer(data, np.uint8))]

    # Looking ------------------------------------------------------------------------------------------------

    def view(self, said: m.View) -> list[Frame]:
        """Draw another plane of the inputs."""
        at = dict(said.at or {})
        check_view(self.learner.points.inputs, said.axes, at)
        self._picture = Picture(self.learner, axes=said.axes, at=at)
        return self._state()

    def watch(self, said: m.Watch) -> list[Frame]:
        """Tell norms of weights and gradients with every tick, or no longer."""
        self._watched = said.norms
        return [self._tick()] if self._learner is not None else []

    def neuron(self, said: m.Neuron) -> list[Frame]:
        """Answer with a neuron's formula and its numbers at a point."""
        return [self.frame("neuron", neuron_formula(self.learner, said.layer, said.unit, said.point))]

    def formula(self, said: m.Formula) -> list[Frame]:
        """Answer whether a text is a formula of the inputs, and how it reads."""
        learner = self.learner
        parsed = formula_of_columns(said.text, learner.points.inputs, learner.column_names)
        return [self.frame("formula", {"text": str(parsed)})]

    # Going on -----------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._pacing.going

    def run(self, said: m.Run) -> list[Frame]:
        """Run, until told or until a goal is reached."""
        self._pacing.start(None if said.epochs is None else self.learner.epoch + said.epochs, said.until)
        return [self._tick()]

    def pause(self, said: Nothing) -> list[Frame]:
        """Stop running."""
        self._pacing.stop()
        return [self._tick()]

    def step(self, said: m.Step) -> list[Frame]:
        """Pause, and go one epoch, or so far; what takes long goes on as a run that ends there."""
        learner, pacing = self.learner, self._pacing
        pacing.stop()
        epochs = said.epochs or 1
        steps = said.steps or learner.steps_to(learner.epoch + epochs)
        if steps * work_of_step(learner.trainer) > AT_ONCE:
            pacing.hurry(learner.step + steps)
            return [self._tick()]
        return [*self._advance({"steps": said.steps} if said.steps else {"epochs": epochs}), self._tick()]

    def speed(self, said: m.Speed) -> list[Frame]:
        """Set how fast it runs."""
        self._pacing.speed, self._pacing.allowance = said.steps_per_second, Allowance()
        return []

    def work(self, seconds: float, draw: bool = True) -> list[Frame]:
        """Train for about so long, and show where it stands then."""
        trainer = self.learner.trainer
        goal = self._pacing.goal(seconds, trainer.seconds_a_step, work_of_step(trainer))
        if goal is None:
            return []
        frames = self._advance(goal)
        return [*frames, self._tick()] if draw or not self.running else frames

    def _advance(self, goal: dict[str, Any]) -> list[Frame]:
        """Train on, no further than the end of the run; what diverged is told."""
        learner, pacing = self.learner, self._pacing
        left = pacing.left(learner.step, learner.steps_to)
        if left is not None and left <= 0:
            pacing.stop(None if pacing.hurried else "all epochs")
            return []
        try:
            learner.advance(most=left, **goal)
        except DivergenceError as error:
            pacing.stop("diverged")
            return [self.frame("diverged", divergence(error, self.setup))]
        if learner.trainer.stopped:
            pacing.stop(learner.trainer.stopped)
        elif pacing.going and pacing.loss is not None and learner.measured()["loss"]["train"] <= pacing.loss:
            pacing.stop("loss reached")
        return []

    def back(self, said: m.Back) -> list[Frame]:
        """Go back to where all was well, and go on from there at half the learning rate, or as is said."""
        learner = self.learner
        good, self._good = self._good[0] if self._good else None, []
        changes = said.changes or {"learning_rate": 0.5 * self.setup.learning_rate}
        setup = changed(self.setup, changes)
        if good is not None:
            learner.trainer.restore(good)
        return self._adopted(learner.changed(setup))

    def reset(self, said: m.Reset) -> list[Frame]:
        """Draw the first weights anew, or take the same again."""
        setup = self.setup if said.same else replace(self.setup, seed=(self.setup.seed + 1) % 2**53)
        self._pacing.stop()
        return self._adopted(self.learner.begun_anew(setup, same=said.same), reset=True)

    # Frames -------------------------------------------------------------------------------------------------

    @property
    def picture(self) -> Picture:
        """What is drawn of the learner."""
        if self._picture is None:
            self._begin(self.setup)
        assert self._picture is not None
        return self._picture

    def _state(self, *, reset: bool = False, said: tuple[str, ...] = ()) -> list[Frame]:
        says, arrays = self.picture.state(with_controls=not self._is_known, hidden=self._hidden)
        self._is_known = True
        says |= {"reset": reset, "said": list(said), "hidden": list(self._hidden)}
        return [self.frame("state", says, **arrays), self._tick()]

    def _tick(self) -> Frame:
        says, arrays = self.picture.tick(norms=self._watched)
        says |= {"running": self.running, "stopped": self._pacing.stopped}
        if self.running:
            self._good = [*self._good, self.learner.trainer.snapshot][-2:]
        return self.frame("tick", says, **arrays)
