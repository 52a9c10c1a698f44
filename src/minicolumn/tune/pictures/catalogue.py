"""The pictures of a study by name, and how one is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minicolumn.errors import DataError
from minicolumn.picture import check_file, new_axes, save
from minicolumn.tune.pictures.learning import draw_curves
from minicolumn.tune.pictures.pareto import draw_pareto
from minicolumn.tune.pictures.sizes import draw_sizes
from minicolumn.tune.pictures.topology import draw_topology
from minicolumn.tune.pictures.weights import draw_importance

if TYPE_CHECKING:
    from minicolumn.tune.study import Study


@dataclass(frozen=True)
class Picture:
    """A picture of a study.

    draw        draws it into axes; DataError where the study does not have what it shows
    width, height   of a picture of its own, in inches
    """

    draw: Callable[[Any, Study], None]
    width: float = 7.2
    height: float = 4.6


PICTURES = {
    "pareto": Picture(draw_pareto),
    "sizes": Picture(draw_sizes, 7.2, 3.9),
    "curves": Picture(draw_curves),
    "importance": Picture(draw_importance, 7.2, 3.6),
    "topology": Picture(draw_topology, 7.2, 4.4),
}


def drawn(study: Study, name: str, path: Any = None, axes: Any = None) -> Any:
    """Draw a picture of a study into axes, or one of its own, write it on request, and return the axes.

    Errors      DataError for a study in which nothing finished, for a file that is no picture, and where
                matplotlib is not installed
    """
    check_file(f"Study.plot_{name}", path)
    if study.winner is None:
        raise DataError(f"Study.plot_{name}: {study.why_no_winner()}")
    picture = PICTURES[name]
    into = new_axes(picture.width, picture.height) if axes is None else axes
    try:
        picture.draw(into, study)
    except DataError as error:
        raise DataError(f"Study.plot_{name}: {error}") from None
    if path is not None:
        save(into, path)
    return into
