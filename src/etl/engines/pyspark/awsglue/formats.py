"""Formats of files, as Glue's options and as the catalog's SerDes name them, in the words of Spark."""

from awsglue.refusals import NotHere, refuse, refuse_options

# Sources and sinks of files.
FILES = ("s3", "file")
CSV_READ = {
    "withHeader": "header",
    "separator": "sep",
    "quoteChar": "quote",
    "escaper": "escape",
    "multiline": "multiLine",
}
CSV_WRITE = {"writeHeader": "header", "separator": "sep", "quoteChar": "quote", "escaper": "escape"}
# What changes how fast files are read, not what is read.
SPEED = {
    "optimizePerformance",
    "useGlueParquetWriter",
    "blockSize",
    "pageSize",
    "compression",
    "enableVectorizedReader",
}
NAMES = {"glueparquet": "parquet"}
SERDES = {
    "ParquetHiveSerDe": "parquet",
    "OrcSerde": "orc",
    "AvroSerDe": "avro",
    "JsonSerDe": "json",
    "LazySimpleSerDe": "csv",
    "OpenCSVSerde": "csv",
}
READABLE = ("csv", "json", "parquet", "orc", "avro")


def known_format(name, where):
    """A format's name in Spark."""
    if not name:
        raise ValueError(f"{where} needs a format")
    name = NAMES.get(name.lower(), name.lower())
    if name not in READABLE:
        raise NotHere(f"{where}: the format {name}")
    return name


def is_true(value):
    return str(value).lower() == "true"


def csv_options(told, names, defaults):
    """Spark's options for those of Glue's CSV."""
    refuse_options("csv", told, {*names, *SPEED})
    options = dict(defaults)
    for name, value in told.items():
        if name in names and value is not None:
            quote_none = name == "quoteChar" and str(value) == "-1"
            options[names[name]] = "" if quote_none else str(value).lower() if isinstance(value, bool) else str(value)
    return options


def read_options(format, told):
    """Spark's options to read a format by Glue's ones. JSON has none of Spark's: see reading.py."""
    told = told or {}
    if format == "csv":
        return csv_options(told, CSV_READ, {"header": "false", "sep": ",", "quote": '"', "escape": '"'})
    refuse_options(format, told, {"multiline", *SPEED} if format == "json" else SPEED)
    return {"multiline": is_true(told.get("multiline"))} if format == "json" else {}


def write_options(format, told, connection):
    """Spark's options to write a format by Glue's ones."""
    told, options = told or {}, {}
    if format == "csv":
        options = csv_options(told, CSV_WRITE, {"header": "true", "sep": ",", "quote": '"', "escape": '"'})
    else:
        refuse_options(format, told, SPEED)
    compression = told.get("compression") or (connection or {}).get("compression")
    if compression:
        options["compression"] = str(compression).lower()
    return options


def format_of(table):
    """The format of a catalog's table, and Spark's options to read it."""
    storage = table.get("StorageDescriptor") or {}
    parameters = {**storage.get("Parameters", {}), **table.get("Parameters", {})}
    name = f"table {table.get('DatabaseName')}.{table['Name']}"
    if parameters.get("table_type") or parameters.get("spark.sql.sources.provider", "").lower() in (
        "delta",
        "hudi",
        "iceberg",
    ):
        refuse(f"{name}: a table of {parameters.get('table_type') or parameters['spark.sql.sources.provider']}")
    if table.get("TableType") == "VIRTUAL_VIEW":
        refuse(f"{name}: a view")
    if not storage.get("Location"):
        refuse(f"{name}: a table without a location")
    serde = storage.get("SerdeInfo") or {}
    library = serde.get("SerializationLibrary") or ""
    format = SERDES.get(library.rpartition(".")[2]) or parameters.get("classification", "").lower()
    if format not in READABLE:
        refuse(f"{name}: the format {format or library or 'without a SerDe'}")
    if format != "csv":
        return format, {"multiline": False} if format == "json" else {}
    given = serde.get("Parameters") or {}
    is_open = library.endswith("OpenCSVSerde")
    separator = (
        given.get("separatorChar", ",")
        if is_open
        else given.get("field.delim") or parameters.get("delimiter") or "\x01"
    )
    quote = given.get("quoteChar", '"') if is_open or not library else ""
    skipped = parameters.get("skip.header.line.count", given.get("skip.header.line.count", "0"))
    if skipped not in ("0", "1"):
        refuse(f"{name}: skip.header.line.count {skipped}")
    escape = given.get("escapeChar", "\\") if is_open else given.get("escape.delim", '"')
    return format, {"sep": separator, "quote": quote, "escape": escape, "header": str(skipped == "1").lower()}
