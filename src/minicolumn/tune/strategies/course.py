"""The course's way to a topology: coordinate search from small to large, told step by step.

    few neurons, twice as many while it helps -> a layer more while it helps -> the funnel
    -> shorter trainings while they help -> activation, normalization, ramps -> the rates
    -> once more around what was found, in smaller steps
    -> with the time left the same from the recipe's own network, which is large

It helps where the difference to what was kept, fold by fold, is larger than its standard error. A larger
network has to help; one of the same size has to be better, or as good by a shorter training; a smaller one
may be behind the best by one standard error.

Source      coordinate search: Hooke & Jeeves 1961, "Direct search"; few neurons first: Fahlman & Lebiere 1990
Differs     it looks at one part at a time and heeds errors; what two parts do together it may miss, for
            which it begins from two ends
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from typing import Any

from minicolumn.tune.candidate import Candidate
from minicolumn.tune.parts import Choices, Interval, Part, nearest
from minicolumn.tune.strategies.strategy import Ground, Remembering
from minicolumn.tune.trial import Trial, gain, with_error

Values = dict[str, Any]
_ROUNDS = 4  # each takes steps half as far as the one before; smaller ones follow the folds' chance
_PATIENCE = 2  # larger networks in a row that do not help
# Of the parts that are no topology: their names in sentences, in the order in which they are tried.
_RATES = {
    "learning_rate": "learning rate",
    "dropout": "dropout",
    "weight_decay": "weight decay",
    "batch_size": "batch size",
    "schedule": "schedule",
    "optimizer": "optimizer",
    "horizon": "training length",
}
_MANNERS = {"activation": "activation", "normalization": "normalization", "ramps": "ramps"}


@dataclass(frozen=True)
class Way:
    """A candidate of a ladder: the values that it was made of, and what is new in it, in words."""

    values: Values
    candidate: Candidate
    words: str


@dataclass
class Ladder:
    """Candidates that are tried in order, and what has been kept of them.

    title       what is tried, in words; before: what was kept before
    patience    so many in a row that are not kept end it; None tries all
    asked       how many were handed out
    seen        how many were judged, in order
    """

    title: str
    ways: list[Way]
    patience: int | None
    before: Way | None
    kept: Way | None
    asked: int = 0
    seen: int = 0
    in_vain: int = 0

    @property
    def is_over(self) -> bool:
        """Whether all that counts has been judged."""
        return self.seen == len(self.ways) or (self.patience is not None and self.in_vain >= self.patience)


Steps = Generator[Ladder, None, None]


class Course(Remembering):
    """Search as the course teaches it: one thing after the other, from small to large; see the module."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._labels: dict[Candidate, str] = {}
        self._best: Trial | None = None
        self._steps = self._course()
        self._ladder: Ladder | None = next(self._steps)

    # The protocol -------------------------------------------------------------------------------------------

    def ask(self) -> Candidate | None:
        while (ladder := self._ladder) is not None:
            self._judge(ladder)
            if ladder.is_over:
                self._ladder = next(self._steps, None)
                continue
            if ladder.asked == len(ladder.ways):
                return None
            way = ladder.ways[ladder.asked]
            ladder.asked += 1
            if self._is_new(way.candidate):
                self._out.add(way.candidate)
                return way.candidate
        return None

    def finish(self) -> None:
        """Tell how far the step came that the search ended in."""
        ladder = self._ladder
        if ladder is not None:
            self._judge(ladder)
            if ladder.seen:
                self.story.append(f"{ladder.title}. {self._told(ladder)}")
            if len(ladder.ways) > ladder.seen:
                self.story.append("The search ended before this step did.")
        self._ladder = None

    def step_of(self, candidate: Candidate) -> str:
        return self._labels.get(candidate, "")

    # The course ---------------------------------------------------------------------------------------------

    def _course(self) -> Steps:
        """Yield ladder after ladder; each is judged when the next is asked for."""
        kept = yield from self._neurons()
        if kept is None:
            self.story.append("No network of one width could be trained; the search ends here.")
            return
        kept = yield from self._layers(kept)
        kept = yield from self._shapes(kept)
        kept = yield from self._lengths(kept)
        kept = yield from self._others(kept, _MANNERS, 0)
        kept = yield from self._others(kept, _RATES, 0)
        yield from self._around(kept)
        kept = yield from self._other_end()
        if kept is not None:
            kept = yield from self._lengths(kept)
            yield from self._around(kept)
        self.story.append("The course ends here: what smaller steps would change, the folds cannot tell.")

    def _around(self, kept: Way) -> Steps:
        """Try what is around a network, in smaller and smaller steps, until twice nothing is better."""
        for number in range(1, _ROUNDS):
            before = kept
            self.story.append(f"Once more around {kept.candidate.words}, in smaller steps.")
            kept = yield from self._sizes(kept)
            kept = yield from self._others(kept, _MANNERS | _RATES, number)
            if kept is before and number > 1:
                return

    def _other_end(self) -> Generator[Ladder, None, Way | None]:
        """Try the recipe's own network; None where it was tried before, or cannot be trained."""
        way = self._way(dict(self.ground.start), "the recipe's own network")
        if way.candidate in self._known:
            return None
        return (yield from self._climb(f"From the other end: {way.candidate.words}", [way], None))

    def _neurons(self) -> Generator[Ladder, None, Way | None]:
        """Try one hidden layer, or as few as there may be, of more and more neurons."""
        layers = min(_listed(self._part("layers")))
        start = {**self.ground.start, "layers": layers, "shape": "constant"}
        ways = [
            self._way({**start, "width": n}, f"{n} neurons") for n in sorted(_listed(self._part("width")))
        ]
        many = "one hidden layer" if layers == 1 else f"{layers} hidden layers"
        return (yield from self._climb(f"Few neurons first: {many}, wider while it helps", ways, None))

    def _layers(self, kept: Way) -> Generator[Ladder, None, Way]:
        """Try more layers of the width that was kept."""
        more = [n for n in sorted(_listed(self._part("layers"))) if n > kept.candidate.layers]
        ways = [self._way({**kept.values, "layers": n}, f"{n} layers") for n in more]
        return (yield from self._better(f"More layers of {kept.candidate.width}, while it helps", ways, kept))

    def _shapes(self, kept: Way) -> Generator[Ladder, None, Way]:
        """Try layers each smaller than the one before, from the width kept and from the next larger one."""
        shapes = [s for s in _listed(self._part("shape")) if s not in ("constant", "free")]
        wider = [n for n in sorted(_listed(self._part("width"))) if n >= kept.candidate.width][:2]
        if kept.candidate.layers < 2:
            return kept
        ways = [
            self._way({**kept.values, "shape": shape, "width": width}, f"the {shape} from {width}")
            for shape in shapes
            for width in wider
        ]
        return (yield from self._better("Each layer smaller than the one before", ways, kept, None))

    def _lengths(self, kept: Way) -> Generator[Ladder, None, Way]:
        """Try shorter trainings: a rate that has fallen is better than one that is stopped on its way."""
        longest, ways = self.ground.epochs, []
        for share in _shorter(self._part("horizon"), kept.candidate.horizon):
            way = self._way({**kept.values, "horizon": share}, "")
            epochs = way.candidate.epochs(longest)
            ways.append(replace(way, words=f"{epochs} epoch{'s' * (epochs > 1)}"))
        now = kept.candidate.epochs(longest)
        return (yield from self._better(f"Shorter trainings than {now} epochs, while they help", ways, kept))

    def _sizes(self, kept: Way) -> Generator[Ladder, None, Way]:
        """Try the neighbours in width and in depth of what was kept."""
        found = []
        for name, words in (("width", "{} neurons"), ("layers", "{} layers")):
            for value in _neighbours(self._part(name), kept.values[name], 0):
                found.append(self._way({**kept.values, name: value}, words.format(value)))
        return (yield from self._better("A size up and a size down", found, kept, None))

    def _others(self, kept: Way, names: dict[str, str], number: int) -> Generator[Ladder, None, Way]:
        """Try other values of further parts, one part after the other, each from what was kept until then."""
        for name, words in names.items():
            values = _neighbours(self._part(name), kept.values[name], number)
            ways = [self._way({**kept.values, name: v}, f"{words} {_shown(v)}") for v in values]
            title = f"{words[0].upper()}{words[1:]}, now {_shown(kept.values[name])}"
            kept = yield from self._better(title, ways, kept, None)
        return kept

    def _better(
        self, title: str, ways: list[Way], kept: Way, patience: int | None = _PATIENCE
    ) -> Generator[Ladder, None, Way]:
        """Climb a ladder from what was kept; without a rung, stay."""
        return (yield from self._climb(title, ways, kept, patience)) or kept

    def _climb(
        self, title: str, ways: Iterable[Way], kept: Way | None, patience: int | None = _PATIENCE
    ) -> Generator[Ladder, None, Way | None]:
        """Try the candidates of a ladder, return the one that is kept, and tell the story of it."""
        fresh = _without_equals(ways, kept)
        if not fresh or (kept is not None and self._is_settled(fresh, kept)):
            return kept
        for way in fresh:
            self._labels.setdefault(way.candidate, title.partition(",")[0].partition(":")[0])
        ladder = Ladder(title, fresh, patience, kept, kept)
        yield ladder
        self.story.append(f"{title}. {self._told(ladder)}")
        return ladder.kept

    def _is_settled(self, ways: list[Way], kept: Way) -> bool:
        """Return whether all of some candidates were tried before, and none of them would be kept."""
        known = [self._known.get(way.candidate) for way in ways]
        return all(trial is not None and not self._prefers(trial, self._trial(kept)) for trial in known)

    # Judging ------------------------------------------------------------------------------------------------

    def _judge(self, ladder: Ladder) -> None:
        """Judge the candidates that have been told of, in order."""
        while not ladder.is_over and ladder.seen < len(ladder.ways):
            way = ladder.ways[ladder.seen]
            trial = self._known.get(way.candidate)
            if trial is None:
                return
            ladder.seen += 1
            keeps = trial.is_finished and (
                ladder.kept is None or self._prefers(trial, self._trial(ladder.kept))
            )
            if trial.is_finished and (self._best is None or self._ahead(trial, self._best) > 0):
                self._best = trial
            ladder.kept, ladder.in_vain = (way, 0) if keeps else (ladder.kept, ladder.in_vain + 1)

    def _prefers(self, new: Trial, kept: Trial) -> bool:
        """Return whether a trial is kept in place of another: by size, and by the difference's error."""
        if not new.is_finished:
            return False
        better, error = gain(new, kept, self.ground.score)
        if new.parameters > kept.parameters:
            return better > error
        if new.parameters == kept.parameters or self._best is None:
            # As good, to the bit, is a shorter training whose best epoch is before the rate falls.
            return better > 0.0 or (better == 0.0 and new.candidate.horizon < kept.candidate.horizon)
        behind, error = gain(self._best, new, self.ground.score)
        return better > 0.0 or behind <= error

    def _ahead(self, one: Trial, other: Trial) -> float:
        return self.ground.score.sign * (one.score - other.score)

    def _trial(self, way: Way) -> Trial:
        return self._known[way.candidate]

    # Words --------------------------------------------------------------------------------------------------

    def _told(self, ladder: Ladder) -> str:
        """Return what came of a ladder."""
        kept, before = ladder.kept, ladder.before
        if kept is None:
            return "None of them could be trained."
        rest = [way for way in ladder.ways[: ladder.seen] if way is not kept]
        if kept is before:
            others = ", ".join(f"{way.words} {self._by(way, kept)}" for way in rest)
            return f"No help: {others}."
        trial = self._trial(kept)
        scored = f"{self.ground.score.name} {with_error(trial.score, trial.error)}"
        said = f"{kept.words[0].upper()}{kept.words[1:]}: {scored}"
        if before is not None:
            said += f" {self._by(kept, before)}"
        after = [way for way in rest if ladder.ways.index(way) > ladder.ways.index(kept)]
        if after:
            said += (
                f"; no further help from {', '.join(f'{way.words} {self._by(way, kept)}' for way in after)}"
            )
        return f"{said}."

    def _by(self, way: Way, other: Way) -> str:
        """Return by how much one is better than another, in brackets."""
        trial = self._trial(way)
        if not trial.is_finished:
            return f"({trial.state})"
        better, error = gain(trial, self._trial(other), self.ground.score)
        if better == 0.0:
            return "(as good)"
        return f"({'better' if better > 0 else 'worse'} by {with_error(abs(better), error)})"

    # Candidates ---------------------------------------------------------------------------------------------

    def _part(self, name: str) -> Part:
        part = self.ground.space.part(name)
        assert part is not None  # the space is complete
        return part

    def _way(self, values: Values, words: str) -> Way:
        """Return the candidate of some values, each moved to the nearest that its part has."""
        moved = {name: nearest(self._part(name), value) for name, value in values.items()}

        def choose(name: str, part: Part) -> Any:
            return moved[name] if name in moved else nearest(part, moved["width"])

        return Way(moved, self.ground.space.draw(choose), words)


