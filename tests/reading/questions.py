"""Questions whose answers only some rows of a made-up table are, so that files, row groups and pages may be left out: which
rows is known from what was written."""

import datetime
import decimal
import operator

import writing

COMPARISONS = {"=": operator.eq, "<": operator.lt, ">=": operator.ge, "<>": operator.ne}
NUMBERS = {"tinyint", "smallint", "int", "bigint", "double", "decimal"}


def questions(table, rows, types):
    """Conditions in SQL, each with the numbers of the rows that meet it. `rows` are rows by their number, their values as
    the columns' types have them."""
    rng = table.rng
    for name in rng.sample(sorted(types), min(2, len(types))):
        column = '"' + name.replace('"', '""') + '"'
        values = {number: row.get(name) for number, row in rows.items()}
        yield f"{column} IS NULL", {number for number, value in values.items() if value is None}
        present = [value for value in values.values() if literal(value, types[name])]
        if not present:
            continue
        sign = rng.choice(list(COMPARISONS))
        edge = rng.choice(present)
        meets = COMPARISONS[sign]
        yield (
            f"{column} {sign} {literal(edge, types[name])}",
            {number for number, value in values.items() if value is not None and meets(value, edge)},
        )
    if table.partitioned:
        key = rng.choice(table.files).partition
        wanted = {number for number, row in rows.items() if row[writing.PARTITION_KEY] == key}
        yield f"{writing.PARTITION_KEY} = {quoted(key)}", wanted


def literal(value, type_):
    """A value in SQL; nothing for one that isn't asked for."""
    name = type_.split("(")[0]
    if isinstance(value, bool):
        return str(value).lower() if name == "boolean" else None
    if isinstance(value, decimal.Decimal):
        return f"CAST('{value:f}' AS {type_})" if name == "decimal" else None
    if isinstance(value, (int, float)):
        # A zero below zero is less than zero to some, and equal to others.
        return repr(value) if name in NUMBERS and value and name != "decimal" else None
    if isinstance(value, datetime.datetime):
        return f"TIMESTAMP '{value}'" if name == "timestamp" else None
    if isinstance(value, datetime.date):
        return f"DATE '{value}'" if name == "date" else None
    return quoted(value) if isinstance(value, str) and name == "string" else None


def quoted(text):
    return "'" + text.replace("'", "''") + "'"
