"""How frames are read: files by Spark, JSON by a look at its lines, tables of the catalog from where they are."""

import functools
import re

from pyspark.sql import functions as F
from pyspark.sql import types as T

from awsglue import kinds, shapes
from awsglue.catalog import CatalogError
from awsglue.dynamicframe import DynamicFrame, made_of
from awsglue.formats import FILES, SPEED, format_of, is_true, known_format, read_options
from awsglue.refusals import NotHere, refuse, refuse_options
from awsglue.shapes import column

# What tells Glue how to share out files over its workers, or which of them it reads: the first only changes how fast.
SOURCE = {
    "paths",
    "path",
    "recurse",
    "exclusions",
    "groupFiles",
    "groupSize",
    "compressionType",
    "maxBand",
    "maxFilesInBand",
    "useS3ListImplementation",
}
SOURCE |= {"format", *SPEED}
QUOTED = re.compile(r"('(?:[^']|'')*')")


def paths_of(options, where):
    refuse_options(where, options, SOURCE)
    if options.get("exclusions") not in (None, "", "[]", []):
        refuse(f"{where}: exclusions")
    if (options.get("compressionType") or "none") not in ("none", "gzip", "bzip2"):
        refuse(f"{where}: compressionType {options['compressionType']}")
    paths = options.get("paths") or options.get("path")
    if not paths:
        raise ValueError(f"{where} needs paths")
    return [paths] if isinstance(paths, str) else list(paths)


def reader(context, recurse=False):
    made = context.spark_session.read
    return made.option("recursiveFileLookup", "true") if recurse else made


def load(made, format, paths):
    """A frame of files, where this Spark reads their format."""
    try:
        frame = made.format(format).load(paths)
        frame.schema
        return frame
    except Exception as error:
        if format in ("orc", "avro") and "data source" in str(error).lower():
            raise NotHere(f"reading {format} on this runtime") from error
        raise


def read_json(context, paths, options, name, recurse=False):
    """Every value's type is found first: what is a number here and a text there is a choice."""
    made = reader(context, recurse)
    made = made.option("wholetext", "true") if options["multiline"] else made
    return made_of(load(made, "text", paths), kinds.from_lines, context, name)


def read_files(context, connection_type, options, format, format_options, name, where):
    """The DynamicFrame of files."""
    if connection_type not in FILES:
        refuse(f"{where}: the connection type {connection_type}")
    format = known_format(format or (options or {}).get("format"), where)
    paths, told = paths_of(options or {}, where), read_options(format, format_options)
    recurse = is_true((options or {}).get("recurse"))
    if format == "json":
        return read_json(context, paths, told, name, recurse)
    made = reader(context, recurse).options(**told)
    frame = load(made, format, paths)
    if format == "csv" and told["header"] != "true":
        frame = frame.toDF(*[f"col{n[2:]}" if n.startswith("_c") else n for n in frame.columns])
    return DynamicFrame(frame, context, name)


def columns_of(told):
    return [(column["Name"], shapes.to_kind(column.get("Type") or "string")) for column in told]


def read_table(context, database, table_name, predicate, catalog_predicate, name, catalog_id, with_choices=True):
    """The DynamicFrame of a table: its partitions for which the predicate holds, its columns by their types."""
    table = context.catalog.table(database, table_name, catalog_id)
    format, options = format_of(table)
    storage = table["StorageDescriptor"]
    columns, keys = columns_of(storage.get("Columns", [])), columns_of(table.get("PartitionKeys", []))
    if not keys:
        made = read_place(context, storage["Location"], format, options, columns, name, with_choices)
        return filtered(made, predicate)
    expression = " AND ".join(f"({part})" for part in (predicate, catalog_predicate) if part)
    frames = []
    for partition in partitions_of(
        context.catalog, database, table_name, expression, catalog_id, bool(catalog_predicate)
    ):
        place = (partition.get("StorageDescriptor") or {}).get("Location")
        if not place:
            refuse(f"the partition {partition['Values']} without a location")
        made = read_place(context, place, format, options, columns, name, with_choices)
        fields = [key_value(value, kind).alias(key) for (key, kind), value in zip(keys, partition["Values"])]
        inside = [column(n) for n in made._frame.columns if n.lower() not in {key.lower() for key, _ in keys}]
        frames.append(made._next(made._frame.select(*inside, *fields)))
    if not frames:
        schema = shapes.type_of({"kind": "struct", "fields": [[n, kind] for n, kind in [*columns, *keys]]})
        return DynamicFrame(context.spark_session.createDataFrame([], schema), context, name)
    return filtered(united(frames), predicate)


