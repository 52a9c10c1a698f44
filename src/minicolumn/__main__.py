"""`python -m minicolumn` is the command `minicolumn`."""

from __future__ import annotations

import sys

from minicolumn.cli import main

if __name__ == "__main__":
    sys.exit(main())
