"""Points as a table: an encoder that hands the inputs on as they are, and the schema of `points_to_csv`."""

from __future__ import annotations

from dataclasses import replace

from minicolumn.data.points.points import Points
from minicolumn.tables import Encoder, Schema, infer_schema
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.inputs.scale import Scaler

AS_IT_IS = Scaler(0.0, 1.0, False)
TARGET_NAMES = "class", "target"  # as `points_to_csv` names it


def plain_table(points: Points, as_numbers: bool = False) -> tuple[Encoder, Schema]:
    """Return what reads a table of points: their inputs, unscaled, and the class or the target.

    as_numbers  whether two classes are the numbers -1 and 1

    >>> from minicolumn.data.points.points import make_points
    >>> encoder, schema = plain_table(make_points("xor"))
    >>> encoder.features, encoder.classes, schema.target
    (('x1', 'x2'), ('-1', '+1'), 'class')
    """
    import polars

    y = points.signed if as_numbers else points.y
    words = [points.classes[int(code)] for code in y] if points.classes and not as_numbers else y
    target = TARGET_NAMES[not points.classes]
    frame = polars.DataFrame({**dict(zip(points.inputs, points.X.T, strict=True)), target: words})
    kind = None if points.classes and not as_numbers else "regression"
    schema = infer_schema(frame, target, task=kind)
    encoder = Encoder.fit(frame, schema)
    inputs = tuple(replace(part, scale=AS_IT_IS) for part in encoder.inputs if isinstance(part, NumberInput))
    encoder = replace(encoder, inputs=inputs, classes=points.classes if encoder.classes else None)
    return encoder, replace(schema, classes=encoder.classes or ())