def _without_equals(ways: Iterable[Way], kept: Way | None) -> list[Way]:
    """Return candidates each once, and none that is the one kept."""
    found = {way.candidate: way for way in reversed(list(ways))}
    return [way for way in reversed(found.values()) if kept is None or way.candidate != kept.candidate]


def _neighbours(part: Part, value: Any, number: int) -> list[Any]:
    """Return other values of a part to try: of numbers those beside it, of words all others.

    number      of the round: each goes half as far as the one before
    """
    if isinstance(part, Interval):
        return [found for found in _steps(part, value, 0.5**number) if found != value]
    others = [v for v in part.values if v != value]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in part.values):
        return others if number < 2 else []
    above, below = sorted(v for v in others if v > value), sorted(v for v in others if v < value)
    return [*above[:1], *below[-1:]]


def _shorter(part: Part, value: float) -> list[float]:
    """Return the shares of the epochs below one, the longest first; of an interval by halves."""
    if isinstance(part, Interval):
        return [value / n for n in (2.0, 4.0, 8.0) if value / n in part]
    return sorted((share for share in part.values if share < value), reverse=True)


def _steps(part: Interval, value: float, share: float) -> list[float]:
    """Return a value a step above and one below: a factor of 3, or a fifth of the interval, at share 1."""
    if part.log:
        factor = 3.0**share
        ends = value * factor, value / factor
    else:
        far = 0.2 * share * (part.high - part.low)
        ends = value + far, value - far
    return [_rounded(nearest(part, end)) if end in part else nearest(part, end) for end in ends]


def _rounded(value: float) -> float:
    """Return a number of three digits: more say nothing of a rate."""
    return float(f"{value:.3g}")


def _listed(part: Part) -> tuple[Any, ...]:
    assert isinstance(part, Choices)
    return part.values


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
