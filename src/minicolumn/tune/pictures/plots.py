"""The pictures of a study as its methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from minicolumn.model.files import PathLike
    from minicolumn.tune.study import Study


class Plots:
    """Pictures of a `Study`, by matplotlib (`pip install 'minicolumn[plot]'`).

    path        a file to write, .png, .svg, .pdf ...; None writes none
    axes        of matplotlib, to draw into; None makes a picture of its own
    Returns     the axes
    Errors      DataError for a study in which nothing finished, a file that is no picture, and without
                matplotlib
    """

    def plot_pareto(self: Study, path: PathLike | None = None, axes: Axes | None = None) -> Axes:  # type: ignore[misc]
        """Draw score against parameters: every finished network, and the Pareto front."""
        return _drawn(self, "pareto", path, axes)

    def plot_sizes(self: Study, path: PathLike | None = None, axes: Axes | None = None) -> Axes:  # type: ignore[misc]
        """Draw a map of depth and width: the best score of each size."""
        return _drawn(self, "sizes", path, axes)

    def plot_curves(self: Study, path: PathLike | None = None, axes: Axes | None = None) -> Axes:  # type: ignore[misc]
        """Draw learning curves on the held-out rows: the winner, the best, and where others were pruned."""
        return _drawn(self, "curves", path, axes)

    def plot_importance(self: Study, path: PathLike | None = None, axes: Axes | None = None) -> Axes:  # type: ignore[misc]
        """Draw how much each choice mattered: its share of the scores' variance (fANOVA)."""
        return _drawn(self, "importance", path, axes)

    def plot_topology(self: Study, path: PathLike | None = None, axes: Axes | None = None) -> Axes:  # type: ignore[misc]
        """Draw the winner's layers, unit by unit."""
        return _drawn(self, "topology", path, axes)

    def report(self: Study, path: PathLike) -> None:  # type: ignore[misc]
        """Write all of this as one page of HTML that needs nothing else: pictures, ranking, story."""
        from minicolumn.tune.report import write_report

        write_report(self, path)


def _drawn(study: Study, name: str, path: PathLike | None, axes: Axes | None) -> Axes:
    from minicolumn.tune.pictures.catalogue import drawn

    return drawn(study, name, path, axes)
