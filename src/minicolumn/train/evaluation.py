"""Evaluation of a training as it stands: outputs, figures and gradients by the weights of now, its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from minicolumn.errors import DataError
from minicolumn.model.compute import forward
from minicolumn.model.model import Model
from minicolumn.model.rows import check_inputs
from minicolumn.model.scores import MetricLike
from minicolumn.nn.layer import Params
from minicolumn.train.backward import BackwardPass, backward_pass
from minicolumn.train.changes import Changeable
from minicolumn.train.data import check_data, check_shape
from minicolumn.train.run import described
from minicolumn.train.settings import check_settings
from minicolumn.train.types import Inputs

Array = np.ndarray


class Evaluable(Changeable):
    """What of a `Trainer` looks at it and trains nothing."""

    @property
    def model(self) -> Model:
        """Return the model that would be handed back now: the network with `best_params`."""
        return self._model(self.best_params)

    def outputs(self, X: Inputs) -> Array:
        """Return the network's raw outputs with the weights of now, before the output activation of the loss.

        X           [rows, *input_shape]
        Returns     float [rows, outputs]: logits of classes, for example
        Errors      ShapeError for rows of another shape
        Differs     `model.predict` takes the best weights, and gives probabilities
        """
        check_shape("outputs", X, self.input_shape)
        inputs = check_inputs("outputs", X)
        return forward(self.network, None).outputs(self.params, inputs)

    def measure(
        self,
        X: Inputs,
        y: ArrayLike,
        metrics: MetricLike | Sequence[MetricLike] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> dict[str, float]:
        """Evaluate the weights of now on some rows: the loss, and scores as `Model.evaluate` gives them.

        X, y, sample_weight     as for `fit`, with rows of the training's shape
        metrics     names or functions; None takes the usual ones of the loss
        Returns     {"loss": ..., and a score by its name}. Where the loss is an own function its value is
                    given, and own metrics beside it.
        Errors      ShapeError for rows of another shape, DataError for unknown metrics

        >>> import numpy as np, minicolumn as mc
        >>> X, y = np.array([[0.0], [1.0]]), np.array([0, 1])
        >>> sorted(mc.Trainer(mc.nn.Dense(2), X, y).measure(X, y, metrics=["accuracy"]))
        ['accuracy', 'loss']
        """
        s, chosen = self.settings, None if metrics is None else {"metrics": metrics}
        wanted = None if chosen is None else check_settings("measure", chosen, s).metrics
        check_shape("measure", X, self.input_shape)
        held = check_data("measure", self.network, replace(s, metrics=()), X, y, sample_weight)[0]
        run = self.engine.forward
        loss, predicted = run.measured(self.params, held)
        return {"loss": s.factor * loss, **run.scores(predicted, held, wanted)}

    def gradients(
        self, X: Inputs | None = None, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> BackwardPass:
        """Return one forward and backward pass in numbers: activations, pre-activations, gradients, norms.

        X, y        rows to pass, as for `fit`, by the network as it predicts, without dropout and noise. None
                    takes the batch of the next step, with what dropout and noise will draw there. Of a
                    network that ends in `mc.nn.MeanOfMembers` the loss is the members', as in a step
        Returns     a `BackwardPass`; nothing is trained
        Errors      DataError for X without y; ShapeError for rows of another shape

        Compiled once for each network, loss and number of rows, it then takes some tens of microseconds. Of
        another learning rule it still gives the gradient of the loss.

        >>> import numpy as np, minicolumn as mc
        >>> trainer = mc.Trainer(mc.nn.Dense(1), [[1.0], [2.0]], [0.0, 0.0], loss="squared_error")
        >>> trainer.set_params({"weight": [[3.0]], "bias": [0.0]})
        >>> seen = trainer.gradients([[2.0]], [0.0])  # d (w x)^2 / dw = 2 w x^2
        >>> seen.loss, seen.gradients["weight"], seen.layers[0].outputs
        (36.0, array([[24.]], dtype=float32), array([[6.]], dtype=float32))
        """
        s, engine, at = self.settings, self.engine, self._at
        if (X is None) != (y is None):
            raise DataError("gradients: give X and y together, or neither")
        if X is None or y is None:
            rows = engine.piece(at.epoch + 1, at.seen, 1)[0]
            key = engine.step_key(at.step) if self.network.draws or self.network.observes else None
            return backward_pass(self.network, s, self.state.params, self.train_rows.take(rows), rows, key)
        check_shape("gradients", X, self.input_shape)
        given = check_data("gradients", self.network, replace(s, metrics=()), X, y, sample_weight)[0]
        return backward_pass(self.network, s, self.params, given)

    def _model(self, params: Params, stopped: str = "", seconds: float = 0.0) -> Model:
        s = self.settings
        return Model(
            self.network,
            params,
            self.input_shape,
            s.record.name if s.record else "",
            training=described(
                s, epochs=self.epochs, epochs_run=self.epoch, best_epoch=self.best_epoch, stopped=stopped,
                rows=self.rows, seconds=seconds,
            ),
            history=self.history.rows,
            loss_settings=dict(s.record.measured().changed) if s.record else {},
        )  # fmt: skip
