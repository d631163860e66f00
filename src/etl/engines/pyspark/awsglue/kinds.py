"""What values of no declared type are: found by a look at them, on Spark's workers, and laid out by what was found.

What was found of a place is a tree: a dictionary from each kind of value to what is below it (the fields of a struct,
the elements of an array, otherwise None). What is made of it is a layout: {"kind": K} with "fields" of a struct, "of"
of an array's elements, a map's values or a choice's possibilities."""

import base64
import datetime
import decimal
import json
import traceback

WHOLE = {"byte", "short", "int", "long"}
ORDER = [
    "int",
    "long",
    "float",
    "double",
    "decimal",
    "boolean",
    "string",
    "binary",
    "date",
    "timestamp",
    "array",
    "struct",
]
ERRORS_KEPT = 100


class Record(dict):
    """One record, as functions of scripts get it: its fields as items and as attributes."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self[name] = value

    def __delattr__(self, name):
        self.pop(name, None)


def kind_of(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if -(2**31) <= value < 2**31 else "long" if -(2**63) <= value < 2**63 else "double"
    if isinstance(value, (dict, list, tuple, set)):
        return "struct" if isinstance(value, dict) else "array"
    if isinstance(value, datetime.datetime):
        return "timestamp"
    plain = {float: "double", str: "string", datetime.date: "date", decimal.Decimal: "decimal", bytes: "binary"}
    for type_, kind in {**plain, bytearray: "binary"}.items():
        if isinstance(value, type_):
            return kind
    if hasattr(value, "item"):
        return kind_of(value.item())
    raise TypeError(f"a record can't hold a value of {type(value).__name__}")


def see(value, tree):
    """Adds to a tree what a value is."""
    if value is None:
        return tree
    kind = kind_of(value)
    if kind == "struct":
        fields = tree.setdefault("struct", {})
        for name, inner in value.items():
            see(inner, fields.setdefault(str(name), {}))
    elif kind == "array":
        elements = tree.setdefault("array", {})
        for inner in value:
            see(inner, elements)
    else:
        tree[kind] = None
    return tree


def join_trees(one, other):
    """Adds a tree to one."""
    for kind, below in other.items():
        if kind == "struct":
            fields = one.setdefault("struct", {})
            for name, inner in below.items():
                join_trees(fields.setdefault(name, {}), inner)
        elif kind == "array":
            join_trees(one.setdefault("array", {}), below)
        else:
            one[kind] = None
    return one


def settle(tree, before=None):
    """The layout for what was found; `before` is what was declared of the same place, which stays where it fits."""
    kinds = set(tree)
    if before is not None and fits(kinds, before):
        return keep(tree, before)
    if {"int", "long"} <= kinds:
        kinds.discard("int")
    # A struct without fields holds nothing that a column could.
    if "struct" in kinds and not tree["struct"]:
        kinds.discard("struct")
    possible = []
    for kind in sorted(kinds, key=ORDER.index):
        if kind == "struct":
            known = dict(before["fields"]) if before is not None and before["kind"] == "struct" else {}
            layout = {"kind": kind, "fields": [[n, settle(t, known.get(n))] for n, t in tree[kind].items()]}
        elif kind == "array":
            layout = {"kind": kind, "of": settle(tree[kind])}
        else:
            layout = {"kind": "decimal(38,18)" if kind == "decimal" else kind}
        possible.append([kind, layout])
    if not possible:
        return {"kind": "null"}
    return possible[0][1] if len(possible) == 1 else {"kind": "choice", "of": possible}


def fits(kinds, before):
    """Whether a declared layout takes what was found."""
    declared = before["kind"]
    if declared == "choice":
        return all(any(fits({kind}, layout) for _, layout in before["of"]) for kind in kinds)
    if declared in WHOLE:
        return kinds <= {"int", "long"} if declared == "long" else kinds <= {"int"}
    if declared in ("float", "double"):
        return kinds <= {"double"}
    if declared.startswith("decimal"):
        return kinds <= {"decimal"}
    if declared == "map":
        return kinds <= {"struct"}
    return declared != "null" and kinds <= {declared}


def keep(tree, before):
    """A declared layout, with what was found below it."""
    if before["kind"] == "struct" and "struct" in tree:
        known = dict(before["fields"])
        return {"kind": "struct", "fields": [[n, settle(t, known.get(n))] for n, t in tree["struct"].items()]}
    if before["kind"] == "array" and tree.get("array"):
        return {"kind": "array", "of": settle(tree["array"], before["of"])}
    return before


def lay_out(value, layout):
    """A value as Arrow takes it by its layout."""
    kind = layout["kind"]
    if value is None or kind == "null" or value == {} and kind not in ("struct", "map"):
        return None
    if hasattr(value, "item") and not isinstance(value, (dict, list)):
        value = value.item()
    if kind == "struct":
        return {name: lay_out(value.get(name), inner) for name, inner in layout["fields"]}
    if kind == "array":
        return [lay_out(inner, layout["of"]) for inner in value]
    if kind == "map":
        return [(key, lay_out(inner, layout["of"])) for key, inner in value.items()]
    if kind == "choice":
        found = kind_of(value)
        for name, inner in layout["of"]:
            if fits({found}, inner):
                return {name: lay_out(value, inner)}
        raise TypeError(f"a choice without {found}")
    return float(value) if kind in ("float", "double") else value


def take(value, layout):
    """A value of Arrow's as a script sees it: a choice is its value, whatever its type."""
    if value is None:
        return None
    kind = layout["kind"]
    if kind == "struct":
        return Record((name, take(value.get(name), inner)) for name, inner in layout["fields"])
    if kind == "array":
        return [take(inner, layout["of"]) for inner in value]
    if kind == "map":
        return {key: take(inner, layout["of"]) for key, inner in value}
    if kind == "choice":
        return next((take(value[name], inner) for name, inner in layout["of"] if value.get(name) is not None), None)
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return value


