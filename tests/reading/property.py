"""What is read equals what was written. Made-up tables of several files that differ as files of one table do (tables.py,
writing.py), crawled and asked: every row is there once, and each value is the one that was written, as the column's type has it.

    property.py MASTIC [--tables N] [--seed S] [--keep FOLDER]

A column that several files have with different kinds of values has a type that holds them all: numbers in a column of text
are the digits that the file has, dates among times are midnights. A value that comes after all that inference looked at and
doesn't fit is NULL. DuckDB reads the same files as a second opinion, which is only told. Exits with 1 on any difference."""

import argparse
import collections
import datetime
import decimal
import json
import pathlib
import shutil
import sys
import tempfile

import duckdb

import cells
import dialect
import lake
import questions
import tables
import writing

EXAMPLES = 40
WHOLE = {"tinyint", "smallint", "int", "bigint"}
# The types that a column may have whose values are all of these kinds.
TYPES = {
    "id": WHOLE,
    "int": WHOLE,
    "long": WHOLE,
    "huge": {"decimal"},
    "double": {"double"},
    "decimal": {"decimal", "double"},
    "date": {"date", "string"},
    "timestamp": {"timestamp", "string"},
    "boolean": {"boolean"},
    "text": {"string"},
    "struct": {"struct"},
    "deep": {"struct"},
    "list": {"array"},
    "structs": {"array"},
    "map": {"map", "struct"},
}


class JsonText:
    """A text of JSON that means a value."""

    def __init__(self, value):
        self.value = value

    def is_meant_by(self, text):
        try:
            return isinstance(text, str) and json.loads(text, parse_float=decimal.Decimal) == json.loads(
                writing.encoded(self.value), parse_float=decimal.Decimal
            )
        except ValueError:
            return False


def parts_of(type_):
    """A type's name and what is inside of its brackets, split at its commas."""
    name, bracket, inside = type_.partition("<")
    if not bracket:
        return type_.split("(")[0], []
    parts, depth, begin = [], 0, 0
    inside = inside[:-1]
    for at, byte in enumerate(inside):
        depth += (byte in "<(") - (byte in ">)")
        if byte == "," and depth == 0:
            parts.append(inside[begin:at])
            begin = at + 1
    return name, [*parts, inside[begin:]] if inside else []


def as_type(value, type_):
    """The value that a written one is in a column of a type."""
    name, parts = parts_of(type_)
    if value is None:
        return None
    if name == "struct":
        if not isinstance(value, dict):
            return None
        types = dict(part.split(":", 1) for part in parts)
        types = {field.lower(): of for field, of in types.items()}
        # A field that the type lacks stays, so that it is missed.
        return {key.lower(): as_type(of, types.get(key.lower(), "string")) for key, of in value.items()}
    if name == "map":
        return {key: as_type(of, parts[1]) for key, of in value.items()} if isinstance(value, dict) else None
    if name == "array":
        return [as_type(of, parts[0]) for of in value] if isinstance(value, list) else None
    return as_scalar(value, name)


def as_scalar(value, name):
    if name in ("string", "void"):
        if isinstance(value, (dict, list)):
            return JsonText(value)
        return writing.text_of(value)
    if isinstance(value, (str, dict, list)):
        return cells.value_of(dialect.field(value), name) if isinstance(value, str) else None
    if name in ("double", "float"):
        return float(value)
    if name == "timestamp" and not isinstance(value, datetime.datetime):
        return datetime.datetime.combine(value, datetime.time())
    if name in WHOLE and isinstance(value, (float, decimal.Decimal)):
        return int(value) if value == int(value) else None
    return value


def same(got, want):
    if isinstance(want, JsonText):
        return want.is_meant_by(got)
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return False
        got = {key.lower(): value for key, value in got.items()}
        return all(same(got.get(key), want.get(key)) for key in got.keys() | want.keys())
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same, got, want))
    return cells.same(got, want)


def written_rows(table):
    """All rows by their number, each a dict by the column's name in SQL."""
    rows = {}
    for file in table.files:
        for row in file.rows:
            made = {name.lower(): value for name, value in row.items()}
            if table.partitioned:
                made[writing.PARTITION_KEY] = file.partition
            rows[row["row_id"]] = made
    return rows


