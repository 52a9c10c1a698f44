"""Trained models: predict, evaluate, save and load, from arrays or from raw rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from minicolumn.errors import DataError, ModelFileError, ShapeError, did_you_mean
from minicolumn.lower.alignment import on_cache_lines
from minicolumn.model.artifact import Artifact, check_description, load_artifact, save_artifact
from minicolumn.model.card.derived import card_of
from minicolumn.model.card.record import Card
from minicolumn.model.compute import Forward, dtype_of, forward
from minicolumn.model.files import PathLike, shown
from minicolumn.model.intervals import predicted_interval
from minicolumn.model.members import member_count, smallest
from minicolumn.model.raw_rows import RawRows
from minicolumn.model.residuals import Residuals
from minicolumn.model.rows import check_inputs, check_rows
from minicolumn.model.scores import MetricLike, check_metrics
from minicolumn.nn.layer import Layer
from minicolumn.nn.losses import LOSSES, Loss
from minicolumn.nn.outputs import ClassOutputs, Outputs
from minicolumn.nn.serialize import from_json, to_json
from minicolumn.nn.stacking import quickest
from minicolumn.tree import map_leaves

if TYPE_CHECKING:
    from minicolumn.ir.graph import Graph
    from minicolumn.model.export.export import Exported
    from minicolumn.tables.encode import Encoder
    from minicolumn.tables.schema import Schema

Array = np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Model(RawRows):
    """A trained network: its weights, and the encoder of its table if there was one.

    network     the layers
    params      their weights
    input_shape shape of one input row, without the batch
    loss        name of the loss, which also says how outputs become predictions; "" for an own function
    loss_settings   what of its settings is not at its default, such as delta of huber
    table       what turns raw rows into input rows; None where the network was trained on arrays
    schema      what was found in that table
    training    how it was trained; metrics: how it scored; history: one row an epoch
    data_hash   digest of the training rows, or None

    Methods ending in ``_table`` take raw rows; the others take arrays [rows, *input_shape].

    Differs     a scikit-learn estimator is refitted by `fit` and stored as a pickle; a Model is frozen, and
                its file is safetensors and JSON, which runs nothing when it is opened.

    >>> import minicolumn as mc
    >>> net = mc.nn.Dense(2)
    >>> model = Model(net, net.init(0, (3,)), (3,), "softmax_cross_entropy")
    >>> probabilities = model.predict(np.zeros((4, 3), np.float32))
    >>> probabilities.shape, bool(np.allclose(probabilities.sum(axis=1), 1.0))
    ((4, 2), True)
    """

    network: Layer
    params: Any
    input_shape: tuple[int, ...]
    loss: str = ""
    table: Encoder | None = None
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    data_hash: str | None = None
    schema: Schema | None = None
    loss_settings: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Model({self.network!r}, input_shape={self.input_shape})"

    # What it is ---------------------------------------------------------------------------------------------

    @property
    def card(self) -> Card:
        """What the model is for, its data and how it is made again; see `minicolumn.model.card`.

        Where nobody wrote one, it is what the other fields tell; each file that is saved holds it.
        """
        return card_of(self)

    def with_card(self, card: Card) -> Self:
        """Return the model with a card of one's own, which its file holds and `minicolumn inspect` shows.

        >>> from dataclasses import replace
        >>> import minicolumn as mc
        >>> model = mc.zoo.load("xor")
        >>> model.with_card(replace(model.card, limits="It knows four rows.")).card.limits
        'It knows four rows.'
        """
        return replace(self, training={**self.training, "card": card.to_json()})

    # Arrays -------------------------------------------------------------------------------------------------

    @property
    def loss_record(self) -> Loss | None:
        """The loss with its settings; None for an own function."""
        return Loss(self.loss, **self.loss_settings) if self.loss in LOSSES else None

    @property
    def outputs(self) -> Outputs | None:
        """What the network's outputs mean; None for an own loss function, which does not say."""
        record = self.loss_record
        return None if record is None else record.outputs

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """Return the labels of the classes, in the order of the outputs; None where they have only numbers.

        Models of tables and of `MLPClassifier` know them.
        """
        if self.table is not None:
            return self.table.classes
        listed = self.training.get("classes")
        return tuple(listed) if isinstance(listed, list) else None

    @property
    def predicting(self) -> tuple[Layer, Any]:
        """The network and weights that predict: folded, members side by side; see `nn.stacking`."""
        return self._quick

    @cached_property
    def _quick(self) -> tuple[Layer, Any]:
        """What `predicting` returns, worked out once."""
        network, params = quickest(self.network, self.params)
        return network, params if network is self.network else map_leaves(on_cache_lines, params)

    @cached_property
    def _forward(self) -> Forward:
        return forward(self._quick[0], self.loss_record)

    def _outputs_for(self, X: Array) -> Array:
        return self._forward.outputs(self._quick[1], X)

    def predict(self, X: Any) -> Array:
        """Return the network's outputs after the output activation of the loss.

        These are probabilities after a cross-entropy, focal or divergence loss, margins after a hinge, one
        column for each level after `quantile`, mean and logarithm of the variance after `gaussian_nll`, and
        numbers in the target's unit otherwise.

        X           [rows, *input_shape], any real dtype, or sparse rows of SciPy
        Returns     float [rows, outputs]; float [rows] where the network has one output
        Errors      ShapeError if rows do not have the network's input shape, DataError if X holds no numbers

        Rows are worked on in blocks, so the memory needed beside the result does not depend on their number.
        A row gets the same bits whatever rows stand beside it, in networks of up to 2 MiB of weights.
        """
        out = self._forward.predict_again(self._quick[1], X, self.input_shape)
        return self._forward.predict(self._quick[1], self._inputs("predict", X)) if out is None else out

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """Return prediction intervals: ends between which a share `coverage` of the targets should lie.

        By how far rows that were held out lay from their predictions, where the model knows that
        (`residuals`; of tables it does). Else from what the network has learnt: quantiles at
        (1 - coverage) / 2 and (1 + coverage) / 2 after `quantile`, mean and standard deviation after
        `gaussian_nll`.

        X           as in `predict`
        coverage    0 < coverage < 1, over all rows: not the same for every x
        Returns     [rows, 2], the lower end and the upper
        Errors      DataError where nothing tells an interval of that coverage
        """
        predictions = self._outputs_for(self._inputs("predict_interval", X))
        return predicted_interval(self.outputs, predictions, coverage, self.residuals)

    @property
    def residuals(self) -> Residuals | None:
        """How far rows that were held out lay from their predictions; None where it is not known."""
        told = self.training.get("residuals")
        return None if told is None else Residuals.from_json(told)

    def predictor(self) -> Callable[[Array], Array]:
        """Return a function that predicts one row, for loops where microseconds count.

        Its argument is one row, an array of the input shape. It is fastest where that is contiguous and in
        the dtype of the weights (float32 unless asked otherwise); else it is converted first, or refused. It
        gives an array of [outputs], as `predict` gives for a row, and holds the weights of now: later changes
        of `params` do not matter.

        Differs     `predict` takes any number of rows, [rows, *input_shape], which costs some microseconds
                    more a call. It works on them by eights, so that a row gets the same bits whatever stands
                    beside it; one row alone adds up in another order. The two agree to rounding, about 5e-7
                    in float32, not in bits: with eight rows this would take four times as long.
        Errors      of the function: ShapeError for another shape, DataError for what holds no numbers

        >>> import numpy as np, minicolumn as mc
        >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        >>> net = mc.nn.Sequential(mc.nn.Dense(4, activation="tanh"), mc.nn.Dense(2))
        >>> run = mc.fit(net, X, np.array([0, 1, 1, 0]), epochs=1)
        >>> predict = run.predictor()
        >>> bool(np.allclose(predict(X[1]), run.predict(X)[1]))
        True
        """
        return self._forward.predictor(self._quick[1], self.input_shape)

    @property
    def members(self) -> int:
        """The networks whose predictions are averaged: those of an `mc.nn.Ensemble`, else 1."""
        return member_count(self)

    def smallest(self, within: float = 0.01) -> Model:
        """Return the model with as few members as lose little more than all of them.

            expected loss of the first j members  <=  (1 + within) * that of all

        What is expected was found in the training, by the rows that each member held out; members stand in
        the order in which they were chosen, each the one that helped those before it most.

        within      >= 0: 0.01 allows one per cent more log loss, or squared error
        Errors      DataError for a single network, and where nothing is known of the members
        Source      Caruana et al. 2004; that eight of TabM's 32 members do better than eight trained:
                    Gorishniy, Kotelnikov & Babenko 2024 (arXiv 2410.24210)

        >>> import minicolumn as mc
        >>> model = mc.fit_table("penguins", epochs=6, hidden=16, members=4).model
        >>> model.members > 1, model.smallest(within=10.0).members
        (True, 1)
        """
        return smallest(self, within)

    def graph(self) -> Graph:
        """Return the prediction as a graph for any number of rows, with the weights of now as constants.

            fn(x: f32[batch,features]) -> what `predict` gives, after the output activation of the loss

        The graph of a model of a table takes what its encoder reads out of the rows, f64[batch,columns], as
        ``model.table.read(frame)`` gives it: missing numbers are NaN, categories codes, dates their parts.
        Scaling, indicators and one-hot columns are in the graph; turning text into numbers is not, nor is
        what `predict_table` makes of the outputs: a label, or the target's unit.

        `minicolumn.ir.interpret` runs it for any batch. ``print_graph(graph, constants=None)`` writes it
        whole, and `parse_graph` reads it back.

        >>> import numpy as np, minicolumn as mc
        >>> from minicolumn.ir.interpret import interpret
        >>> net = mc.nn.Sequential(mc.nn.Dense(2, "tanh"), mc.nn.Dense(1))
        >>> model = mc.Model(net, net.init(0, (3,)), (3,), "squared_error")
        >>> print(model.graph())  # doctest: +ELLIPSIS
        predict(x: f32[batch,3]) {
          a: f32[3,2] = const([...
          b: f32[batch,2] = matmul(x, a)...
          return i
        }
        >>> interpret(model.graph())(np.zeros((5, 3), np.float32))[0].shape
        (5,)
        """
        if self.table is None:
            return self._forward.graph(self._quick[1], np.zeros((1, *self.input_shape), self.dtype))
        example = np.zeros((1, len(self.table.columns)))
        return self._forward.graph(self._quick[1], example, self.table.encoded)

    def _inputs(self, who: str, X: Any) -> Array:
        """Return X as numbers of the network's input shape; ShapeError or DataError that names `who`."""
        remedy = () if self.table is None else (f"raw rows of a table are for `{who}_table`",)
        x = check_inputs(who, X, *remedy)
        if x.shape[1:] != self.input_shape:
            expected = f"[{', '.join(map(str, ('rows', *self.input_shape)))}]"
            hint = "; for one row write X[None]" if x.shape == self.input_shape else ""
            raise ShapeError(f"{who}: X has shape {list(x.shape)}, expected {expected}{hint}")
        return x

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the weights, in which the network computes."""
        return dtype_of(self.params)

    def evaluate(
        self, X: Any, y: Any, sample_weight: Any = None, *, metrics: Sequence[MetricLike] | None = None
    ) -> dict[str, float]:
        """Return the loss on some rows, and the scores that go with it.

        X, y            as in `fit`; y may hold labels where `classes` are words, and must where they are
                        numbers other than 0, 1, 2, ...
        sample_weight   [rows], for the loss and for own metrics
        metrics         scores by name, or own functions, as in `fit`; None takes the usual ones
        Returns         {"loss": ..., and for classes accuracy, balanced_accuracy, log_loss, roc_auc;
                        for numbers r2, rmse, mae}; of several boolean targets a row, means over them
        Errors          ShapeError if X and y do not fit each other or the network; DataError for values that
                        cannot be used, and for a model with an own loss function
        """
        record = self.loss_record
        if record is None:
            raise DataError(
                "evaluate: this model was trained with an own loss function, which it does not hold"
            )
        inputs = self._inputs("evaluate", X)
        outputs = self.network.output_shape(self.input_shape)
        wanted = None if metrics is None else check_metrics("evaluate", metrics, record)
        y = np.asarray(y)
        if self.classes is not None and _are_labels(y, self.classes):
            y = _numbers_of(y, self.classes)
        rows = check_rows("evaluate", inputs, y, sample_weight, self.dtype, record.rule, outputs)
        loss, predicted = self._forward.measured(self._quick[1], rows)
        return {"loss": loss, **self._forward.scores(predicted, rows, wanted)}

    # The file -----------------------------------------------------------------------------------------------

    def check_storable(self) -> None:
        """Refuse what no model file could hold, whatever the weights are; DataError says what.

        Nothing is written, and of the weights only the shapes are looked at.
        """
        check_description(self.artifact())

    def save(self, path: PathLike) -> None:
        """Write the model file: the network, its weights and its table's encoder.

        At every instant the path holds the old file or the new one.

        path        usually ending in .safetensors; a file there is replaced
        Errors      DataError, in one line, if the network has own functions or the disk refuses
        """
        if self.loss_record is None:
            raise DataError(
                "save: this model was trained with an own loss function, which a file cannot hold"
            )
        save_artifact(self.artifact(), path)

    def artifact(self) -> Artifact:
        """Return what a file of this model holds."""
        from minicolumn import __version__

        told = "card" in self.training
        training = self.training if told else {**self.training, "card": self.card.to_json()}
        return Artifact(
            network=to_json(self.network),
            input_shape=self.input_shape,
            params=self.params,
            loss=self.loss_record.to_json() if self.loss_record else self.loss,
            table=None if self.table is None else self.table.to_json(),
            schema=None if self.schema is None else self.schema.to_json(),
            training=training,
            metrics=self.metrics,
            history=self.history,
            package=__version__,
            data_hash=self.data_hash,
        )

    def export(
        self, to: str, out: PathLike | None = None, target: str = "", weights: str = ""
    ) -> Exported:  # fmt: skip
        """Write the model in another format, preprocessing included; see `minicolumn.model.export.export`.

        to          "c", "onnx", "js", "html", "numpy", "torch", "sklearn" or "object"
        out         a folder, or a file with the format's suffix
        target      the processor of "object", as LLVM names it; "" is this one
        weights     "int8" stores those of "c" as int8; "" as they are
        Returns     the paths, and by what the export was run on rows whose answers are known
        """
        from minicolumn.model.export.export import export

        return export(self, to, out, target, weights)

    @classmethod
    def load(cls, path: PathLike) -> Model:
        """Read a model file; nothing in it is run.

        A file of `MLPClassifier.save` becomes a `ClassifierModel`, whose `predict` gives labels.

        Errors      ModelFileError, in one line, for anything but a whole and untouched model file
        Differs     `joblib.load` unpickles, which can run anything that the file says
        """
        return cls.from_artifact(load_artifact(path), path)

    @classmethod
    def from_artifact(cls, found: Artifact, path: PathLike) -> Model:
        """Return the model of what a file holds; that of a saved classifier answers with labels.

        path        of the file, for messages
        Errors      ModelFileError, in one line, for labels that do not fit the network
        """
        table = schema = None
        if found.table is not None:
            from minicolumn.tables import Encoder, Schema

            table = Encoder.from_json(found.table)
            schema = None if found.schema is None else Schema.from_json(found.schema)
        loss = Loss.from_json(found.loss)
        try:
            return _kind_of(found, loss)(
                from_json(found.network), found.params, found.input_shape, loss.name, table, found.training,
                found.metrics, found.history, found.data_hash, schema, dict(loss.changed),
            )  # fmt: skip
        except ModelFileError as error:
            raise ModelFileError(f"{shown(path)} {error}") from None


def _kind_of(found: Artifact, loss: Loss) -> type[Model]:
    """Return the class of a model: with labels, if a classifier was saved, fitted here or imported."""
    known = any(isinstance(found.training.get(name), dict) for name in ("fitted", "imported"))
    labelled = known and "class_dtype" in found.training
    if not labelled or found.table is not None or not isinstance(loss.outputs, ClassOutputs):
        return Model
    from minicolumn.model.classifier import ClassifierModel

    return ClassifierModel


def _are_labels(y: Array, classes: tuple[Any, ...]) -> bool:
    """Return whether targets are labels of classes, not already their numbers 0, 1, 2, ..."""
    numbered = all(isinstance(label, int | float) for label in classes)
    return y.dtype.kind not in "fiub" or (numbered and classes != tuple(range(len(classes))))


def _numbers_of(labels: Array, classes: tuple[Any, ...]) -> Array:
    """Return the numbers of labels; DataError for one that is no class."""
    places = {label: place for place, label in enumerate(classes)}
    for label in labels.ravel().tolist():
        if not isinstance(label, Hashable) or label not in places:
            hint = did_you_mean(str(label)[:60], [str(known) for known in classes])
            raise DataError(f"evaluate: y holds {label!r:.60}, which is none of the model's classes{hint}")
    return np.array([places[label] for label in labels.ravel().tolist()], np.int32).reshape(labels.shape)


def load(path: PathLike) -> Model:
    """Load a model from its file: `Model.load`, under the name that goes with `run.save`.

    path        of a file that `Model.save`, an estimator's `save` or `minicolumn train` wrote
    Returns     a `Model`; of `MLPClassifier.save` a `ClassifierModel`, which answers with labels: `predict`,
                `predict_proba`, `classes_`. `MLPClassifier.load` gives the estimator itself
    Errors      ModelFileError, in one line, for anything else

    >>> import pathlib, tempfile, minicolumn as mc
    >>> net = mc.nn.Dense(1)
    >>> model = Model(net, net.init(0, (2,)), (2,), "squared_error")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(pathlib.Path(folder, "m.safetensors"))
    ...     load(pathlib.Path(folder, "m.safetensors")).input_shape
    (2,)
    """
    return Model.load(path)
