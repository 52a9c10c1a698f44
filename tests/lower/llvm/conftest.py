"""Puts this folder's helpers within reach of its tests and of the long scripts alike."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