def compare(table, answer, count):
    """The differences of a table, each with its kind; and how many values were compared."""
    if isinstance(answer, Exception):
        return [("refused", str(answer)[:300])], 0
    found = []
    types = {column["name"]: column["type"] for column in answer["columns"]}
    names = table.folded() + [writing.PARTITION_KEY] * table.partitioned
    unwritten = {name for name in names if all(row.get(name) is None for row in written_rows(table).values())}
    if not set(names) - unwritten <= set(types) <= set(names):
        found.append(("columns", f"{sorted(types)} instead of {sorted(names)}"))
    rows = written_rows(table)
    if len(answer["rows"]) != len(rows):
        found.append(("rows", f"{len(answer['rows'])} rows instead of {len(rows)}"))
    counted = count["rows"][0][0] if not isinstance(count, Exception) else f"refused: {count}"
    if counted != len(rows):
        found.append(("count(*)", f"{counted} instead of {len(rows)}"))
    found += wrong_types(table, types)
    places = {column["name"]: at for at, column in enumerate(answer["columns"])}
    if "row_id" not in places:
        return found, 0
    seen = collections.Counter(int(row[places["row_id"]]) for row in answer["rows"] if row[places["row_id"]] is not None)
    if set(seen) != set(rows) or max(seen.values(), default=1) > 1:
        found.append(("rows", f"rows are missing, or there twice: {sorted(set(rows) - set(seen))[:5]}"))
    compared = 0
    for got in answer["rows"]:
        want = rows.get(got[places["row_id"]], {})
        for name in set(names) & set(places):
            compared += 1
            wanted = as_type(want.get(name), types[name])
            if not same(got[places[name]], wanted):
                shown = wanted.value if isinstance(wanted, JsonText) else wanted
                what = f"{name} ({types[name]}): {str(got[places[name]])[:150]!r} instead of {str(shown)[:150]!r}"
                found.append((f"value of {'/'.join(sorted(table.kinds_of(name)))} as {types[name].split('<')[0].split('(')[0]}", what))
    return found, compared


def ask_conditions(lake_, made, answered):
    """What the answers to questions for some of the rows lack or have too much, by the table's name."""
    asked = []
    for name, answer in answered.items():
        if isinstance(answer, Exception):
            continue
        types = {column["name"]: column["type"] for column in answer["columns"]}
        rows = {
            number: {own: as_type(row.get(own), type_) for own, type_ in types.items()}
            for number, row in written_rows(made[name]).items()
        }
        asked += [(name, condition, wanted) for condition, wanted in questions.questions(made[name], rows, types)]
    answers = lake_.ask_all([f'SELECT row_id FROM made."{name}" WHERE {condition}' for name, condition, _ in asked])
    found = collections.defaultdict(list)
    for (name, condition, wanted), answer in zip(asked, answers):
        if isinstance(answer, Exception):
            found[name].append(("condition refused", f"{condition}: {str(answer)[:300]}"))
            continue
        got = sorted(int(row[0]) for row in answer["rows"])
        if got != sorted(wanted):
            what = f"{condition[:200]}: {len(got)} rows instead of {len(wanted)}, such as {sorted(wanted ^ set(got))[:3]}"
            found[name].append(("condition", what))
    print(f"{len(asked)} conditions asked for")
    return found


def wrong_types(table, types):
    """Columns of one kind whose type is another: all their values may be equal, and be texts."""
    for name, type_ in types.items():
        kinds = table.kinds_of(name)
        values = [value for file in table.files for row in file.rows for own, value in row.items() if own.lower() == name]
        spoilt = any(isinstance(value, str) and value == "oops" for value in values)
        if len(kinds) != 1 or spoilt or all(value in (None, [], {}, "") for value in values):
            continue
        if parts_of(type_)[0] not in TYPES[next(iter(kinds))]:
            yield "type", f"{name} of {kinds} is {type_} in {table.format}"


def opinion(table, folder):
    """What DuckDB makes of the same files: `same`, `other`, or `refused`."""
    if table.format == "csv":
        return "not asked"
    reader = "read_parquet" if table.format == "parquet" else "read_json"
    try:
        asked = duckdb.sql(f"SELECT * FROM {reader}('{folder}/**/*.*', union_by_name=true, hive_partitioning=true)")
        names, rows = [name.lower() for name in asked.columns], asked.fetchall()
    except duckdb.Error:
        return "refused"
    written = written_rows(table)
    if len(rows) != len(written) or "row_id" not in names:
        return "other"
    for row in rows:
        got = dict(zip(names, row))
        want = written.get(got["row_id"], {})
        for name in table.folded():
            if not alike(got.get(name), want.get(name)):
                return "other"
    return "same"