def partitions_of(catalog, database, table_name, expression, catalog_id, must_hold):
    """The partitions for which an expression holds, or all where it is in Spark's own words: the frame is filtered,
    too."""
    expression = "".join(p if p[:1] == "'" else p.replace("==", "=") for p in QUOTED.split(expression))
    try:
        return list(catalog.partitions(database, table_name, expression, catalog_id))
    except CatalogError as error:
        if error.code != "InvalidInputException" or must_hold:
            raise
        return list(catalog.partitions(database, table_name, None, catalog_id))


def key_value(value, kind):
    """A partition's value; the one that Hive writes for none is none."""
    if value == "__HIVE_DEFAULT_PARTITION__":
        return shapes.nothing(kind)
    return shapes.as_type(F.lit(value), {"kind": "string"}, kind)


def united(frames):
    """The rows of all, put together in pairs so that the plan stays flat."""
    while len(frames) > 1:
        pairs = [frames[i : i + 2] for i in range(0, len(frames), 2)]
        frames = [functools.reduce(lambda a, b: a.union(b), pair) for pair in pairs]
    return frames[0]


def filtered(made, predicate):
    return made._next(made._frame.filter(predicate), made._choices) if predicate else made


def read_place(context, place, format, options, columns, name, with_choices):
    """The rows in one folder, with the columns of a table."""
    if format == "json":
        return by_name(read_json(context, [place], options, name), columns)
    if format != "csv":
        # Files that were written before a column came are beside those with it.
        made = context.spark_session.read.options(**({} if format == "avro" else {"mergeSchema": "true"}))
        return by_name(DynamicFrame(load(made, format, [place]), context, name), columns)
    # The columns of CSV are known by their places.
    schema = T.StructType([T.StructField(n, T.StringType()) for n, _ in columns])
    frame = (
        context.spark_session.read.options(**options).schema(schema).csv(place).select(*[column(n) for n, _ in columns])
    )
    return of_texts(DynamicFrame(frame, context, name), columns, with_choices)


def by_name(made, columns):
    """A frame with the columns of a table, whatever their order and the case of their names in the files. A choice
    stays one."""
    known = {n.lower(): (n, layout) for n, layout in made._layout()["fields"]}
    fields, choices = [], set()
    for name, kind in columns:
        here, layout = known.get(name.lower(), (None, None))
        if here is None:
            fields.append(shapes.nothing(kind).alias(name))
        elif shapes.choices_of(layout):
            choices |= shapes.choices_of(layout, (name,))
            fields.append(column(here).alias(name))
        else:
            fields.append(shapes.as_type(column(here), layout, kind).alias(name))
    return made._next(made._frame.select(*fields), choices)


def of_texts(made, columns, with_choices):
    """Texts as a table's types. A column with a text that its type can't take is a choice of both."""
    frame, text = made._frame, {"kind": "string"}
    typed = {name: kind for name, kind in columns if kind != text}
    cast = {name: shapes.as_type(F.trim(column(name)), text, kind) for name, kind in typed.items()}
    odd = {name: column(name).isNotNull() & (column(name) != "") & cast[name].isNull() for name in typed}
    is_choice = set()
    if typed and with_choices:
        counted = frame.select(*[F.max(odd[n].cast("int")).alias(f"c{i}") for i, n in enumerate(typed)]).collect()[0]
        is_choice = {n for i, n in enumerate(typed) if counted[i]}
    fields = []
    for name, kind in columns:
        if name in is_choice:
            both = F.struct(
                cast[name].alias(kind["kind"].split("(")[0]), F.when(odd[name], column(name)).alias("string")
            )
            fields.append(F.when(column(name).isNotNull(), both).alias(name))
        else:
            fields.append(cast.get(name, column(name)).alias(name))
    return made._next(frame.select(*fields), {(name,) for name in is_choice})
