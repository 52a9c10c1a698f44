"""Consistency of a model file: network, loss, table and classes against each other, by shapes alone.

Each field may be whole and yet not fit the others: then a prediction would look up a row that is not there,
or end in an array that has no meaning. All of that is refused as the file is opened.
"""

from __future__ import annotations

from typing import Any

from minicolumn.errors import ModelFileError
from minicolumn.model.card.record import Card
from minicolumn.model.residuals import Residuals
from minicolumn.nn.extent import Extent
from minicolumn.nn.losses import Loss
from minicolumn.nn.outputs import NumberOutputs, Outputs
from minicolumn.tables.encode import Encoder

Shape = tuple[int, ...]


def check_outputs(outputs: Outputs, shape: Shape, training: dict[str, Any]) -> None:
    """Check that a network's outputs are what its loss takes, and that classes are labels.

    shape       of one row of outputs
    training    settings; their "classes", if there are any, are the labels of an estimator, "residuals" the
                quantiles of those of rows held out, "card" what people are told
    Errors      ModelFileError; its text begins with a verb
    """
    if outputs.task == "multiclass" and (len(shape) != 1 or shape[0] < 2):
        raise ModelFileError(f"is damaged: its loss chooses among classes, its network gives {list(shape)}")
    if isinstance(outputs, NumberOutputs) and outputs.describes_one and shape[-1:] != (outputs.width,):
        wanted = f"describes a number by {outputs.width} outputs"
        raise ModelFileError(f"is damaged: its loss {wanted}, its network gives {list(shape)}")
    if training.get("card") is not None:
        Card.from_json(training["card"])
    if training.get("residuals") is not None:
        Residuals.from_json(training["residuals"])
    labels = training.get("classes")
    if isinstance(labels, list) and not all(isinstance(label, str | int | float) for label in labels):
        raise ModelFileError("is damaged: its classes hold something that is no label")


def check_encoder(encoder: Encoder, loss: Loss, input_shape: Shape, found: Extent) -> None:
    """Check that an encoder gives the features and codes that a network takes, and decodes its outputs.

    Errors      ModelFileError; its text begins with a verb
    """
    features = len(encoder.features)
    if input_shape != (features,):
        takes = f"its network takes {list(input_shape)}"
        raise ModelFileError(f"is damaged: its table makes {features} features, {takes}")
    _check_codes(encoder, found)
    _check_target(encoder, loss.outputs, found.output_shape)


def _check_codes(encoder: Encoder, found: Extent) -> None:
    """Check that each embedding, wherever it stands, has a row for each code that the encoder can give."""
    levels = dict(encoder.embeddings)
    for lookup in found.lookups:
        if lookup.is_computed:
            raise ModelFileError(
                "is damaged: its network looks up what it computes, not the codes of its table"
            )
        for column in map(int, lookup.columns):
            if levels.get(column) != lookup.levels:
                raise ModelFileError(
                    f"is damaged: its table and its network differ on the codes of column {column}"
                )


def _check_target(encoder: Encoder, outputs: Outputs, shape: Shape) -> None:
    """Check that the outputs are of the table's classes, or describe its one number."""
    gives = f"its network and loss give {list(shape)} {outputs.kind}"
    if encoder.classes is None:
        if not isinstance(outputs, NumberOutputs) or shape != (outputs.width,):
            raise ModelFileError(f"is damaged: its table has a number to predict, {gives}")
        return
    classes = len(encoder.classes)
    fits = shape == (classes,) or (shape == (1,) and classes == 2)
    if isinstance(outputs, NumberOutputs) or not fits:
        raise ModelFileError(f"is damaged: its table has {classes} classes to predict, {gives}")
