"""Identifier detection: columns that name or count the rows, by their names and by their values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars

MANY_LEVELS = 20  # a column of words with fewer levels is a category however few its rows
FEW_ROWS = 10  # below, nothing is an identifier or free text for being all different
COUNTS = "counts the rows"  # the one reason that is no proof: where nothing else is left, it is learnt from

_THINGS = r"sample|record|row|serial|case|subject|patient|customer|passenger|order|invoice|account|entry|item"
_NAMED_ID = re.compile(
    rf"(^|.* )(id|ids|uuid|guid|uid|pid|rowid|rownames?|identifier|({_THINGS}) (number|no|nr|num|index|key))$"
)
_NAMED_ORDER = re.compile(r"(^|.* )(number|no|nr|num|key|index|idx|order|instant|code|level \d+)$")
_NAMED_NOTES = re.compile(
    r"(^|.* )(comments?|notes?|remarks?|descriptions?|text|free ?text|message|abstract)$"
)
# What pandas calls an index that it writes as a column: to_parquet, to_csv, and read_csv of that.
_NAMED_INDEX = re.compile(r"^(__index_level_\d+__|Unnamed: ?\d+(\.\d+)*)$")
_QUANTITY = re.compile(
    r"(^|.* )(x|t|time|times|timestamp|epoch|seconds?|secs?|minutes?|hours?|days?|weeks?|months?|years?|yrs?|"
    r"age|ages|date|elapsed|distance|length|width|height|depth|size|area|volume|weight|mass|dose|amount|price|"
    r"cost|income|salary|speed|velocity|temp|temperature|pressure|voltage|current|power|energy|angle|"
    r"frequency|concentration|score|rate|steps?|position|lat|latitude|lon|lng|longitude|altitude|km|cm|mm|kg)$"
)
_CODES = re.compile(
    r"(^|.* )(zip|zipcode|zip code|plz|postal|postcode|postal code|fips|code|codes|sku|ean|isbn|naics|sic|"
    r"icd|iata|airport|store|shop|product|item|station|device|user|customer|region|district|county|state|id)$"
)


def words_of(name: str) -> str:
    """Return a column's name as lower-case words: camel case is split, marks become blanks.

    >>> words_of("customerID"), words_of("customer_id")
    ('customer id', 'customer id')
    """
    split = re.sub(r"([a-z\d])([A-Z])", r"\1 \2", name)
    return re.sub(r"[\W_]+", " ", split).strip().lower()


def is_index_name(name: str) -> bool:
    """Return whether a name is one that pandas gives to an index when it writes it as a column.

    >>> is_index_name("Unnamed: 0.1"), is_index_name("index of refraction")
    (True, False)
    """
    return bool(_NAMED_INDEX.match(name)) or not name.strip()


def is_quantity_name(name: str) -> bool:
    """Return whether a name is that of something measured, which may well grow by one a row.

    >>> is_quantity_name("hour"), is_quantity_name("row")
    (True, False)
    """
    return bool(_QUANTITY.match(words_of(name)))


def is_code_name(name: str) -> bool:
    """Return whether integers of this name are most often codes.

    >>> is_code_name("zipcode"), is_code_name("price")
    (True, False)
    """
    return bool(_CODES.match(words_of(name)))


def counts_rows(name: str, known: polars.Series, distinct: int, rows: int) -> str:
    """Return why integers identify the rows rather than measure something, or "".

    known       the values that are there; distinct: how many differ; rows: of the table
    """
    words = words_of(name)
    if is_index_name(name) and rows > 1:
        return "an index that a data frame was written with"
    if distinct == rows and rows > 1:
        if _NAMED_ID.match(words) or _NAMED_ORDER.match(words):
            return "named like an identifier, and every value is different"
        low, high = float(known.min()), float(known.max())  # type: ignore[arg-type]
        counts = high - low == rows - 1 and (low in (0, 1) or known.is_sorted())
        return COUNTS if counts and rows >= FEW_ROWS else ""
    if _NAMED_ID.match(words) and distinct > max(MANY_LEVELS, len(known) // 4):
        return f"named like an identifier, {distinct:,} different values"
    return ""


def names_rows(
    name: str, known: polars.Series, distinct: int
) -> tuple[Literal["identifier", "text"], str] | None:
    """Return the kind of words that identify rows or are free text, and the reason; None for a category.

    Text has 2.5 words and more a cell on average, or levels for more than half of the rows.
    """
    words = words_of(name)
    spaces = float(known.str.count_matches(r"\S+").mean() or 0)  # type: ignore[arg-type]
    seen = f"{distinct:,} different values in {len(known):,} rows"
    if distinct == len(known) >= FEW_ROWS:
        return ("text", f"free text, {seen}") if spaces >= 2.5 else ("identifier", "every value is different")
    if _NAMED_ID.match(words) and distinct > max(MANY_LEVELS, len(known) // 4):
        return "identifier", f"named like an identifier, {seen}"
    if _NAMED_NOTES.match(words) and spaces >= 2.5:
        return "text", f"free text, {seen}"
    if distinct > MANY_LEVELS and (
        distinct > len(known) // 2 or (spaces >= 4 and distinct > len(known) // 5)
    ):
        return "text", f"{seen}, too many for a category"
    return None
