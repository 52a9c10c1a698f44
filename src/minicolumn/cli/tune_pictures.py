"""The report and the pictures of `minicolumn tune`: checked before the search, written after it."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.text import Text

from minicolumn.cli.save import check_writable, file_size
from minicolumn.cli.screen import visible
from minicolumn.cli.tune import TuneOptions
from minicolumn.errors import DataError, reason
from minicolumn.picture import check_file
from minicolumn.tune.pictures.catalogue import PICTURES
from minicolumn.tune.study import Study


def check_pictures(options: TuneOptions, inputs: tuple[str, ...]) -> None:
    """Refuse a report or pictures that could not be written; DataError that names the option."""
    if options.html is not None:
        check_file("--html", None)
        check_writable("--html", options.html, inputs)
    if options.plot is not None:
        check_file("--plot", None)
        check_writable("--plot", os.path.join(_folder(options.plot), "pareto.png"), inputs)


def write_pictures(console: Console, options: TuneOptions, study: Study) -> None:
    """Write what was asked for, and say where it is.

    A picture that the study has too few trials for is left out, and said so.
    """
    if options.html is not None:
        study.report(options.html)
        said = f"  report in {visible(options.html)} ({file_size(options.html)})"
        console.print(Text(said, "dim"), soft_wrap=True)
    if options.plot is not None:
        _write_all(console, options.plot, study)


def _write_all(console: Console, folder: str, study: Study) -> None:
    written = []
    for name in PICTURES:
        path = Path(folder, f"{name}.png")
        try:
            getattr(study, f"plot_{name}")(path)
        except DataError as error:
            console.print(Text(f"  no picture: {error}", "dim"), soft_wrap=True)
        else:
            written.append(path.name)
    console.print(Text(f"  pictures in {visible(folder)}: {', '.join(written)}", "dim"), soft_wrap=True)


def _folder(path: str) -> str:
    """Return a folder, made where there is none; DataError where that cannot be."""
    try:
        os.makedirs(path, exist_ok=True)
    except (OSError, ValueError) as error:
        raise DataError(f"--plot: cannot make the folder {path!r}: {reason(error)}") from None
    return path
