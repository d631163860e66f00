"""Tables made up: their rows as Python's values, spread over files that differ from each other as files of one table do.

A column has a kind, and in each file a variant of it: `int` may be `long` in another file, a struct may have a field more.
Every row has a number of its own in the column `row_id`, which no drift touches."""

import datetime
import decimal
import random

WORDS = ["apple", "Berg, Anna", 'the "big" one', "naïve", "東京", "it's", "a;b|c", "tab\there", "two\nlines", "007", "=1+1", "🙂",
         "null", "NULL", "N/A", "", " padded ", "C:\\dir\\", "{}", "[1]", "12", "true", "2031-01-02"]
NAMES = ["amount", "Full Name", "größe", "a.b", "a-b", "ünï", "select", "UPPER", "camelCase", "$price", "p%", "x/y", "order", "_x",
         "name2", "Straße", "日付", "with two", "at@home", "c#"]
SCALARS = ["int", "long", "double", "decimal", "date", "timestamp", "boolean", "text"]
NESTED = ["struct", "deep", "list", "structs", "map"]
DRIFTS = ["missing", "added", "reordered", "other case", "widened", "gains a field", "loses a field", "grows", "all null", "bad value"]
WIDER = {"int": ["long", "double", "decimal"], "date": ["timestamp"], "long": ["huge"]}


class Column:
    def __init__(self, name, kind):
        self.name, self.kind = name, kind


class File:
    """A part of a table: its columns as (name in the file, name in the table, kind, variant), and rows as dicts by the name
    in the table. What a row lacks the file has not written."""

    def __init__(self, columns, rows, partition):
        self.columns, self.rows, self.partition = columns, rows, partition


class Table:
    def __init__(self, number, seed, formats):
        self.rng = rng = random.Random(f"{seed}/{number}")
        self.format = formats[number % len(formats)]
        nested = self.format != "csv"
        kinds = [rng.choice(SCALARS + (NESTED if nested else [])) for _ in range(rng.randint(1, 7))]
        names = rng.sample(NAMES, len(kinds))
        self.columns = [Column("row_id", "id"), *(Column(name, kind) for name, kind in zip(names, kinds))]
        # A table whose bad value comes after all that inference looks at.
        self.is_long = self.format != "parquet" and rng.random() < 0.02
        self.drifts = [] if rng.random() < 0.3 else rng.sample(DRIFTS, rng.choice([1, 1, 2, 3]))
        if self.is_long:
            self.drifts = [*(drift for drift in self.drifts if drift != "bad value"), "late bad value"]
        self.partitioned = rng.random() < 0.25
        count = 1 if self.is_long else rng.randint(1, 5)
        self.next_id = 0
        self.files = [self.file(at) for at in range(count)]

    def file(self, at):
        rng, drifts = self.rng, self.drifts
        later = at > 0
        columns = []
        for place, column in enumerate(self.columns):
            name, kind, variant = column.name, column.kind, ""
            touched = place > 0 and later and rng.random() < 0.5
            if touched and "missing" in drifts:
                continue
            if touched and "other case" in drifts and name.upper().lower() == name.lower():
                name = rng.choice([name.upper(), name.lower(), name.title()])
                if name.lower() != column.name.lower():
                    name = column.name
            if touched and "widened" in drifts and kind in WIDER and self.widens(kind):
                kind = rng.choice(self.widens(kind))
            if kind in ("struct", "deep", "structs") and touched and "gains a field" in drifts:
                variant = "more"
            elif kind in ("struct", "deep", "structs") and touched and "loses a field" in drifts:
                variant = "less"
            elif kind in ("list", "structs") and not later and "grows" in drifts:
                variant = "empty"
            if touched and "all null" in drifts:
                variant = "null"
            columns.append((name, column.name, kind, variant))
        if later and "added" in drifts:
            columns.append(("added", "added", "int", ""))
        if later and "reordered" in drifts:
            rng.shuffle(columns)
        rows = [self.row(columns) for _ in range(30_000 if self.is_long else rng.choice([1, 2, 7, 30, 120]))]
        self.spoil(columns, rows)
        partition = None
        if self.partitioned:
            partition = rng.choice(["2031-01-02", "7", "08", "north", "a b", "Łódź"])
        return File(columns, rows, partition)

    def widens(self, kind):
        """What a kind may become in another file of this format. A Parquet column of integers has no place for fractions."""
        allowed = {"parquet": {"long", "double", "timestamp"}, "csv": {"long", "double", "timestamp"}}
        return [wider for wider in WIDER[kind] if wider in allowed.get(self.format, {"long", "double", "decimal", "huge"})]

    def spoil(self, columns, rows):
        """Puts a text among numbers: in an early row, which makes the column text, or in the last of many, which is NULL."""
        if self.format == "parquet" or not {"bad value", "late bad value"} & set(self.drifts):
            return
        for _, name, kind, _ in columns:
            if kind in ("int", "long", "double"):
                at = -2 if self.is_long else self.rng.randrange(len(rows))
                rows[at][name] = "oops"

    def row(self, columns):
        row = {}
        for _, name, kind, variant in columns:
            if kind == "id":
                row[name] = self.next_id
                self.next_id += 1
            elif variant == "null" or self.rng.random() < 0.08:
                row[name] = None
            else:
                row[name] = value(self.rng, kind, variant)
        return row

    def folded(self):
        """The table's columns as SQL names them."""
        names = []
        for file in self.files:
            for _, name, _, _ in file.columns:
                if name.lower() not in names:
                    names.append(name.lower())
        return names

    def kinds_of(self, name):
        return {kind for file in self.files for _, own, kind, _ in file.columns if own.lower() == name}


