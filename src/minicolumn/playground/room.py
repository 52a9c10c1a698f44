"""Rooms: pure experiments that take messages and give frames, and the session that holds a page's rooms.

    {"room": "network", "do": "set", "changes": {...}}  ->  session.receive(message)  ->  [Frame, ...]
    while session.running: session.work(1 / 30)         ->  [Frame, ...]

What a room understands is a closed table: a word, and the record that the rest of the message must fit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from minicolumn.errors import DataError, MinicolumnError
from minicolumn.playground.frames import Frame
from minicolumn.playground.lines import expected, line, line_of, meant
from minicolumn.registry import Integer, Record, settings_of
from minicolumn.registry.record import checked
from minicolumn.registry.setting import REQUIRED

_log = logging.getLogger("minicolumn.playground")


@dataclass(frozen=True, kw_only=True)
class Nothing(Record):
    """A message that is all said by its word."""


@dataclass(frozen=True, kw_only=True)
class Epochs(Record):
    """How far a training goes on."""

    epochs: Annotated[int | None, Integer(help="None runs until told.", ge=1, le=10**6)] = None


class Room:
    """A room: an experiment with a state of its own, moved on by messages and by work.

    name        in messages and frames
    verbs       the words that it understands: each the record of the message, and the method that answers.
                The method takes the record and returns frames

    A room must not know how it is shown, nor by whom: no clock but what `work` gives it, no files, no
    network. The same messages give the same frames, whatever the machine.
    """

    name: ClassVar[str] = ""
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {}

    def receive(self, do: str, said: Mapping[str, Any]) -> list[Frame]:
        """Answer a message.

        do      one of `verbs`
        said    the rest of the message, checked against that verb's record
        Errors  DataError, one line, for an unknown word or field and for a value that will not do
        """
        if not isinstance(do, str) or do not in self.verbs:
            short = str(do)[:60]
            hint = meant(short, self.verbs, listed=True)
            raise DataError(line("noVerb", room=self.name, word=repr(short), hint=hint))
        kind, method = self.verbs[do]
        settings = settings_of(kind)
        read = {name: settings[name].from_json(v) if name in settings else v for name, v in said.items()}
        values = checked(f"{self.name}: {do}", settings, read)
        for name, setting in settings.items():
            if name not in values and setting.default is REQUIRED:
                raise DataError(
                    line("missing", room=self.name, word=do, name=name, expected=expected(setting))
                )
        answer: Callable[[Any], Sequence[Frame]] = getattr(self, method)
        return list(answer(kind(**values)))

    @property
    def running(self) -> bool:
        """Whether `work` has anything to do."""
        return False

    def work(self, seconds: float, draw: bool = True) -> list[Frame]:
        """Go on for about so long, and return what is to be seen then; called while `running`.

        draw    whether a tick is wanted; where not, only what must not be missed is returned: that it
                stopped (its last tick too), that it diverged
        """
        return []

    def frame(self, kind: str, says: Mapping[str, Any] | None = None, **arrays: Any) -> Frame:
        """Return a frame of this room."""
        return Frame(self.name, kind, says or {}, arrays)


class Session:
    """The rooms of one page, each made when it is first spoken to; a message that fails changes nothing.

    rooms       what makes each room, by name
    about       what `hello` says beside the names of the rooms
    opening     messages that whoever started the session has for a page, done when it says `opening`

    An error of our own, in a room, is logged with its traceback and said in one line; the session lives on.

    >>> session = Session({})
    >>> session.receive({"room": "attic", "do": "open"})[0].says["message"]
    "there is no room 'attic'"
    """

    def __init__(
        self,
        rooms: Mapping[str, Callable[[], Room]],
        about: Mapping[str, Any] | None = None,
        opening: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._made_by, self._about, self._opening = dict(rooms), dict(about or {}), tuple(opening)
        self._rooms: dict[str, Room] = {}
        self._halted: set[str] = set()  # rooms that failed as they worked, until they are spoken to again

    def receive(self, message: Any) -> list[Frame]:
        """Answer a message of the page; what is wrong with it becomes an "error" frame.

        message     {"room": name, "do": word, "id": any number, ...}; frames that answer it carry the id
        """
        said = dict(message) if isinstance(message, Mapping) else {}
        room, do, number = said.pop("room", None), said.pop("do", None), said.pop("id", None)
        number = number if isinstance(number, int) and abs(number) < 2**53 else None
        name = room if isinstance(room, str) and room in self._made_by else ""
        try:
            if not isinstance(message, Mapping):
                raise DataError(line("noObject"))
            frames = self._answers(room, do, said)
        except Exception as error:
            frames = [failure(name, error, str(do)[:60])]
        if number is None:
            return frames
        return [Frame(f.room, f.kind, {**f.says, "id": number}, f.arrays) for f in frames]

    def _answers(self, room: Any, do: Any, said: dict[str, Any]) -> list[Frame]:
        if room is None and do == "hello":
            names = list(self._made_by)
            return [Frame("", "hello", {"rooms": names, "opening": len(self._opening), **self._about})]
        if room is None and do == "opening":
            return self._opened()
        found = self._room(room)
        self._halted.discard(found.name)
        return found.receive(do, said)

    def _opened(self) -> list[Frame]:
        """Do the opening messages; return what answers the last one, or the first one that is refused.

        A page that is told of a table's columns asks which one to learn; here the target follows.
        """
        frames: list[Frame] = []
        for message in self._opening:
            frames = self.receive(message)
            if any(frame.kind == "error" for frame in frames):
                break
        return frames

    def _room(self, name: Any) -> Room:
        if not isinstance(name, str) or name not in self._made_by:
            short = str(name)[:60]
            raise DataError(line("noRoom", name=repr(short), hint=meant(short, self._made_by)))
        if name not in self._rooms:
            self._rooms[name] = self._made_by[name]()
        return self._rooms[name]

    def _at_work(self) -> list[Room]:
        return [room for room in self._rooms.values() if room.name not in self._halted and room.running]

    @property
    def running(self) -> bool:
        """Whether any room goes on by itself."""
        return bool(self._at_work())

    def work(self, seconds: float, draw: bool = True) -> list[Frame]:
        """Let the rooms that run go on, for about so long in all; one that fails halts until it is spoken to.

        draw    whether ticks are wanted, as in `Room.work`
        """
        running = self._at_work()
        frames: list[Frame] = []
        for room in running:
            try:
                frames += room.work(seconds / len(running), draw)
            except Exception as error:
                self._halted.add(room.name)
                frames.append(failure(room.name, error, "work"))
        return frames


def failure(room: str, error: Exception, do: str) -> Frame:
    """Return what went wrong as an "error" frame; what was not raised on purpose is logged with its lines."""
    if isinstance(error, MinicolumnError):
        return Frame(room, "error", {"message": line_of(error), "do": do})
    _log.error("the room %r met an error of its own at %r", room, do, exc_info=error)
    ours = line("ourFault", kind=type(error).__name__, word=repr(do))
    return Frame(room, "error", {"message": ours, "do": do, "fault": True})
