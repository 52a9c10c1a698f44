"""Grammar of numbers in text: digits with decimal and group marks, currency signs and codes, units."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars

# Decimal and group marks that go together, the simplest first: of equal fits the first is taken.
MARKS = ((".", ""), (".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"))
# Power of ten: its words in any case, longer ones first.
MAGNITUDES = {3: "k", 6: "mio|mln|mn|m", 9: "bn|mrd|bln|b", 12: "trn|tn|t"}
# Letters that mean a power of ten by themselves; the others (m, t, b) only beside one of these.
SURE_MAGNITUDE = re.compile(r"[kKM]|(?i:mio|mln|mn|bn|mrd|bln|trn|tn)")
_MAGNITUDE = "(?i:" + "|".join(MAGNITUDES.values()) + ")"

CURRENCY_SIGNS = "$¢£¤¥֏؋߾߿৲৳৻૱௹฿៛\u20a0-\u20c0꠸﷼﹩\uff04￠￡￥￦"  # Unicode category Sc
_ISO_4217 = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ
GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP
LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB
PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL
THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL
"""
CURRENCY_CODES = frozenset(_ISO_4217.split())
PREFIX = rf"(?:[A-Z]{{0,2}}[{CURRENCY_SIGNS}]|[A-Z]{{3}}|Rs\.?|kr\.?|Fr\.)"
_WORD = "[A-Za-z\u00c0-\u024fµμΩ]"
_NAME = rf"{_WORD}{{1,10}}[23²³]?"
SUFFIX = rf"""(?:[%‰"″+{CURRENCY_SIGNS}]|°[A-Za-z]?|(?:{_NAME})?/{_NAME}|{_NAME})"""
_ONE_LETTER = frozenset("AVWKNJCFLHTΩmsgthdly")
_ORDINALS_AND_TIMES = """
th st nd rd am pm jan feb mar apr may jun jul aug sep oct nov dec
january february march april june july august september october november december
"""
_NO_UNITS = frozenset(_ORDINALS_AND_TIMES.split()) | {"mn", "mio", "mln", "bn", "mrd", "bln", "trn", "tn"}


def number(decimal: str, group: str, exponent: bool = True) -> str:
    """Return the regular expression of unsigned digits with these marks.

    exponent    whether e5 may follow digits that are not grouped
    """
    d, g = re.escape(decimal), re.escape(group)
    behind = f"(?:{d}[0-9]+)?" if decimal == "," else f"(?:{d}[0-9]*)?"
    power = "(?:[eE][+-]?[0-9]+)?" if exponent else ""
    free = f"(?:[0-9]+{behind}|{d}[0-9]+){power}"
    if not group:
        return free
    grouped = f"[1-9][0-9]{{0,2}}(?:{g}[0-9]{{3}})+{behind}"
    if group == ",":
        grouped += f"|[1-9][0-9]?(?:,[0-9]{{2}})+,[0-9]{{3}}{behind}"
    return f"{grouped}|{free}"


def is_prefix(text: str) -> bool:
    """Return whether a text is a currency sign or code, which may stand before a number."""
    return re.fullmatch(PREFIX, text) is not None and (len(text) != 3 or _is_code(text))


def _is_code(text: str) -> bool:
    """Return whether three characters are a currency code or hold a sign."""
    return text in CURRENCY_CODES or not text.isalpha()


def is_suffix(text: str) -> bool:
    """Return whether a text may be a unit behind a number: no ordinal, month, magnitude or lone letter."""
    if not re.fullmatch(SUFFIX, text):
        return False
    return text in _ONE_LETTER if len(text) == 1 and text.isalpha() else text.lower() not in _NO_UNITS


def even(series: polars.Series) -> polars.Series:
    """Return strings stripped, with plain blanks, apostrophes and minus signs for their typographic kin."""
    text = series.str.strip_chars()
    if (text.str.len_bytes() != text.str.len_chars()).any():
        text = text.str.replace_all("[\u00a0\u202f\u2009\u2007]", " ").str.replace_all("\u2019", "'")
        text = text.str.replace_all("[\u2212\ufe63\uff0d]", "-")
    return text


class Anatomy(NamedTuple):
    """The parts of a number in text: its unit before, its digits with marks, and what follows them."""

    prefix: str
    digits: str
    sign_behind: bool
    wrapped: bool
    magnitude: str
    suffix: str


_ANY = "|".join(dict.fromkeys(number(*marks) for marks in MARKS))
ENDING = rf" *(?:{_MAGNITUDE})? *(?:{SUFFIX})?"
# One text in any form, without its parentheses, for polars and Python.
ANY_FORM = rf"^(?:[+-]?(?:{PREFIX} *)?|{PREFIX} *[+-])(?:{_ANY})(?:{_MAGNITUDE})?-?{ENDING}$"
_PARTS = re.compile(
    rf"(?P<before>[+-]?(?:{PREFIX} *)?|{PREFIX} *[+-])(?P<digits>{_ANY})"
    rf"(?:(?P<magnitude>{_MAGNITUDE})(?=-))?(?P<behind>-)?(?P<ending>{ENDING})"
)
WRAPPED = rf"^(?:{PREFIX} *)?\([^()+-][^()-]*\)[^()]*$"


def anatomy(text: str) -> Anatomy | None:
    """Return the parts of a number in any form, None for what is no number; typographic marks evened.

    >>> anatomy("-$1,200.5M")
    Anatomy(prefix='$', digits='1,200.5', sign_behind=False, wrapped=False, magnitude='M', suffix='')
    """
    text = _even_text(text)
    wrapped = re.fullmatch(WRAPPED[1:-1], text) is not None
    if wrapped:
        text = re.sub("[()]", "", text)
    if re.fullmatch("(?i:[+-]?inf(inity)?)", text):
        return Anatomy("", text, False, False, "", "")
    found = _PARTS.fullmatch(text)
    if not found:
        return None
    prefix = found["before"].strip("+- ")
    ending = _ending(f"{found['magnitude'] or ''} {found['ending']}")
    if (
        (prefix and not is_prefix(prefix))
        or ending is None
        or (wrapped and found["before"][:1] in ("+", "-"))
    ):
        return None
    return Anatomy(prefix, found["digits"], bool(found["behind"]), wrapped, *ending)


def _even_text(text: str) -> str:
    """Return one text as `even` gives it."""
    text = re.sub("[\u00a0\u202f\u2009\u2007]", " ", text.strip()).replace("\u2019", "'")
    return re.sub("[\u2212\ufe63\uff0d]", "-", text)


def _ending(text: str) -> tuple[str, str] | None:
    """Return the (magnitude, unit) that a text behind digits spells: a magnitude where it can be one."""
    text = text.strip(" ")
    if not text:
        return "", ""
    found = re.fullmatch(rf"({_MAGNITUDE})(?: *)(?P<unit>(?![^\W\d_]).*|(?<= ).*)?", text)
    if found and (not found["unit"] or is_suffix(found["unit"])):
        return found[1], found["unit"] or ""
    return ("", text) if is_suffix(text) else None
