"""A setting, once: what it may be, how it is written, and the registries of what can be named.

A setting (type, range, default, help) is declared where it is used, as an annotation of a record's field or a
function's keyword. A registry holds what can be asked for by name. The text of the command line, the JSON of
model files, the ranges of tuners, the controls of a screen and the lines of a help page are views of the two.
"""

from minicolumn.registry.catalogue import Registry
from minicolumn.registry.composite import Custom, Listed, Part
from minicolumn.registry.entries import function_alone, is_function, kind_of
from minicolumn.registry.numbers import Integer, Number, is_on
from minicolumn.registry.record import Record, checked, is_plain, refuse, settings_of, settle
from minicolumn.registry.rule import FunctionRule, Rule
from minicolumn.registry.setting import REQUIRED, Search, Setting, changed, show
from minicolumn.registry.text import read_text, split_texts, write_text
from minicolumn.registry.words import Boolean, Choice, Text

__all__ = [
    "REQUIRED",
    "Boolean",
    "Choice",
    "Custom",
    "FunctionRule",
    "Integer",
    "Listed",
    "Number",
    "Part",
    "Record",
    "Registry",
    "Rule",
    "Search",
    "Setting",
    "Text",
    "changed",
    "checked",
    "function_alone",
    "is_function",
    "is_on",
    "is_plain",
    "kind_of",
    "read_text",
    "refuse",
    "settings_of",
    "settle",
    "show",
    "split_texts",
    "write_text",
]
