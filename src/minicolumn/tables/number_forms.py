from __future__ import annotations

import re
from dataclasses import dataclass

import polars

NUMBER_MISSING = frozenset(
    {"..", ":", "**", "#div/0!", "n.a.", "\\n", "(null)", "–", "unknown", "#na", "1.#ind"}
)
P = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"


@dataclass(frozen=True)
class NumberForm:
    decimal: str = "."
    group: str = ""
    suffix: str = ""

    def __str__(self):
        return (
            ""
            if self == NumberForm()
            else {(".", ","): "1,234.5", (",", ""): "1234,5", (",", "."): "1.234,5"}.get(
                (self.decimal, self.group), "1234.5"
            )
            + self.suffix
        )

    @classmethod
    def parse(cls, t):
        for f in FORMS:
            if str(f) == t:
                return f
        from minicolumn.errors import DataError

        raise DataError(f"unknown form {t!r}")

    def read(self, s):
        if s.dtype == polars.Duration:
            return s.dt.total_microseconds() / 1e6
        if s.dtype != polars.String:
            return s.cast(polars.Float64, strict=False).fill_nan(None)
        t = s.str.strip_chars()
        if self.suffix:
            t = t.str.extract("^(.*)%$").str.strip_chars()
        if self.group:
            bad = t.str.contains(",") & ~t.str.contains(
                r"^[+-]?[0-9]{1,3}(%s[0-9]{3})+([.,][0-9]*)?$" % re.escape(self.group)
            )
            t = t.set(bad.fill_null(False), None).str.replace_all(self.group, "", literal=True)
        if self.decimal == ",":
            t = t.set(t.str.contains(".", literal=True).fill_null(False), None).str.replace(
                ",", ".", literal=True
            )
        low = t.str.to_lowercase()
        t = t.set(
            ~(t.str.contains("^" + P + "$") | low.is_in(["inf", "-inf", "infinity", "+inf"])).fill_null(
                False
            ),
            None,
        )
        return t.cast(polars.Float64, strict=False)


FORMS = [NumberForm(), NumberForm(group=","), NumberForm(","), NumberForm(",", "."), NumberForm(suffix="%")]


@dataclass
class FoundForm:
    form: object
    odd: list
    note: str = ""


def infer_number_form(text, tolerated):
    best = None
    for f in FORMS:
        n = text.len() - f.read(text).null_count()
        if best is None or n > best[0]:
            best = (n, f)
    n, f = best
    if n and text.len() - n <= tolerated * text.len():
        return FoundForm(
            f,
            text.filter(f.read(text).is_null()).unique().to_list(),
            "1,234 is read as 1234" if f.group == "," else "",
        )
    return FoundForm(None, [])


def looks_numeric(t):
    return any(f.read(polars.Series([t])).null_count() == 0 for f in FORMS)


def other_form(text, form):
    for f in FORMS:
        if f.suffix == form.suffix and f.read(text).null_count() == 0 and f != form:
            if text.str.contains(r"^[0-9]+\.[0-9]{3}$").all():
                return None
            return f
    return None
