"""Relationalize: tables without nested fields, of a frame with them."""

import uuid

from pyspark.sql import functions as F

from awsglue import shapes
from awsglue.refusals import NotHere
from awsglue.resolving import flat_fields
from awsglue.shapes import column

ROW = "__row"


def relationalize(frame, root, staging):
    """The tables by name: an array at PATH becomes a table ROOT_PATH with the columns id, index and PATH.val or
    PATH.val.FIELD, and a column PATH of ids in the table that it was in."""
    if not staging:
        raise ValueError("relationalize needs a staging path")
    tables = {}
    take_apart(
        frame,
        frame._frame,
        frame._layout(),
        root,
        root,
        f"{staging.rstrip('/')}/relationalize-{uuid.uuid4().hex}",
        tables,
    )
    return tables


def take_apart(owner, frame, layout, root, name, staging, tables):
    fields = list(flat_fields(layout, column, ()))
    for path, inner, _ in fields:
        if inner["kind"] == "map":
            raise NotHere(f"relationalize of the map {path}")
    arrays = [(path, inner) for path, inner, _ in fields if inner["kind"] == "array"]
    flat = frame.select(*[made.alias(path) for path, _, made in fields])
    if arrays:
        flat = staged(owner, flat, f"{staging}/{name}")
    is_array = {path for path, _ in arrays}
    shown = [F.when(column(n).isNotNull(), column(ROW)).alias(n) if n in is_array else column(n) for n, _, _ in fields]
    choices = set().union(*[shapes.choices_of(inner, (path,)) for path, inner, _ in fields if path not in is_array])
    tables[name] = owner._next(flat.select(*shown), choices)
    for path, inner in arrays:
        child = flat.select(column(ROW).alias("id"), F.posexplode(column(path)).alias("index", f"{path}.val"))
        of = shapes.with_string_for_null(inner["of"])
        columns = [["id", {"kind": "long"}], ["index", {"kind": "int"}], [f"{path}.val", of]]
        take_apart(owner, child, {"kind": "struct", "fields": columns}, root, f"{root}_{path}", staging, tables)


def staged(owner, flat, path):
    """A frame with a number for each row, written and read again: a plan that is run twice may number otherwise."""
    layout = shapes.layout_of(flat.schema)
    typed = shapes.with_string_for_null(layout)
    fields = [shapes.as_type(column(n), i, w).alias(n) for (n, i), (_, w) in zip(layout["fields"], typed["fields"])]
    numbered = flat.select(*fields, (F.monotonically_increasing_id() + F.lit(1)).cast("long").alias(ROW))
    # Names with signs that a file's columns may not have are numbers there.
    names = [*flat.columns, ROW]
    numbered.toDF(*[f"c{i}" for i in range(len(names))]).write.mode("overwrite").parquet(path)
    return owner.glue_ctx.spark_session.read.parquet(path).toDF(*names)
