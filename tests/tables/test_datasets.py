"""Real tables: kinds, tasks and matrices of the data sets in shared/data agree with their index."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from minicolumn.tables import Encoder, Overrides, infer_schema, read_table, with_target

DATA = Path(__file__).parents[2].parent / "shared" / "data"


@dataclass(frozen=True)
class Expected:
    """What the index says of a data set: kinds by meaning, truths counted as categories."""

    target: str
    task: str
    kinds: dict[str, int]
    odd: dict[str, str] = field(default_factory=dict)  # single columns worth naming
    codes: tuple[str, ...] = ()  # columns that the index calls codes


SETS = {
    "iris": Expected("species", "multiclass", {"number": 4}),
    # The index counts the running number among the numbers; it names rows, so it is dropped.
    "penguins_raw": Expected(
        "Species",
        "multiclass",
        {"number": 6, "category": 4, "datetime": 1, "constant": 2, "identifier": 2, "text": 1},
        {
            "Sample Number": "identifier",
            "Individual ID": "identifier",
            "Comments": "text",
            "Date Egg": "datetime",
        },
    ),
    "arrhythmia": Expected("class", "multiclass", {"number": 198, "category": 64, "constant": 17}),
    "titanic": Expected(
        "Survived",
        "binary",
        {"number": 4, "category": 3, "identifier": 1, "text": 3},
        {"Name": "text", "Ticket": "text", "Cabin": "text", "PassengerId": "identifier"},
        ("Pclass",),
    ),
    "credit_g": Expected("class", "binary", {"number": 7, "category": 13}),
    "concrete_strength": Expected("strength", "regression", {"number": 8}),
    "airfoil_self_noise": Expected("Sound_pressure_level_dB", "regression", {"number": 5}),
    "ames_housing": Expected(
        "SalePrice",
        "regression",
        {"number": 35, "category": 44, "identifier": 2},
        {"MS SubClass": "category", "Order": "identifier", "PID": "identifier", "Pool QC": "category"},
    ),
    "spambase": Expected("class", "binary", {"number": 57}),
    "wine_quality": Expected("quality", "multiclass", {"number": 11, "category": 1}),
    "telco_churn": Expected("Churn", "binary", {"number": 3, "category": 16, "identifier": 1}),
    "higgs_7500": Expected("label", "binary", {"number": 28}),
    "mushroom": Expected("class", "binary", {"category": 21, "constant": 1}, {"veil-type": "constant"}),
    "mammography": Expected("class", "binary", {"number": 6}),
    "bike_sharing_hourly": Expected(
        "cnt",
        "regression",
        {"number": 6, "category": 8, "datetime": 1, "identifier": 1},
        {"instant": "identifier", "dteday": "datetime"},
        ("season", "yr", "mnth", "hr", "weekday", "weathersit"),
    ),
    "letter_recognition": Expected("class", "multiclass", {"number": 16}),
    "california_housing": Expected("median_house_value", "regression", {"number": 8, "category": 1}),
    "electricity": Expected("class", "binary", {"number": 6}),
    "adult_income": Expected("income", "binary", {"number": 6, "category": 8}),
    "diamonds": Expected("price", "regression", {"number": 6, "category": 3}),
    "shuttle": Expected("Class", "multiclass", {"number": 9}),
    "skin_segmentation": Expected("class", "binary", {"number": 3}),
    "nyc_flights_2013": Expected(
        "arr_delay",
        "regression",
        {"number": 12, "category": 4, "datetime": 1, "constant": 1},
        {"tailnum": "category", "time_hour": "datetime", "year": "constant", "flight": "number"},
    ),
    "covertype": Expected("Cover_Type", "multiclass", {"number": 10, "category": 44}),
}


def test_every_table_of_the_index_is_tried() -> None:
    if not DATA.is_dir():
        pytest.skip(f"needs the data sets in {DATA.parent.name}/{DATA.name}")
    assert {path.name.removesuffix(".csv.gz") for path in DATA.glob("*.csv.gz")} == set(SETS)


@pytest.mark.parametrize("name", SETS)
def test_kinds_agree_with_the_index(name: str) -> None:
    path = DATA / f"{name}.csv.gz"
    if not path.is_file():
        pytest.skip(f"needs {path.name} in {DATA.parent.name}/{DATA.name}")
    expected, frame = SETS[name], read_table(path)
    frame = frame.gather_every(8) if frame.height > 200_000 else frame  # the same kinds, in less time
    schema = infer_schema(frame, expected.target, Overrides(category=expected.codes))
    assert schema.task == expected.task
    kinds = {column.name: column.kind for column in schema.columns}
    counted: dict[str, int] = {}
    for kind in kinds.values():
        kind = "category" if kind == "boolean" else kind
        counted[kind] = counted.get(kind, 0) + 1
    assert counted == expected.kinds
    assert {column: kinds[column] for column in expected.odd} == expected.odd

    rows = with_target(frame, schema)
    encoder = Encoder.fit(rows, schema)
    matrix = encoder.transform(rows.head(10_000))
    assert np.isfinite(matrix).all()
    dense = matrix[:, : matrix.shape[1] - len(encoder.embeddings)]
    assert np.abs(dense).max() <= 3  # the smooth clip ends at 3
    target = encoder.encode_target(rows)
    assert len(target) == schema.rows - schema.rows_without_target
    if encoder.classes is None:
        assert abs(target.mean()) < 1e-3  # float32 sum of up to 60,000 rows
    else:
        assert set(np.unique(target)) == set(range(len(encoder.classes)))