def attempt(function, rows):
    """What a function makes of rows, one (result, None) or (None, error) after the other."""
    for row in rows:
        try:
            results = list(function(row))
        except Exception as error:
            text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            yield None, {"msg": f"{type(error).__name__}: {error}", "stackTrace": text}
        else:
            for result in results:
                yield result, None


def looker(function, layout):
    """A function of Arrow's batches that says what is found in a function's results: one row of JSON a partition."""

    def look(batches):
        import pyarrow

        tree, count, errors = {}, 0, []
        for batch in batches:
            rows = (take(row, layout) for row in batch.to_pylist())
            for result, error in attempt(function, rows):
                if error is None:
                    try:
                        see(result, tree)
                        continue
                    except TypeError as unknown:
                        error = {"msg": str(unknown), "stackTrace": ""}
                count += 1
                if len(errors) < ERRORS_KEPT:
                    errors.append(error)
        found = json.dumps({"tree": tree, "count": count, "errors": errors})
        yield pyarrow.RecordBatch.from_pylist([{"found": found}], schema=pyarrow.schema([("found", pyarrow.string())]))

    return look


def null_throughout(array):
    """An array in which the fields of a struct that isn't there aren't there either: some engines look no further
    up."""
    import pyarrow

    if pyarrow.types.is_struct(array.type) and array.type.num_fields:
        children = [null_throughout(child) for child in array.flatten()]
        return pyarrow.StructArray.from_arrays(children, fields=list(array.type), mask=array.is_null())
    if pyarrow.types.is_list(array.type):
        values = null_throughout(array.values)
        return pyarrow.ListArray.from_arrays(array.offsets, values, type=array.type, mask=array.is_null())
    return array


def maker(function, layout, made, schema):
    """A function of Arrow's batches that lays out a function's results. Those that can't be are left out: they are
    errors."""

    def make(batches):
        import pyarrow

        for batch in batches:
            rows = (take(row, layout) for row in batch.to_pylist())
            laid = []
            for result, error in attempt(function, rows):
                try:
                    if error is None and result is not None:
                        laid.append(lay_out(result, made))
                except TypeError:
                    pass
            made_of_rows = pyarrow.RecordBatch.from_pylist(laid, schema=schema)
            yield pyarrow.RecordBatch.from_arrays(
                [null_throughout(array) for array in made_of_rows.columns], schema=schema
            )

    return make


def keeper(function, layout):
    """A function of Arrow's batches that keeps the rows that a function says yes to."""

    def keep_rows(batches):
        import pyarrow

        for batch in batches:
            mask = [bool(function(take(row, layout))) for row in batch.to_pylist()]
            yield batch.filter(pyarrow.array(mask, pyarrow.bool_()))

    return keep_rows


def writer(layout, keys):
    """A function of Arrow's batches that makes lines of JSON: a choice is its value, what isn't there is left out. The
    columns named by `keys` stay columns."""

    def write(batches):
        import pyarrow

        for batch in batches:
            rows = [take(row, layout) for row in batch.to_pylist()]
            kept = [batch.column(batch.schema.get_field_index(key)) for key in keys]
            lines = [json.dumps(present(row, keys), default=as_json, ensure_ascii=False) for row in rows]
            fields = [batch.schema.field(key) for key in keys]
            schema = pyarrow.schema([pyarrow.field("value", pyarrow.string()), *fields])
            yield pyarrow.RecordBatch.from_arrays([pyarrow.array(lines, pyarrow.string()), *kept], schema=schema)

    return write


def present(value, without=()):
    """A value without the fields that have none."""
    if isinstance(value, dict):
        return {name: present(inner) for name, inner in value.items() if inner is not None and name not in without}
    return [present(inner) for inner in value] if isinstance(value, list) else value


def as_json(value):
    """What JSON has no type for, as Spark writes it."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, decimal.Decimal):
        return float(value)
    return base64.b64encode(value).decode() if isinstance(value, (bytes, bytearray)) else str(value)


def records_of_text(text):
    """The objects of a text of JSON: one, several one after the other, or an array of them."""
    decoder, position, found = json.JSONDecoder(), 0, []
    text = text.lstrip("\ufeff")
    while position < len(text):
        if text[position] in " \t\r\n,":
            position += 1
            continue
        value, position = decoder.raw_decode(text, position)
        found.extend(value if isinstance(value, list) else [value])
    for value in found:
        if not isinstance(value, dict):
            raise ValueError(f"not an object: {json.dumps(value)[:100]}")
    return found


def from_lines(row):
    """The records of a line, with the columns that its folders' names make."""
    folders = {name: value for name, value in row.items() if name != "value"}
    text = row.get("value")
    return [{**record, **folders} for record in records_of_text(text)] if text and text.strip() else []


def mapping(function):
    def one(record):
        result = function(record)
        if result is None:
            return []
        if not isinstance(result, dict):
            raise TypeError(f"a function of records gave {type(result).__name__}, not a record")
        return [result]

    return one


def flat_mapping(function):
    def many(record):
        return [result for one in function(record) for result in mapping(lambda _: one)(None)]

    return many


def unboxing(path):
    def unbox(record):
        place = record
        for part in path[:-1]:
            place = place.get(part) or {}
        if place.get(path[-1]) is not None:
            place[path[-1]] = json.loads(place[path[-1]])
        return [record]

    return unbox
