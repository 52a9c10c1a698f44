"""Puts the helpers of this folder, and of the one above, within reach of its tests and long scripts."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
