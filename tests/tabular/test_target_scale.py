"""Targets of many magnitudes: the scale that fits held-out rows is taken, said, and undone afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.tables import Encoder, infer_schema

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 600))
FRAME = polars.DataFrame(
    {"a": A, "b": B, "wide": np.exp(2 * A + B), "signed": np.sinh(3 * A), "even": 3 * A + B}
)
QUICK: dict[str, Any] = {"hidden": (32,), "epochs": 30, "dropout": 0.0}


def run(target: str, **said: Any) -> Any:
    others = [name for name in ("wide", "signed", "even") if name != target]
    return mc.fit_table(FRAME, target, drop=others, **QUICK, **said)


@pytest.mark.parametrize("target", ["wide", "signed"])
def test_many_magnitudes_are_learnt_on_the_scale_that_fits(target: str) -> None:
    by_itself, linear = run(target), run(target, target_scale="linear")
    assert by_itself.metrics["rmse"] < linear.metrics["rmse"]
    assert [remark.about for remark in by_itself.remarks] == ["scale"]
    assert by_itself.model.table.target_unit > 0 == linear.model.table.target_unit
    assert linear.remarks == ()


def test_even_numbers_stay_as_they_are() -> None:
    assert run("even").model.table == run("even", target_scale="linear").model.table


def test_what_is_predicted_is_in_the_unit(tmp_path: Any) -> None:
    found = run("wide", target_scale="asinh")
    found.save(tmp_path / "m.safetensors")
    model = mc.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(model.predict_table(FRAME), found.predict(FRAME))
    encoder: Encoder = model.table  # type: ignore[assignment]
    y = FRAME["wide"].to_numpy()
    # float32 on a scale of up to 8 deviations: some 8 * 2**-24 of asinh(y / unit), as much of y or unit
    atol = 1e-5 * encoder.target_unit
    np.testing.assert_allclose(encoder.in_unit(encoder.encode_target(FRAME)), y, rtol=1e-5, atol=atol)
    assert np.isfinite(encoder.in_unit(np.array([-30, 30], np.float32))).all()
    assert (
        encoder.decode_target(np.array([1e30], np.float32)).item()
        == y[np.isin(y, [encoder.target_high])].item()
    )


def test_a_scale_that_cannot_be() -> None:
    with pytest.raises(DataError, match="target_scale: unknown scale 'log'"):
        run("wide", target_scale="log")
    with pytest.raises(DataError, match="asinh is for numbers, with the default loss"):
        run("wide", target_scale="asinh", loss="huber")
    schema = infer_schema(FRAME, "wide")
    state = Encoder.fit(FRAME, schema).to_json() | {"target_unit": -1.0}
    with pytest.raises(mc.ModelFileError):
        Encoder.from_json(state)
