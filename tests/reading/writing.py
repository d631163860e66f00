"""Made-up tables as files: CSV, JSON in its three layouts, and Parquet."""

import bz2
import datetime
import decimal
import gzip
import json
import urllib.parse

import pyarrow
import pyarrow.parquet

FORMATS = ["csv", "ndjson", "array", "pretty", "parquet"]
PARTITION_KEY = "part"
MARK = b"\xef\xbb\xbf"


def zstd(data):
    return pyarrow.compress(data, codec="zstd", asbytes=True)


PACKERS = [(None, "")] * 5 + [(gzip.compress, ".gz"), (bz2.compress, ".bz2"), (zstd, ".zst")]


def write(table, folder):
    """Writes all files of a table. A crawl keeps partitions apart that are packed in different ways."""
    packer = table.rng.choice(PACKERS)
    mixed = not table.partitioned and table.rng.random() < 0.3
    for at, file in enumerate(table.files):
        place = folder
        if file.partition is not None:
            place = folder / f"{PARTITION_KEY}={urllib.parse.quote(file.partition)}"
        place.mkdir(parents=True, exist_ok=True)
        if table.format == "parquet":
            write_parquet(table, file, place / f"part-{at}.parquet")
            continue
        pack, suffix = table.rng.choice(PACKERS) if mixed else packer
        data = TEXTS[table.format](file).encode()
        if table.rng.random() < 0.1:
            data = MARK + data
        extension = "csv" if table.format == "csv" else "json"
        (place / f"part-{at}.{extension}{suffix}").write_bytes(pack(data) if pack else data)


def text_of(value):
    """A value as CSV has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    return repr(value) if isinstance(value, float) else str(value)


def csv_text(file):
    def cell(value):
        if value is None:
            return ""
        if isinstance(value, str):
            return '"' + value.replace('"', '""') + '"'
        return text_of(value)

    lines = [",".join(cell(name) for name, *_ in file.columns)]
    lines += [",".join(cell(row[name]) for _, name, _, _ in file.columns) for row in file.rows]
    return "\n".join(lines) + "\n"


def encoded(value):
    """A value's JSON, numbers by all of their digits."""
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{encoded(of)}" for key, of in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encoded, value)) + "]"
    if isinstance(value, (datetime.date, datetime.datetime)):
        return json.dumps(text_of(value))
    return json.dumps(value, ensure_ascii=False)


def documents(file, absent):
    """The rows as pairs of names and JSON; some leave out what is NULL."""
    for number, row in enumerate(file.rows):
        yield [
            (name, encoded(row[own])) for name, own, _, _ in file.columns if row[own] is not None or not absent or number % 2
        ]


def object_of(pairs, between, inner):
    if not pairs:
        return "{}"
    return "{" + between + ("," + (between or " ")).join(f"{json.dumps(name)}:{inner}{value}" for name, value in pairs) + between.rstrip(" ") + "}"


def ndjson_text(file):
    return "".join(object_of(pairs, "", "") + "\n" for pairs in documents(file, absent=True))


def array_text(file):
    return "[" + ",".join(object_of(pairs, "", " ") for pairs in documents(file, absent=False)) + "]"


def pretty_text(file):
    return "\n".join(object_of(pairs, "\n  ", " ") for pairs in documents(file, absent=True)) + "\n"


TEXTS = {"csv": csv_text, "ndjson": ndjson_text, "array": array_text, "pretty": pretty_text}


def write_parquet(table, file, path):
    rng = table.rng
    arrays = [pyarrow.array([row[own] for row in file.rows], arrow_type(kind, variant, rng)) for _, own, kind, variant in file.columns]
    made = pyarrow.Table.from_arrays(arrays, [name for name, *_ in file.columns])
    pyarrow.parquet.write_table(
        made,
        path,
        compression=rng.choice(["none", "snappy", "gzip", "zstd", "brotli", "lz4"]),
        use_dictionary=rng.random() < 0.5,
        row_group_size=rng.choice([1, 5, 50, 10_000]),
        data_page_size=rng.choice([64, 1 << 20]),
        data_page_version=rng.choice(["1.0", "2.0"]),
        write_page_index=rng.random() < 0.5,
        write_statistics=rng.random() < 0.8,
    )


def arrow_type(kind, variant, rng):
    pa = pyarrow
    struct = {"x": pa.int32(), "y": pa.string()}
    match kind:
        case "id" | "long":
            return pa.int64()
        case "int":
            return pa.int32()
        case "double":
            return pa.float64()
        case "decimal":
            return pa.decimal128(38, 5)
        case "date":
            return pa.date32()
        case "timestamp":
            return pa.timestamp(rng.choice(["us", "ns"]))
        case "boolean":
            return pa.bool_()
        case "text":
            return rng.choice([pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
        case "struct":
            return struct_type({**struct, "z": pa.float64()}, variant, ("w", pa.int64()))
        case "deep":
            inner = struct_type({"a": pa.int32(), "b": pa.string()}, variant, ("c", pa.float64()), "b")
            inner = pa.struct([*inner, pa.field("l", pa.list_(pa.int32()))])
            outer = struct_type(struct, variant, ("w", pa.bool_()))
            return pa.struct([*outer, pa.field("in", inner)])
        case "list":
            return pa.list_(pa.int32())
        case "structs":
            return pa.list_(struct_type(struct, variant, ("w", pa.int32())))
        case "map":
            return pa.map_(pa.string(), pa.int32())
    raise ValueError(kind)


def struct_type(types, variant, more, lost="y"):
    types = dict(types)
    if variant == "more":
        types[more[0]] = more[1]
    if variant == "less":
        del types[lost]
    return pyarrow.struct(list(types.items()))
