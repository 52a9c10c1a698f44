"""Small tables shared by the tests of this stage."""

from __future__ import annotations

import sys
from pathlib import Path

import polars
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # puts this folder's helpers within reach of its tests


@pytest.fixture
def zoo() -> polars.DataFrame:
    """A table of raw text with every kind of column, 24 rows."""
    rows = range(24)
    return polars.DataFrame(
        {
            "weight (kg)": ["?" if i == 3 else f"{1.5 * i:.1f}" for i in rows],
            "legs": [str(2 * (i % 3)) for i in rows],
            "colour": [("red", "blue", "NA", "green")[i % 4] for i in rows],
            "home": [f"place {i % 12}" for i in rows],
            "tame": [("yes", "no")[i % 2] for i in rows],
            "sex": [("MALE", "FEMALE")[i // 3 % 2] for i in rows],
            "born": [f"2020-{i % 12 + 1:02d}-{i + 1:02d}" for i in rows],
            "animal_id": [f"x{i * 7}" for i in rows],
            "planet": ["earth" for _ in rows],
            "nothing": ["" for _ in rows],
            "remarks": [f"seen near the {('lake', 'hill')[i % 2]} today" for i in rows],
            "kind": [("cat", 'a "big" dog', "cow")[i % 3] for i in rows],
        }
    )
