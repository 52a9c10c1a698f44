"""Usage errors: typer's complaints about options and arguments as one line with a hint."""

from __future__ import annotations

from typing import Any

import typer

from minicolumn.errors import did_you_mean

# Where the base of typer's errors lives depends on its version; its name does not.
USAGE_ERROR: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)


def usage_line(error: Any) -> str:
    """Return one line on a misused option or argument, with the nearest option or where to read more."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "minicolumn"
    what = _what(error, context)
    return what if what.endswith("?") else f"{what}; see {path} --help"


def _what(error: Any, context: Any) -> str:
    """Return what is wrong, by the type of typer's error."""
    kind = type(error).__name__
    if kind == "NoSuchOption":
        return f"unknown option {error.option_name!r}{did_you_mean(error.option_name, _options(context))}"
    if kind == "MissingParameter" and error.param is not None:
        return f"{_name(error.param)} is missing"
    if kind == "BadParameter" and error.param is not None:
        return f"{_name(error.param)}: {_expected(error.message)}"
    if kind == "BadOptionUsage":
        return f"{error.option_name} needs a value"
    return _soft(error.format_message())


def _expected(message: str) -> str:
    """Return what a value should have been; versions of typer say it in different words."""
    for word, expected in (("integer", "an integer"), ("number", "a number"), ("float", "a number")):
        if f"valid {word}" in message:
            return f"expected {expected}"
    return _soft(message)


def _options(context: Any) -> list[str]:
    """Return every flag of the command that was called."""
    return [] if context is None else [name for param in context.command.params for name in param.opts]


def _name(param: Any) -> str:
    """Return a parameter as it is written on the command line."""
    longest = max(param.opts, key=len)
    return longest if longest.startswith("-") else (param.metavar or longest.upper())


def _soft(message: str) -> str:
    """Return a message without its full stop and its capital, as ours are."""
    text = message.strip().removesuffix(".")
    return text[:1].lower() + text[1:]
