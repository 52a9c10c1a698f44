"""Puts this folder's helpers, and the maker of small random graphs, within reach of tests and long scripts."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
