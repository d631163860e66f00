"""Cells: what a text is as a value of a type, and whether what SQL answers is that value.

What doesn't fit its type is NULL, and so is what stands for nothing there; an empty field in quotes is an empty text."""

import datetime
import decimal
import re

# What stands for nothing among numbers, dates and booleans, without regard to case.
NULL_WORDS = set(
    """null \\n na n/a n.a. nan -nan none nil - -- --- . .. ... ? (null) <null> <na> [null] #n/a #na #null! #value! #ref! #div/0!
    #name? #num! 1.#qnan -1.#ind missing""".split()
) | {"", "#n/a n/a"}
# What stands for nothing among texts, outside of quotes.
TEXT_NULLS = {"", "null", "NULL", "Null", "\\N"}
INTEGER = re.compile(r"[+-]?\d+")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.I)
DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
TIMESTAMP = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d):(\d\d):(\d\d)(\.\d{1,9})?( ?(Z|z|UTC|GMT|[+-]\d\d(:?\d\d)?))?"
)


def value_of(cell, type_):
    """The value that a field of CSV has in a column of a type; `cell` is None where the row ends before it."""
    if cell is None:
        return None
    if type_ in ("string", "void"):
        return None if not cell.quoted and cell in TEXT_NULLS else str(cell)
    text = cell.strip(" \t\r\n")
    if text.lower() in NULL_WORDS:
        return None
    try:
        return CONVERSIONS[type_.split("(")[0]](text)
    except (ValueError, OverflowError, decimal.InvalidOperation):
        return None


def integer(text):
    if not INTEGER.fullmatch(text):
        raise ValueError(text)
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise OverflowError(text)
    return number


def double(text):
    if not NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def boolean(text):
    return {"true": True, "false": False}.get(text.lower())


def date(text):
    found = DATE.fullmatch(text)
    if not found:
        return timestamp(text).date()
    return datetime.date(*map(int, found.groups()))


def timestamp(text):
    found = TIMESTAMP.fullmatch(text)
    if not found:
        return datetime.datetime.combine(date(text), datetime.time()) if DATE.fullmatch(text) else invalid(text)
    year, month, day, hour, minute, second, fraction, _, zone, _ = found.groups()
    micros = int((fraction or ".0")[1:].ljust(6, "0")[:6])
    time = datetime.datetime(*map(int, (year, month, day, hour, minute)), 0, micros)
    time += datetime.timedelta(seconds=int(second))
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        time -= offset if zone[0] == "+" else -offset
    return time


def invalid(text):
    raise ValueError(text)


CONVERSIONS = {
    "tinyint": integer,
    "smallint": integer,
    "int": integer,
    "bigint": integer,
    "float": double,
    "double": double,
    "decimal": decimal.Decimal,
    "boolean": boolean,
    "date": date,
    "timestamp": timestamp,
}


def same(got, want):
    """Whether an answer's value, read from JSON with fractions as `Decimal`, is the value that is wanted."""
    if want is None or isinstance(want, bool):
        return got is want
    if isinstance(want, float):
        return same_double(got, want)
    if isinstance(want, (int, decimal.Decimal)):
        return same_number(got, want)
    if isinstance(want, datetime.datetime):
        return same_time(got, want)
    if isinstance(want, datetime.date):
        return got == want.isoformat()
    if isinstance(want, dict):
        # What a struct lacks, another file's struct may have: it is NULL here.
        return isinstance(got, dict) and all(
            same(got.get(key), want.get(key)) for key in got.keys() | want.keys()
        )
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same, got, want))
    return got == want


def same_double(got, want):
    if isinstance(got, bool) or got is None or isinstance(got, (dict, list)):
        return False
    try:
        number = float(got)
    except ValueError:
        return False
    return number == want or (number != number and want != want)


def same_number(got, want):
    if isinstance(got, (bool, dict, list)) or got is None:
        return False
    try:
        return decimal.Decimal(str(got)) == decimal.Decimal(want)
    except decimal.InvalidOperation:
        return False


def same_time(got, want):
    if not isinstance(got, str) or not TIMESTAMP.fullmatch(got):
        return False
    return got[10] == " " and timestamp(got) == want
