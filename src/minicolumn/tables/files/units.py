"""Units below the names: a first row that says in what the columns of numbers are measured."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars

_NUMBER = re.compile(r"[-+\u2212]?[$€£]?\s*[0-9][0-9.,\s]*([eE][-+]?[0-9]+)?\s*%?")
_LONGEST = 40  # characters of a number or a unit; longer cells are text, whatever stands in them
_LOOKED_AT = 200  # rows below
_NONE = ("", "-", "\u2013", "n/a", "none")
_WORDS = (
    "nm µm um mm cm dm m km in inch inches ft feet yd mi miles ha acre acres g mg µg ug kg t lb lbs oz "
    "s sec secs second seconds ms us µs min mins minute minutes h hr hrs hour hours d day days "
    "wk week weeks month months yr yrs year years °C °F K C F degC degF deg degrees ° rad % percent pct "
    "Pa hPa kPa MPa bar mbar psi atm mmHg V mV kV A mA W mW kW MW GW Wh kWh MWh J kJ MJ cal kcal "
    "Hz kHz MHz GHz l L ml mL dl dL mol mmol µmol umol M mM dB ppm ppb pH N kN Nm m² m³ m2 m3 km² km2 "
    "cm2 cm3 mph kph kmh knots kn kt rpm bpm USD EUR GBP JPY $ € £ count counts number units pixels px "
    "bytes B KB MB GB ratio index dimensionless unitless"
)
_WORD = "|".join(re.escape(word) for word in sorted(_WORDS.split(), key=len, reverse=True))
_UNIT = re.compile(rf"\s*(?:{_WORD})(?:\s?[-/·*^ ]\s?(?:{_WORD}|-?[0-9])(?:\^?-?[0-9])?)*\s*")
_BRACKETED = re.compile(r"\s*(\([^()]{1,30}\)|\[[^\[\]]{1,30}\]|\{[^{}]{1,30}\})\s*")


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, in any of the usual forms.

    >>> is_number(" -1.234,5 %"), is_number("1 kg")
    (True, False)
    """
    cell = cell.strip()
    return len(cell) <= _LONGEST and _NUMBER.fullmatch(cell) is not None


def without_units(frame: polars.DataFrame) -> tuple[polars.DataFrame, tuple[str, ...]]:
    """Leave out a first row of units, and say so.

    Every cell is in brackets, or a known unit above numbers, or says that there is none; at least one is a
    unit above numbers.
    """
    if frame.width < 2 or frame.height < 3:
        return frame, ()
    units = [(cell or "").strip() for cell in frame.row(0)]
    if not all(unit in _NONE or _is_unit(unit) for unit in units):
        return frame, ()
    measured = 0
    for unit, column in zip(units, frame[1 : 1 + _LOOKED_AT].iter_columns(), strict=True):
        below = [cell for cell in column.to_list() if cell and cell.strip()]
        numeric = bool(below) and all(map(is_number, below))
        if unit not in _NONE:
            measured += numeric
            if not numeric and not _BRACKETED.fullmatch(unit):
                return frame, ()
    if not measured:
        return frame, ()
    shown = ", ".join(repr(unit) for unit in units if unit)[:60]
    return frame[1:], (f"a line of units below the names was left out ({shown})",)


def _is_unit(cell: str) -> bool:
    return len(cell) <= _LONGEST and bool(_BRACKETED.fullmatch(cell) or _UNIT.fullmatch(cell))
