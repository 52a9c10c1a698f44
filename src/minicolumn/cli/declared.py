"""Declarative commands: options of a command are fields of a record, each with its setting and its help.

A setting (`minicolumn.registry`) brings the range and the help text, so both are said once for Python and
the command line. typer sees an ordinary signature.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_type_hints

import typer

from minicolumn.registry import REQUIRED, Setting


@dataclass(frozen=True)
class Option:
    """How a field of a record looks on the command line.

    group       heading in the help under which it stands
    metavar     what stands for its value
    default     what is taken where nothing is said, in words
    help        of a field that is no setting; a setting brings its own
    flags       names other than the field's
    argument    whether it is written without a flag, though it may be left out
    """

    group: str
    metavar: str | None = None
    default: str = ""
    help: str = ""
    flags: tuple[str, ...] = ()
    argument: bool = False


class CommandOptions:
    """Base of the records of a command's options; values are checked against their settings.

        clip_norm: Annotated[float | None, Number(help="Longest gradient.", gt=0), Option("Training", "NORM")]

    None stands for an option that was not given.

    Errors      DataError that begins with the option, for a value out of a setting's range
    """

    def __post_init__(self) -> None:
        for name, setting in _settings(type(self)).items():
            value = getattr(self, name)
            if value is not None:  # which stands for nothing said
                setting.required(value, option_name(name))


def option_name(field: str) -> str:
    """Return the flag of a field.

    >>> option_name("clip_norm")
    '--clip-norm'
    """
    return f"--{field.replace('_', '-')}"


def flag_of(kind: Any, field: str) -> str:
    """Return how a field of a record of options is written: its own flag, or the one of its name."""
    hint = get_type_hints(kind, include_extras=True)[field]
    flags = next((part.flags for part in get_args(hint) if isinstance(part, Option)), ())
    return flags[0] if flags else option_name(field)


def as_command(run: Callable[[Any], int], kind: Any, check_room: Callable[[str], None]) -> Callable[..., int]:
    """Return the typer command whose options are the fields of a record.

    run     takes the record, and returns the exit code; its docstring is the command's help
    kind    the record's class, a frozen dataclass; fields without a default are arguments
    check_room  refuses the command, by its name, where a limit on the memory leaves too little for it
    """
    hints, settings = get_type_hints(kind, include_extras=True), _settings(kind)
    parameters = []
    for field in _in_groups(kind, hints):
        plain, *about = get_args(hints[field.name])
        option = next(part for part in about if isinstance(part, Option))
        needed = field.default is dataclasses.MISSING
        parameters.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if needed else field.default,
                annotation=Annotated[plain, _made(option, settings.get(field.name), needed)],
            )
        )

    def command(**said: Any) -> int:
        check_room(f"minicolumn {run.__name__}")
        return run(kind(**said))

    command.__name__, command.__doc__ = run.__name__, run.__doc__
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _in_groups(kind: Any, hints: dict[str, Any]) -> list[dataclasses.Field[Any]]:
    """Return the fields by the groups of their options, in the order of `GROUPS` where the record has one."""
    order = getattr(kind, "GROUPS", ())

    def place(field: dataclasses.Field[Any]) -> int:
        group = next(part.group for part in get_args(hints[field.name]) if isinstance(part, Option))
        return order.index(group) if order else 0

    return sorted(dataclasses.fields(kind), key=place)


def _made(option: Option, setting: Setting | None, needed: bool) -> Any:
    """Return typer's option, or its argument where a value is needed."""
    words = option.help if setting is None else setting.help
    if option.default:
        words += f" [default: {option.default}]"
    make: Any = typer.Argument if needed or option.argument else typer.Option
    return make(*option.flags, metavar=option.metavar, help=words, rich_help_panel=option.group)


def _settings(kind: Any) -> dict[str, Setting]:
    """Return the settings among the annotations of a record's fields, by name."""
    hints = get_type_hints(kind, include_extras=True)
    found = {name: [x for x in get_args(hint) if isinstance(x, Setting)] for name, hint in hints.items()}
    return {name: own[0].bound(name, REQUIRED) for name, own in found.items() if own}
