"""How frames are written, and how the catalog comes to know of it."""

import urllib.parse

from pyspark.sql import functions as F
from pyspark.sql import types as T


from awsglue import kinds, shapes
from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection
from awsglue.formats import FILES, format_of, known_format, write_options
from awsglue.refusals import NotHere, refuse, refuse_options
from awsglue.shapes import column

TARGET = {"path", "partitionKeys", "compression"}
HIVE = "org.apache.hadoop.hive"
TEXT = ("org.apache.hadoop.mapred.TextInputFormat", f"{HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat")
# By format: how Hive reads it, writes it and takes it apart.
STORAGE = {
    "csv": (*TEXT, f"{HIVE}.serde2.lazy.LazySimpleSerDe"),
    "json": (*TEXT, "org.openx.data.jsonserde.JsonSerDe"),
    "parquet": (
        f"{HIVE}.ql.io.parquet.MapredParquetInputFormat",
        f"{HIVE}.ql.io.parquet.MapredParquetOutputFormat",
        f"{HIVE}.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "orc": (f"{HIVE}.ql.io.orc.OrcInputFormat", f"{HIVE}.ql.io.orc.OrcOutputFormat", f"{HIVE}.ql.io.orc.OrcSerde"),
    "avro": (
        f"{HIVE}.ql.io.avro.AvroContainerInputFormat",
        f"{HIVE}.ql.io.avro.AvroContainerOutputFormat",
        f"{HIVE}.serde2.avro.AvroSerDe",
    ),
}
SAIL_KEEPS = " &,;@!$()'+=:"
SPARK_ESCAPES = "\"#%'*/:=?\\\x7f{[]^"
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def writable(frame):
    """The DataFrame to write: what is always null needs a type, too."""
    frame = frame.toDF() if isinstance(frame, DynamicFrame) else frame
    layout = shapes.layout_of(frame.schema)
    typed = shapes.with_string_for_null(layout)
    if typed == layout:
        return frame
    return frame.select(
        *[shapes.as_type(column(n), i, w).alias(n) for (n, i), (_, w) in zip(layout["fields"], typed["fields"])]
    )


def as_lines(frame, keys):
    """A frame's rows as lines of JSON: Spark would write a choice as a struct."""
    schema = frame._frame.schema
    fields = [T.StructField("value", T.StringType()), *(T.StructField(key, schema[key].dataType) for key in keys)]
    return frame._frame.mapInArrow(kinds.writer(frame._layout(), keys), T.StructType(fields))


def is_sail(session):
    return getattr(session.sparkContext, "master", None) == "sail"


def with_folders(frame, keys):
    """A frame whose rows without a partition's value go to Hive's folder for them, which Sail doesn't know."""
    texts = {key: F.coalesce(F.nullif(column(key).cast("string"), F.lit("")), F.lit(NO_VALUE)) for key in keys}
    return frame.select(*[texts[n].alias(n) if n in texts else column(n) for n in frame.columns])


def write_files(frame, connection_type, options, format, format_options, where):
    """Adds a frame's rows to a folder."""
    if connection_type not in FILES:
        refuse(f"{where}: the connection type {connection_type}")
    options = options or {}
    refuse_options(where, options, TARGET)
    format = known_format(format, where)
    if not options.get("path"):
        raise ValueError(f"{where} needs a path")
    keys = list(options.get("partitionKeys") or [])
    made, written = writable(frame), format
    if format == "json" and isinstance(frame, DynamicFrame) and frame._choices:
        made, written = as_lines(frame._next(made, frame._choices), keys), "text"
    if keys and is_sail(made.sparkSession):
        made = with_folders(made, keys)
    writer = made.write.mode("append").format(written).options(**write_options(format, format_options, options))
    try:
        (writer.partitionBy(*keys) if keys else writer).save(options["path"])
    except Exception as error:
        unknown = "data source" in str(error).lower() or "Writer not implemented" in str(error)
        if format in ("orc", "avro") and unknown:
            raise NotHere(f"writing {format} on this runtime") from error
        raise
    return frame


def in_order(frame, columns):
    """A frame with the columns of a table first and in their order, by which CSV is read. One that the frame hasn't
    got is null."""
    inner = frame.toDF() if isinstance(frame, DynamicFrame) else frame
    known = {name.lower(): name for name in inner.columns}
    first = [(told["Name"], known.pop(told["Name"].lower(), None)) for told in columns]
    fields = [column(here) if here else shapes.nothing({"kind": "string"}).alias(name) for name, here in first]
    ordered = inner.select(*fields, *map(column, known.values()))
    return frame._next(ordered, frame._choices) if isinstance(frame, DynamicFrame) else ordered


def write_all(frame, write):
    """Writes a frame, or each one of a collection."""
    if isinstance(frame, DynamicFrameCollection):
        for one in frame.values():
            write(one)
    else:
        write(frame)
    return frame


class Sink:
    """Where frames go: glueContext.getSink."""

    def __init__(self, context, connection_type, format=None, transformation_ctx="", **options):
        if connection_type not in FILES:
            refuse(f"getSink: the connection type {connection_type}")
        self._context, self._type, self._format, self._format_options = context, connection_type, format, {}
        self._update = str(options.pop("enableUpdateCatalog", False)).lower() == "true"
        self._behavior = options.pop("updateBehavior", None) or "UPDATE_IN_DATABASE"
        if self._behavior not in ("UPDATE_IN_DATABASE", "LOG"):
            raise ValueError(f"updateBehavior is UPDATE_IN_DATABASE or LOG, not {self._behavior}")
        refuse_options("getSink", options, TARGET)
        self._options, self._table = options, None

    def setFormat(self, format, **options):
        self._format, self._format_options = format, options

    def setCatalogInfo(self, catalogDatabase, catalogTableName, catalogId=None, catalogTableVersion=None):
        self._table = (catalogDatabase.lower(), catalogTableName.lower(), catalogId or None)

    def writeFrame(self, dynamic_frame, info=""):
        if self._update and self._table is None:
            raise ValueError("enableUpdateCatalog needs setCatalogInfo")
        write_files(
            self._as_table(dynamic_frame),
            self._type,
            self._options,
            self._format or "glueparquet",
            self._format_options,
            "getSink",
        )
        if self._update:
            self._tell_catalog(writable(dynamic_frame))
        return dynamic_frame

    def _as_table(self, frame):
        """A frame as the table that it goes to, if there is one, has its columns in CSV."""
        if self._table is None or self._format != "csv":
            return frame
        database, name, catalog_id = self._table
        table = self._context.catalog.table_if_there(database, name, catalog_id)
        return in_order(frame, table["StorageDescriptor"].get("Columns", [])) if table else frame

    def write(self, dynamic_frame_or_dfc, info=""):
        return write_all(dynamic_frame_or_dfc, self.writeFrame)

    def _tell_catalog(self, frame):
        database, name, catalog_id = self._table
        catalog, keys = self._context.catalog, list(self._options.get("partitionKeys") or [])
        types = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
        columns = [{"Name": n.lower(), "Type": t} for n, t in types.items() if n not in keys]
        table = catalog.table_if_there(database, name, catalog_id)
        if table is None:
            table = self._new_table(name, columns, [{"Name": key.lower(), "Type": types[key]} for key in keys])
            catalog.create_table(database, table, catalog_id)
        elif self._behavior == "UPDATE_IN_DATABASE":
            self._update_columns(table, columns)
        if keys:
            partitions = [
                self._partition(table, keys, row) for row in frame.select(*map(column, keys)).distinct().collect()
            ]
            catalog.create_partitions(database, name, partitions, catalog_id)

    def _new_table(self, name, columns, keys):
        format = known_format(self._format or "glueparquet", "getSink")
        input_format, output_format, serde = STORAGE[format]
        parameters, told = {"classification": format}, {"serialization.format": "1"}
        if format == "csv":
            options = write_options(format, self._format_options, {})
            told = {"field.delim": options["sep"], "serialization.format": options["sep"]}
            if options["header"] == "true":
                parameters["skip.header.line.count"] = "1"
        storage = {
            "Columns": columns,
            "Location": self._options["path"],
            "InputFormat": input_format,
            "OutputFormat": output_format,
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": told},
            "Parameters": dict(parameters),
        }
        made = {"Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": parameters, "StorageDescriptor": storage}
        return {**made, "PartitionKeys": keys}

    def _update_columns(self, table, columns):
        """Gives a table these columns' types, and those that it hasn't got."""
        database, _, catalog_id = self._table
        old = table["StorageDescriptor"].get("Columns", [])
        types = {told["Name"]: told["Type"] for told in columns}
        kept = [{**told, "Type": types.pop(told["Name"], told["Type"])} for told in old]
        new = kept + [told for told in columns if told["Name"] in types]
        if new == old:
            return
        taken = ("Name", "Description", "Owner", "Retention", "PartitionKeys", "TableType", "Parameters")
        changed = {name: table[name] for name in taken if table.get(name) is not None}
        changed["StorageDescriptor"] = {**table["StorageDescriptor"], "Columns": new}
        self._context.catalog.update_table(database, changed, catalog_id)

    def _partition(self, table, keys, row):
        values = [NO_VALUE if value is None or value == "" else as_text(value) for value in row]
        sail = is_sail(self._context.spark_session)
        folders = "/".join(f"{key}={folder_of(value, sail)}" for key, value in zip(keys, values))
        place = f"{self._options['path'].rstrip('/')}/{folders}/"
        return {"Values": values, "StorageDescriptor": {**table["StorageDescriptor"], "Location": place}}


def folder_of(value, sail):
    """A value as the runtime that wrote it names a folder."""
    if sail:
        return urllib.parse.quote(value, safe=SAIL_KEEPS).replace("~", "%7E")
    return "".join(f"%{ord(sign):02X}" if sign in SPARK_ESCAPES or ord(sign) < 32 else sign for sign in value)


def as_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def write_table(context, frame, database, table_name, options, catalog_id):
    """Adds a frame's rows to where a table is."""
    refuse_options(
        "write_dynamic_frame.from_catalog", options, {"partitionKeys", "enableUpdateCatalog", "updateBehavior"}
    )
    options = dict(options or {})
    table = context.catalog.table(database, table_name, catalog_id)
    format, told = format_of(table)
    keys = options.get("partitionKeys") or [key["Name"] for key in table.get("PartitionKeys", [])]
    sink = Sink(context, "s3", path=table["StorageDescriptor"]["Location"], **{**options, "partitionKeys": keys})
    if format == "csv":
        sink.setFormat(
            format, separator=told["sep"], quoteChar=told["quote"] or "-1", writeHeader=told["header"] == "true"
        )
    else:
        sink.setFormat(format)
    sink.setCatalogInfo(database, table_name, catalog_id)
    return sink.write(frame)
