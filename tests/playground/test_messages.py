"""Random and mutated messages, the short form of long_messages.py; and what no frame can hold."""

from __future__ import annotations

import numpy as np
import pytest
from long_messages import UNKIND, campaign
from message_samples import vocabulary
from page_samples import CountingRoom, counting_session

from minicolumn.errors import DataError
from minicolumn.playground.frames import Frame, decoded, encoded


def test_no_message_harms_a_session() -> None:
    kinds = campaign(counting_session, vocabulary({"counting": CountingRoom}, UNKIND), 5_000, seed=0)
    assert kinds["error"] > 1_000
    assert kinds["state"] > 500
    assert kinds["tick"] > 0
    assert CountingRoom.alive <= 1


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex64", "float16", "<U3", ">f8"])
def test_an_array_that_a_page_has_no_view_of_is_no_frame(dtype: str) -> None:
    with pytest.raises(TypeError, match="state: rows: arrays are uint8, int32, float32, float64, not"):
        encoded(Frame("counting", "state", {}, {"rows": np.zeros(2, dtype)}))


def test_what_is_cut_off_is_no_frame() -> None:
    whole = encoded(Frame("counting", "state", {"count": 3}, {"rows": np.arange(5, dtype=np.int32)}))
    assert decoded(whole).arrays["rows"].tolist() == [0, 1, 2, 3, 4]
    for length in range(len(whole) - 4):  # the last four bytes are padding
        with pytest.raises(DataError, match="this is no frame"):
            decoded(whole[:length])