def value(rng, kind, variant=""):
    time = datetime.datetime(1995, 1, 1) + datetime.timedelta(microseconds=rng.randrange(10**15, 2 * 10**15))
    match kind:
        case "int":
            return rng.randint(-(2**31), 2**31 - 1)
        case "long":
            return rng.choice([2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), rng.randint(-(2**62), 2**62)])
        case "huge":
            return rng.choice([2**63, 2**64 - 1, 10**37 + 1])
        case "double":
            return rng.choice([rng.uniform(-1e6, 1e6), 0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 1e-7, -0.0, 123456.75])
        case "decimal":
            return decimal.Decimal(rng.randint(-(10**37), 10**37)).scaleb(-5, decimal.Context(prec=60))
        case "date":
            return time.date()
        case "timestamp":
            return time.replace(microsecond=rng.choice([0, 500_000, 123_456, 1]))
        case "boolean":
            return rng.random() < 0.5
        case "text":
            return rng.choice(WORDS)
        case "struct":
            return fields(rng, {"x": "int", "y": "text", "z": "double"}, variant, ("w", "long"))
        case "deep":
            made = fields(rng, {"x": "int", "y": "text"}, variant, ("w", "boolean"))
            made["in"] = fields(rng, {"a": "int", "b": "text"}, variant, ("c", "double"), "b")
            made["in"]["l"] = [value(rng, "int") for _ in range(rng.randint(0, 3))]
            return made
        case "list":
            return [] if variant == "empty" else [value(rng, "int") for _ in range(rng.randint(0, 4))]
        case "structs":
            if variant == "empty":
                return []
            return [fields(rng, {"x": "int", "y": "text"}, variant, ("w", "int")) for _ in range(rng.randint(0, 3))]
        case "map":
            return {key: value(rng, "int") for key in rng.sample(["k1", "k2", "k3", "k4"], rng.randint(0, 4))}
    raise ValueError(kind)


def fields(rng, kinds, variant, more, lost="y"):
    kinds = dict(kinds)
    if variant == "more":
        kinds[more[0]] = more[1]
    if variant == "less":
        del kinds[lost]
    return {name: None if rng.random() < 0.1 else value(rng, kind) for name, kind in kinds.items()}
