"""Results in order, on Sail: it leaves an order out of what it writes, and keeps it in what it answers. So an output that a
script has sorted is asked for, and written here as Parquet, of which the job's output is made in any format."""

import os
import re

# What of a plan keeps the order of its rows.
KEEPING = {
    "collect_metrics", "drop", "drop_na", "fill_na", "filter", "hint", "limit", "offset", "project", "replace",
    "subquery_alias", "to_df", "to_schema", "with_columns", "with_columns_renamed",
}  # fmt: skip
ORDER_BY = re.compile(r"\border\s+by\b", re.IGNORECASE)

# The files that were written here, by the location that they are for, and the locations that Sail wrote to.
_written, _elsewhere = {}, set()


def is_sorted(relation):
    """Whether a plan's rows come in an order."""
    while True:
        kind = relation.WhichOneof("rel_type")
        node = getattr(relation, kind) if kind else None
        if kind == "sort":
            return node.is_global
        if kind == "sql":
            return ends_in_order(node.query)
        if kind not in KEEPING and not is_coalesced(relation):
            return False
        relation = node.input


def is_coalesced(relation):
    return relation.WhichOneof("rel_type") == "repartition" and not relation.repartition.shuffle


def join_up(relation):
    """Takes out of a sorted plan what would only say how many files it becomes, as Sail mixes the rows there."""
    while relation.WhichOneof("rel_type") not in ("sort", "sql"):
        if is_coalesced(relation):
            inner = type(relation)()
            inner.CopyFrom(relation.repartition.input)
            relation.CopyFrom(inner)
        else:
            relation = getattr(relation, relation.WhichOneof("rel_type")).input


def ends_in_order(query):
    """Whether a statement sorts its result, and not a part of what it is made of alone."""
    orders = list(ORDER_BY.finditer(query))
    if not orders:
        return False
    rest = query[orders[-1].end() :]
    return rest.count(")") <= rest.count("(")


def write_in_order(frame, path, mode, is_partitioned):
    """Writes a frame to a path of the run's output, if it has an order; whether it did."""
    output, folder = os.environ.get("MASTIC_OUTPUT"), os.environ.get("MASTIC_OUTPUT_DIR")
    below = path.replace("s3a://", "s3://", 1).rstrip("/") + "/" if path else ""
    if not output or is_partitioned or not below.startswith(output.rstrip("/") + "/"):
        return False
    files = _written.setdefault(below, [])
    while mode == "overwrite" and files:
        os.unlink(files.pop())
    client = frame._session.client
    plan = frame._plan.to_proto(client)
    # Where Sail has written, it alone knows what of that is to go.
    if below in _elsewhere or not is_sorted(plan.root):
        _elsewhere.add(below)
        return False
    join_up(plan.root)
    folder = os.path.join(folder, below[len(output.rstrip("/")) :].strip("/"))
    os.makedirs(folder, exist_ok=True)
    file = os.path.join(folder, f"part-{len(files):05}.parquet")
    write(client.to_table_as_iterator(plan, {}), file)
    # Nothing that has rows, or so much as columns, may have come.
    if os.path.exists(file):
        files.append(file)
    return True


def write(answers, file):
    """Writes Arrow's tables, as they come, to a file of Parquet."""
    import pyarrow
    import pyarrow.parquet

    writer = None
    for table in answers:
        if not isinstance(table, pyarrow.Table):
            continue
        for index, field in enumerate(table.schema):
            if pyarrow.types.is_null(field.type):
                table = table.set_column(index, field.name, table.column(index).cast(pyarrow.string()))
        if writer is None:
            writer = pyarrow.parquet.ParquetWriter(file, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