def alike(got, want):
    """Whether DuckDB's Python value is what was written, or its text."""
    if isinstance(want, dict) and isinstance(got, dict):
        return all(alike(got.get(key), want.get(key)) for key in got.keys() | want.keys())
    if isinstance(want, list) and isinstance(got, list):
        return len(got) == len(want) and all(map(alike, got, want))
    return got == want or str(got) == str(want) or writing.text_of(got) == writing.text_of(want)


def judge(lake_, made, prefix, keep):
    state = lake_.crawl(prefix, "made")
    print(f"crawled {state['files_read']} files into {state['tables']} tables")
    files = {table["name"]: table["files"] for table in state["plan"]["tables"]}
    # A file that has too little in common with the others is set aside, or a table of its own.
    split = [name for name, table in made.items() if files.get(name) != len(table.files)]
    asked = [name for name in made if name not in split]
    answers = lake_.ask_all([f'SELECT * FROM made."{name}"' for name in asked])
    counts = lake_.ask_all([f'SELECT count(*) FROM made."{name}"' for name in asked])
    conditions = ask_conditions(lake_, made, dict(zip(asked, answers)))
    kinds, examples, opinions = collections.Counter(), {}, collections.Counter()
    values, wrong = 0, set()
    formats = collections.defaultdict(lambda: [0, 0])
    for name, answer, count in zip(asked, answers, counts):
        table = made[name]
        found, compared = compare(table, answer, count)
        found += wrong_record_count(lake_, table, name) + conditions[name]
        values += compared
        opinions[table.format, opinion(table, lake_.place(prefix) / name)] += 1
        formats[table.format][0] += 1
        formats[table.format][1] += bool(found)
        for kind in {kind for kind, _ in found}:
            kinds[kind] += 1
            wrong.add(name)
            what = next(what for of, what in found if of == kind)
            size = sum(len(file.rows) for file in table.files)
            if kind not in examples or size < examples[kind][0]:
                examples[kind] = (size, name, what)
    for format_, (count, wrongs) in sorted(formats.items()):
        second = ", ".join(f"{what} {opinions[of, what]}" for of, what in sorted(opinions) if of == format_)
        print(f"{format_:8} {count:5} tables, {wrongs} with a difference; DuckDB: {second}")
    report_split(made, split)
    for kind, count in kinds.most_common(EXAMPLES):
        _, name, what = examples[kind]
        table = made[name]
        print(f"{count:5} tables: {kind}\n      {name}, {table.format}, drifts {table.drifts}: {what}")
        shutil.copytree(lake_.place(prefix) / name, keep / name, dirs_exist_ok=True)
    print(f"\n{len(asked)} tables ({len(wrong)} with a difference), {values:,} values compared")
    if wrong:
        print(f"the files of the examples are in {keep}")
    return not wrong and len(asked) > len(made) // 2


def wrong_record_count(lake_, table, name):
    """The catalog's number of records, where inference saw all of them."""
    told = lake_.call(f"/databases/made/tables/{name}")["parameters"].get("recordCount")
    rows = sum(len(file.rows) for file in table.files)
    if table.is_long or told is None or int(told) == rows:
        return []
    return [("record count", f"{told} instead of {rows}")]


def report_split(made, split):
    """Folders that a crawl made several tables or none of: what their files have in common isn't enough for one."""
    reasons = collections.Counter((made[name].format, *made[name].drifts) for name in split)
    for (format_, *drifts), count in reasons.most_common():
        print(f"{count:5} folders aren't one table: {format_}, drifts {drifts}")
    if split:
        print(f"      such as {split[:5]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mastic")
    parser.add_argument("--tables", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, help="where the files of examples are kept")
    options = parser.parse_args()
    keep = options.keep or pathlib.Path(tempfile.gettempdir(), "mastic-property")
    shutil.rmtree(keep, ignore_errors=True)
    keep.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        prefix = pathlib.Path(folder, "lake", lake.BUCKET, "p")
        made = {f"t{n:05}": tables.Table(n, options.seed, writing.FORMATS) for n in range(options.tables)}
        for name, table in made.items():
            writing.write(table, prefix / name)
        print(f"{len(made)} tables, seed {options.seed}")
        with lake.lake(options.mastic, folder) as lake_:
            right = judge(lake_, made, "p", keep)
    sys.exit(not right)


if __name__ == "__main__":
    main()
