"""Rooms: pure experiments that take messages and give frames, and the session that holds a page's rooms.

    {"room": "network", "do": "set", "changes": {...}}  ->  session.receive(message)  ->  [Frame, ...]
    while session.running: session.work(1 / 30)         ->  [Frame, ...]

What a room understands is a closed table: a word, and the record that the rest of the message must fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from minicolumn.errors import DataError, MinicolumnError, did_you_mean
from minicolumn.playground.frames import Frame
from minicolumn.registry import Record, settings_of
from minicolumn.registry.record import checked
from minicolumn.registry.setting import REQUIRED

M = TypeVar("M", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Nothing(Record):
    """A message that is all said by its word."""


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
            hint = did_you_mean(str(do)[:60], self.verbs) or f"; there are {', '.join(self.verbs)}"
            raise DataError(f"{self.name}: there is no {str(do)[:60]!r}{hint}")
        kind, method = self.verbs[do]
        settings = settings_of(kind)
        read = {name: settings[name].from_json(v) if name in settings else v for name, v in said.items()}
        values = checked(f"{self.name}: {do}", settings, read)
        for name, setting in settings.items():
            if name not in values and setting.default is REQUIRED:
                raise DataError(f"{self.name}: {do}: {name} is missing: expected {setting.expected}")
        answer: Callable[[Any], Sequence[Frame]] = getattr(self, method)
        return list(answer(kind(**values)))

    @property
    def running(self) -> bool:
        """Whether `work` has anything to do."""
        return False

    def work(self, seconds: float) -> list[Frame]:
        """Go on for about so long, and return what is to be seen then; called while `running`."""
        return []

    def frame(self, kind: str, says: Mapping[str, Any] | None = None, **arrays: Any) -> Frame:
        """Return a frame of this room."""
        return Frame(self.name, kind, says or {}, arrays)


class Session:
    """The rooms of one page, each made when it is first spoken to; a message that fails changes nothing.

    rooms   what makes each room, by name

    >>> session = Session({})
    >>> session.receive({"room": "attic", "do": "open"})[0].says["message"]
    "there is no room 'attic'"
    """

    def __init__(self, rooms: Mapping[str, Callable[[], Room]]) -> None:
        self._made_by = dict(rooms)
        self._rooms: dict[str, Room] = {}

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
                raise DataError("a message is an object with room and do")
            frames = self._room(room).receive(do, said)
        except MinicolumnError as error:
            frames = [Frame(name, "error", {"message": str(error), "do": str(do)[:60]})]
        if number is None:
            return frames
        return [Frame(f.room, f.kind, {**f.says, "id": number}, f.arrays) for f in frames]

    def _room(self, name: Any) -> Room:
        if not isinstance(name, str) or name not in self._made_by:
            short = str(name)[:60]
            raise DataError(f"there is no room {short!r}{did_you_mean(short, self._made_by)}")
        if name not in self._rooms:
            self._rooms[name] = self._made_by[name]()
        return self._rooms[name]

    @property
    def running(self) -> bool:
        """Whether any room goes on by itself."""
        return any(room.running for room in self._rooms.values())

    def work(self, seconds: float) -> list[Frame]:
        """Let the rooms that run go on, for about so long in all."""
        running = [room for room in self._rooms.values() if room.running]
        frames: list[Frame] = []
        for room in running:
            try:
                frames += room.work(seconds / len(running))
            except MinicolumnError as error:
                frames.append(room.frame("error", {"message": str(error), "do": "work"}))
        return frames
