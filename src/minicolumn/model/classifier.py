"""Saved classifiers: a `Model` whose `predict` gives the labels it was fitted with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from minicolumn.errors import ModelFileError
from minicolumn.model.model import Model
from minicolumn.nn.outputs import ClassOutputs

Array = np.ndarray
# Of labels: what NumPy may be told to make of a file's JSON values.
_LABEL_DTYPE = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)|object|[<>]U[0-9]{1,4}")
# The width of text says how much memory each label takes, however short it is.
_MAX_BYTES = 256 * 1024**2


@dataclass(frozen=True, eq=False, repr=False)
class ClassifierModel(Model):
    """A model that answers with labels: what `mc.load` makes of a file of `MLPClassifier.save`.

        predict(X)          labels [rows], of the dtype they were fitted with; 0 and 1 of several labels a row
        predict_proba(X)    probabilities [rows, classes], in the order of `classes_`
        classes_            the labels, sorted; of several labels a row, their indices

    Both are the classifier's own, of one network to the bit, without loading scikit-learn. `graph`,
    `predictor` and `evaluate` are those of `Model`: they give and judge the network's outputs.

    Differs     `mc.MLPClassifier.load` of the same file gives the estimator, which can be fitted on

    >>> import pathlib, tempfile, minicolumn as mc
    >>> X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), ["low", "low", "high", "high"]
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "it.safetensors"
    >>> mc.MLPClassifier((4,), solver="lbfgs", random_state=0).fit(X, y).save(path)
    >>> mc.load(path).predict(X).tolist()
    ['low', 'low', 'high', 'high']
    """

    def __post_init__(self) -> None:
        check_label_count(len(self.classes_), self.network.output_shape(self.input_shape), self.multilabel)

    @cached_property
    def classes_(self) -> Array:
        """The labels, in the order of the columns of `predict_proba`."""
        return labels_from_json(self.training)

    @property
    def multilabel(self) -> bool:
        """Whether each row has several labels, of which each is there or not."""
        told = self.training.get("fitted", self.training.get("imported"))
        return isinstance(told, dict) and told.get("multilabel") is True

    def predict(self, X: Any) -> Array:
        """Return the most probable label of each row.

        X           [rows, *input_shape], any real dtype, or sparse rows of SciPy
        Returns     [rows], of the dtype of the labels; of several labels a row, 0 and 1, int [rows, labels]
        Errors      ShapeError if rows do not have the network's input shape, DataError if X holds no numbers
        """
        inputs = self._inputs("predict", X)
        if self.multilabel:
            return (self._forward.outputs(self._quick[1], inputs) > 0.5).astype(int)
        # Of a single class there is but one place, whatever the outputs.
        return self.classes_.take(self._forward.codes(self._quick[1], inputs), mode="clip")

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, [rows, classes], in the order of `classes_`.

        X           as for `predict`
        """
        p = self._forward.outputs(self._quick[1], self._inputs("predict_proba", X))
        if len(self.classes_) == 1 and not self.multilabel:
            return np.ones((len(p), 1), p.dtype)
        outputs = self.outputs
        assert isinstance(outputs, ClassOutputs)  # a file of another loss has no labels
        return outputs.class_scores(p)


def labels_to_json(classes: Array) -> dict[str, Any]:
    """Return labels as entries of a model's `training`: {"classes": [...], "class_dtype": "<U3"}."""
    return {"classes": classes.tolist(), "class_dtype": str(classes.dtype)}


def labels_from_json(training: dict[str, Any]) -> Array:
    """Return the labels that `labels_to_json` wrote, of the dtype that they had.

    Errors      ModelFileError; its text begins with a verb

    >>> labels_from_json(labels_to_json(np.array([3, 5], np.int16)))
    array([3, 5], dtype=int16)
    """
    listed, dtype = training.get("classes"), training.get("class_dtype")
    if not isinstance(listed, list) or not listed:
        raise ModelFileError("is damaged: a classifier without classes")
    if not isinstance(dtype, str) or not _LABEL_DTYPE.fullmatch(dtype):
        raise ModelFileError("is damaged: its labels have no known dtype")
    if np.dtype(dtype).itemsize * len(listed) > _MAX_BYTES:
        raise ModelFileError(f"is damaged: its labels would take more than {_MAX_BYTES:,} bytes")
    try:
        labels = np.array(listed, dtype)
    except (TypeError, ValueError, OverflowError):
        raise ModelFileError(f"is damaged: its classes are not {dtype}") from None
    if labels.ndim != 1 or labels.tolist() != listed:
        raise ModelFileError(f"is damaged: its classes are not {dtype}")
    return labels


def check_label_count(labels: int, outputs: tuple[int, ...], multilabel: bool) -> None:
    """Check that a network has an output for each label, or one for two.

    Errors      ModelFileError; its text begins with a verb
    """
    fits = outputs == (labels,) or (not multilabel and labels <= 2 and outputs in ((1,), (2,)))
    if not fits:
        raise ModelFileError(f"is damaged: it has {labels} labels, its network gives {list(outputs)}")
