"""The limit that tests set to what they wait for."""

from __future__ import annotations

import time
from typing import Any

import pytest


def test_what_takes_too_long_is_told(within: Any) -> None:
    with within(10.0):
        pass
    # No load stretches a millisecond to this.
    with pytest.raises(AssertionError, match=r"^\d\.\d\d s"), within(0.001):
        time.sleep(0.5)
