"""Locale formats of numbers: decimal and group marks, units, signs and magnitudes of a column of text.

A column has one form; a cell that is written otherwise is null. Only the digits 0 to 9 are digits.

Differs     pandas takes `thousands` and `decimal` from its caller and knows no units; babel reads by the name
            of a locale and guesses what it cannot read
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minicolumn.errors import DataError
from minicolumn.tables.forms.number_units import (
    MAGNITUDES,
    MARKS,
    anatomy,
    even,
    is_prefix,
    is_suffix,
    number,
)

if TYPE_CHECKING:
    import polars

# What spreadsheets, statistical offices and data bases write for no value, beside `values.MISSING`.
NUMBER_MISSING = frozenset(
    {
        *(
            "..",
            "...",
            "…",
            ":",
            "*",
            "**",
            "***",
            "---",
            "\u2013",
            "\u2014",
            "\u2212",
            "??",
            "???",
            "\\n",
            "{}",
            "[]",
        ),
        *("#na", "#n/a n/a", "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!", "#error!", "#calc!"),
        *("n.a.", "n.a", "n/a.", "na.", "n/d", "nd", "n.d.", "(null)", "(none)", "(na)", "(n/a)", "nil"),
        *("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "1.#snan", "-1.#snan", "1.#inf", "-1.#inf"),
        *("-nan", "+nan", "-nan(ind)", "nan(ind)", "(blank)", "blank", "(empty)", "empty", "undefined"),
        *("unknown", "unk", "missing", "not available", "not applicable", "not known", "no data", "nodata"),
        *("tbd", "tba", "tbc", "x"),
    }
)
_EXAMPLE = re.compile(
    r"(?P<open>\()?(?P<prefix>\D*?)1(?P<group>[,. ']?)234(?P<decimal>[.,])5"
    r"(?P<magnitude>M(?![^\W\d_]))?(?P<behind>-)?(?P<suffix>[^)-]*)(?P<close>\))?"
)


@dataclass(frozen=True, slots=True)
class NumberForm:
    """The locale format of a column of numbers; its `str` is an example, 1234.5 so written ("" if plainly).

        [sign] [prefix] [sign] digits [decimal digits] [e exponent] [magnitude] [-] [suffix]

    decimal     the decimal mark, "." or ","
    group       between groups of three digits: "", ",", ".", " " or "'"; digits may also stand without it
    prefix      the unit before: a currency sign or code ("$", "US$", "EUR"); blanks may follow
    suffix      the unit behind: "%", "€", "kg", "km/h"; blanks may precede. All cells but a bare 0 have it
    parentheses whether (12.30) is -12.30, as accountants write
    magnitudes  whether letters stand for powers of ten: k, M, B or bn, T
    sign_behind whether 12.30- is -12.30, as SAP writes

    Spellings   no-break and thin blanks are blanks, a curved apostrophe is ', a true minus sign is -; a group
                mark "," may also group as in India (12,34,567); "year" is read beside "years"
    Percent     the number as written: 51.2 % is 51.2
    Errors      DataError for marks that are the same, and for what is no unit

    >>> form = NumberForm(decimal=",", group=".", suffix="€")
    >>> str(form), NumberForm.parse("1.234,5 €") == form
    ('1.234,5 €', True)
    >>> import polars
    >>> form.read(polars.Series(["-1.200,50 €", "7€", "1.2 €", "7"])).to_list()
    [-1200.5, 7.0, None, None]
    """

    decimal: str = "."
    group: str = ""
    prefix: str = ""
    suffix: str = ""
    parentheses: bool = False
    magnitudes: bool = False
    sign_behind: bool = False

    def __post_init__(self) -> None:
        """Refuse what no column is written in."""
        if (self.decimal, self.group) not in MARKS:
            raise DataError(
                f"number form: decimal mark {self.decimal!r} and group mark {self.group!r} do not go together"
            )
        if self.prefix and not is_prefix(self.prefix):
            raise DataError(
                f"number form: {self.prefix!r} is no currency sign or code to stand before a number"
            )
        if self.suffix and not is_suffix(self.suffix):
            raise DataError(f"number form: {self.suffix!r} is no unit to stand behind a number")
        if self.parentheses and self.sign_behind:
            raise DataError("number form: a minus stands behind or in parentheses, not both")

    def __str__(self) -> str:
        """Return 1234.5 written in this form, "" for the plain one; `parse` reads it."""
        if self == NumberForm():
            return ""
        before = f"{self.prefix} " if re.search(r"[\w.]$", self.prefix) else self.prefix
        behind = self.suffix if re.match('[%‰"″+°/]|$', self.suffix) else f" {self.suffix}"
        digits = f"1{self.group}234{self.decimal}5{'M' * self.magnitudes}{'-' * self.sign_behind}"
        return f"({before}{digits}{behind})" if self.parentheses else f"{before}{digits}{behind}"

    @classmethod
    def parse(cls, text: str) -> NumberForm:
        """Return the form that an example stands for: 1234.5 written in it, as `str` gives it; "" is plain.

        Errors      DataError, one line, for anything else

        >>> NumberForm.parse("$1,234.5")
        NumberForm(decimal='.', group=',', prefix='$', suffix='', parentheses=False, magnitudes=False, \
sign_behind=False)
        """
        found = _EXAMPLE.fullmatch(text)
        if found:
            form = cls(
                decimal=found["decimal"],
                group=found["group"],
                prefix=found["prefix"].rstrip(" "),
                suffix=found["suffix"].lstrip(" "),
                parentheses=bool(found["open"]),
                magnitudes=bool(found["magnitude"]),
                sign_behind=bool(found["behind"]),
            )
            if str(form) == text:
                return form
        if text in ("", "1234.5"):
            return cls()
        shown = text if len(text) <= 40 else text[:37] + "..."
        raise DataError(
            f"number form {shown!r}: expected 1234.5 as the column writes it, such as "
            "'1,234.5', '1.234,5 €', '$1,234.5', '1234.5%', '(1234.5)' or '1234.5M'; '' is plain"
        )

    def read(self, series: polars.Series) -> polars.Series:
        """Return cells as float64 [rows]; null where missing and where a cell is not written in this form.

        series      strings, or numbers of any type, which have no form; blanks around them do not count.
                    "inf" is infinite in every form, "nan" is null

        >>> import polars
        >>> NumberForm(magnitudes=True).read(polars.Series(["1.6M", "500k", "950", "n/a"])).to_list()
        [1600000.0, 500000.0, 950.0, None]
        """
        import polars

        if self == NumberForm():
            return _read_plain(series)
        text = even(series)
        wrapped = None
        if self.parentheses:
            wrapped = text.str.contains(rf"^{self._before}?\([^()+-][^()-]*\)(?:{self._behind})?$")
            text = text.str.replace_all(r"[()]", "").zip_with(wrapped.fill_null(False), text)
        digits = text.str.extract(self._pattern, 1)
        if self.group:
            digits = digits.str.replace_all(self.group, "", literal=True)
        if self.decimal == ",":
            digits = digits.str.replace(",", ".", literal=True)
        if self.magnitudes:
            for power, words in MAGNITUDES.items():
                digits = digits.str.replace(f" *(?i:{words})$", f"e{power}")
        values = digits.cast(polars.Float64, strict=False)
        negative = text.str.contains("^[^0-9]*-")
        if wrapped is not None:
            negative = negative | wrapped
        if self.sign_behind:
            negative = negative | (text.str.extract(self._pattern, 2) == "-")
        values = (-values).zip_with(negative.fill_null(False), values)
        bare = text.cast(polars.Float64, strict=False)
        bare = bare.set(~(bare.is_infinite() | (bare == 0)), None)
        return values.fill_null(bare.set(bare.is_nan(), None)).rename(series.name)

    @property
    def unit(self) -> str:
        """The unit, before or behind; "" for none."""
        return self.prefix or self.suffix

    @property
    def _before(self) -> str:
        """The regular expression of the prefix and the blanks after it."""
        return f"(?:{re.escape(self.prefix)} *)" if self.prefix else "(?:)"

    @property
    def _behind(self) -> str:
        """The regular expression of the suffix and the blanks before it; "years" also fits "year"."""
        suffix = re.escape(self.suffix)
        if re.search(r"[^\W\d_]{3}s$", self.suffix):
            suffix += "?"
        return f" *{suffix}" if suffix else ""

    @property
    def _pattern(self) -> str:
        """The regular expression of a cell, groups: the number and its magnitude, a minus behind."""
        sign = f"(?:[+-]?{self._before}|{self._before}[+-])" if self.prefix else "[+-]?"
        power = f"(?: *(?i:{'|'.join(MAGNITUDES.values())}))?" if self.magnitudes else ""
        behind = "(-?)" if self.sign_behind else ""
        exponent = not self.magnitudes
        return f"^{sign}((?:{number(self.decimal, self.group, exponent)}){power}){behind}{self._behind}$"


def _read_plain(series: polars.Series) -> polars.Series:
    """Return plainly written numbers: one cast, and a second look at what it left."""
    import polars

    values = series.cast(polars.Float64, strict=False)
    if values.is_nan().any():
        values = values.set(values.is_nan(), None)
    if series.dtype != polars.String or values.null_count() == series.null_count():
        return values
    again = even(series.set(values.is_not_null(), None)).cast(polars.Float64, strict=False)
    return values.fill_null(again.set(again.is_nan(), None))


def looks_numeric(text: str) -> bool:
    """Return whether a text is a number in some form, and hence no way to write a missing value.

    >>> [looks_numeric(text) for text in ("1e5", "1.234,5 €", "(12)", "$3.1M", "2020-01-01", "1.2.3", "B12")]
    [True, True, True, True, False, False, False]
    """
    return anatomy(text) is not None
