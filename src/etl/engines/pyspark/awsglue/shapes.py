"""Columns within columns: paths of fields, layouts of frames, and expressions that rebuild what is nested.

A path is a tuple of names; "[]" stands for an array's elements. A layout (see kinds.py) knows what Spark's own schema
can't say: which structs are choices."""

import re

from pyspark.sql import functions as F
from pyspark.sql import types as T

from awsglue.refusals import NotHere

ELEMENT = "[]"
SIMPLE = {
    "string": T.StringType,
    "boolean": T.BooleanType,
    "byte": T.ByteType,
    "short": T.ShortType,
    "int": T.IntegerType,
    "long": T.LongType,
    "float": T.FloatType,
    "double": T.DoubleType,
    "date": T.DateType,
    "timestamp": T.TimestampType,
    "binary": T.BinaryType,
    "null": T.NullType,
}
KINDS = {type_: kind for kind, type_ in SIMPLE.items()}
ALIASES = {
    "bigint": "long",
    "integer": "int",
    "smallint": "short",
    "tinyint": "byte",
    "void": "null",
    "str": "string",
    "bool": "boolean",
    "varchar": "string",
    "char": "string",
    "real": "float",
}
PART = re.compile(r"`((?:[^`]|``)+)`|([^.`\[\]]+)|(\[\])|(\.)")


def quote(name):
    return "`" + name.replace("`", "``") + "`"


def column(name):
    """A column of a frame by its own name, dots and all."""
    return F.col(quote(name))


def split_path(text):
    """The names of a path: dots part them, except in backticks."""
    if isinstance(text, tuple):
        return text
    parts, position = [], 0
    for match in PART.finditer(text):
        if match.start() != position:
            raise ValueError(f"not a path of a field: {text}")
        position = match.end()
        quoted, plain, element, _dot = match.groups()
        if quoted or plain or element:
            parts.append(quoted.replace("``", "`") if quoted else plain or ELEMENT)
    if position != len(text) or not parts:
        raise ValueError(f"not a path of a field: {text}")
    return tuple(parts)


def layout_of(type_, choices=frozenset(), path=()):
    """The layout of one of Spark's types."""
    if isinstance(type_, T.StructType):
        fields = [[f.name, layout_of(f.dataType, choices, (*path, f.name))] for f in type_.fields]
        return {"kind": "choice", "of": fields} if path in choices else {"kind": "struct", "fields": fields}
    if isinstance(type_, T.ArrayType):
        return {"kind": "array", "of": layout_of(type_.elementType, choices, (*path, ELEMENT))}
    if isinstance(type_, T.MapType):
        return {"kind": "map", "key": layout_of(type_.keyType), "of": layout_of(type_.valueType)}
    if isinstance(type_, T.DecimalType):
        return {"kind": f"decimal({type_.precision},{type_.scale})"}
    if type(type_) in KINDS:
        return {"kind": KINDS[type(type_)]}
    return {"kind": "timestamp" if type_.simpleString() == "timestamp_ntz" else type_.simpleString()}


def type_of(layout):
    """Spark's type for a layout."""
    kind = layout["kind"]
    if kind in ("struct", "choice"):
        return T.StructType(
            [T.StructField(n, type_of(inner)) for n, inner in layout["fields" if kind == "struct" else "of"]]
        )
    if kind == "array":
        return T.ArrayType(type_of(layout["of"]))
    if kind == "map":
        return T.MapType(type_of(layout["key"]), type_of(layout["of"]))
    if kind.startswith("decimal"):
        return T.DecimalType(*decimal_of(kind))
    if kind not in SIMPLE:
        raise NotHere(f"the type {kind}")
    return SIMPLE[kind]()


def decimal_of(kind):
    digits = re.findall(r"\d+", kind)
    return (int(digits[0]), int(digits[1]) if len(digits) > 1 else 0) if digits else (10, 2)


def choices_of(layout, path=()):
    """The paths of the choices in a layout."""
    kind, found = layout["kind"], set()
    if kind in ("struct", "choice"):
        found |= {path} if kind == "choice" else set()
        for name, inner in layout["fields" if kind == "struct" else "of"]:
            found |= choices_of(inner, (*path, name))
    elif kind == "array":
        found |= choices_of(layout["of"], (*path, ELEMENT))
    return frozenset(found)


def with_string_for_null(layout):
    """A layout in which what is always null is a string: Arrow and files need a type."""
    kind = layout["kind"]
    if kind == "null":
        return {"kind": "string"}
    if kind in ("struct", "choice"):
        key = "fields" if kind == "struct" else "of"
        return {"kind": kind, key: [[n, with_string_for_null(inner)] for n, inner in layout[key]]}
    return {**layout, "of": with_string_for_null(layout["of"])} if kind in ("array", "map") else layout


def find(layout, path):
    """The layout at a path and the path as it is written there, or None; exact names go before others."""
    real = []
    for part in path:
        if part == ELEMENT and layout["kind"] == "array":
            layout = layout["of"]
        elif part != ELEMENT and layout["kind"] in ("struct", "choice"):
            fields = layout["fields" if layout["kind"] == "struct" else "of"]
            names = [n for n, _ in fields]
            name = part if part in names else next((n for n in names if n.lower() == part.lower()), None)
            if name is None:
                return None
            layout, part = dict(fields)[name], name
        else:
            return None
        real.append(part)
    return layout, tuple(real)


def field(made, name):
    """A struct's field: null where the struct is null, whatever an engine has below it."""
    return F.when(made.isNotNull(), made.getField(name))


def value_at(path):
    """The column at a path without arrays in it."""
    made = column(path[0])
    for part in path[1:]:
        made = field(made, part)
    return made


def struct_of(fields):
    return F.struct(*[made.alias(name) for name, made in fields])


def rebuild(layout, made, path, edit, touched):
    """A column in which `edit` changed what is at the paths of `touched`.

    edit(path, layout, column) gives the fields in the place of one, [(name, column), ...], or None for what stays."""
    if not any(len(target) > len(path) and target[: len(path)] == path for target in touched):
        return made
    if layout["kind"] == "array":

        def element(value):
            at = (*path, ELEMENT)
            edited = edit(at, layout["of"], value) if at in touched else None
            return edited[0][1] if edited else rebuild(layout["of"], value, at, edit, touched)

        return F.transform(made, element)
    fields = rebuild_fields(layout, lambda name: field(made, name), path, edit, touched)
    return F.when(made.isNotNull(), struct_of(fields)) if fields else None


def rebuild_fields(layout, get, path, edit, touched):
    fields = []
    for name, inner in layout["fields" if layout["kind"] == "struct" else "of"]:
        at = (*path, name)
        edited = edit(at, inner, get(name)) if at in touched else None
        if edited is None:
            made = rebuild(inner, get(name), at, edit, touched)
            edited = [] if made is None else [(name, made)]
        fields.extend(edited)
    return fields


def rebuilt(frame, layout, edit, touched):
    """A frame with what `edit` changed at the paths of `touched`."""
    fields = rebuild_fields(layout, column, (), edit, set(touched))
    return frame.select(*[made.alias(name) for name, made in fields])


def to_kind(name):
    """A type by any of its names, as a layout."""
    text = name.strip()
    kind = ALIASES.get(text.lower(), text.lower())
    if kind in SIMPLE:
        return {"kind": kind}
    if re.match(r"(varchar|char)\(", kind):
        return {"kind": "string"}
    if kind.startswith("decimal"):
        return {"kind": "decimal({},{})".format(*decimal_of(kind))}
    if "<" in kind:
        return parse_nested(text)
    raise NotHere(f"the type {name}")


def parse_nested(text):
    """The layout of array<...>, map<...,...> or struct<name:...>."""
    outer, _, rest = text.partition("<")
    inner = top_level_parts(rest.rpartition(">")[0])
    outer = outer.strip().lower()
    if outer == "array":
        return {"kind": "array", "of": to_kind(inner[0])}
    if outer == "map":
        return {"kind": "map", "key": to_kind(inner[0]), "of": to_kind(inner[1])}
    if outer == "struct":
        pairs = [part.partition(":") for part in inner]
        return {"kind": "struct", "fields": [[n.strip().strip("`"), to_kind(kind)] for n, _, kind in pairs]}
    raise NotHere(f"the type {text}")


def top_level_parts(text):
    """A text parted at the commas that aren't within brackets."""
    parts, depth, begin = [], 0, 0
    for index, sign in enumerate(text):
        depth += (sign in "<(") - (sign in ">)")
        if sign == "," and depth == 0:
            parts.append(text[begin:index])
            begin = index + 1
    return [*parts, text[begin:]] if text.strip() else parts


WHOLE_OF_TEXT = r"^\s*([+-]?\d+)\.\d*\s*$"


def cast(made, kind, wanted):
    """A value as a simple type, or null. Of a text with a fraction a whole number takes the whole part, as Spark
    does."""
    if not hasattr(type(made), "try_cast"):
        return made.cast(type_of(wanted))
    if kind == "string" and wanted["kind"] in ("byte", "short", "int", "long"):
        made = F.regexp_replace(made, WHOLE_OF_TEXT, "$1")
    return made.try_cast(type_of(wanted))


def as_type(made, layout, wanted):
    """A column as another type. What can't be is null; of a choice whichever possibility can."""
    if layout == wanted:
        return made
    kind, target = layout["kind"], wanted["kind"]
    if target == "null":
        return F.lit(None)
    if kind == "choice":
        if target == "choice":
            return choice_as_choice(made, layout, wanted)
        return F.coalesce(*[as_type(field(made, name), inner, wanted) for name, inner in layout["of"]])
    if target == "choice":
        return into_choice(made, layout, wanted)
    if kind == "struct" and target == "struct":
        known = {n.lower(): (n, inner) for n, inner in layout["fields"]}
        fields = []
        for name, inner in wanted["fields"]:
            here = known.get(name.lower())
            value = as_type(field(made, here[0]), here[1], inner) if here else nothing(inner)
            fields.append((name, value))
        return F.when(made.isNotNull(), struct_of(fields))
    if kind == "array" and target == "array":
        return F.transform(made, lambda value: as_type(value, layout["of"], wanted["of"]))
    if kind == "struct" and target == "map":
        entries = [
            F.struct(F.lit(n).alias("key"), as_type(field(made, n), i, wanted["of"]).alias("value"))
            for n, i in layout["fields"]
        ]
        return F.when(made.isNotNull(), F.map_from_entries(F.array(*entries)))
    nested = {"struct", "array", "map"}
    if kind in nested and target == "string":
        return F.to_json(made)
    if kind == "null" or kind in nested or target in nested:
        return cast(made, kind, wanted) if kind == target == "map" else nothing(wanted)
    if (kind, target) in (("date", "timestamp"), ("timestamp", "date")) or {kind, target} & {"string", "null"}:
        return cast(made, kind, wanted)
    if {kind, target} & {"date", "timestamp", "binary"}:
        return cast(made, kind, wanted) if kind in ("int", "long") and target == "timestamp" else nothing(wanted)
    return cast(made, kind, wanted)


def nothing(layout):
    return F.lit(None).cast(type_of(layout)) if layout["kind"] != "null" else F.lit(None)


def into_choice(made, layout, wanted):
    """A value as one of a choice's possibilities."""
    place = next(i for i, (_, inner) in enumerate(wanted["of"]) if same_kind(layout, inner))
    fields = [
        (n, as_type(made, layout, inner) if i == place else nothing(inner)) for i, (n, inner) in enumerate(wanted["of"])
    ]
    return F.when(made.isNotNull(), struct_of(fields))


def choice_as_choice(made, layout, wanted):
    known = dict((n, inner) for n, inner in layout["of"])
    fields = []
    for name, inner in wanted["of"]:
        source = name if name in known else "int" if name == "long" and "int" in known else None
        fields.append((name, as_type(field(made, source), known[source], inner) if source else nothing(inner)))
    return F.when(made.isNotNull(), struct_of(fields))


def same_kind(one, other):
    a, b = one["kind"], other["kind"]
    return a == b or (a, b) == ("int", "long") or a.startswith("decimal") and b.startswith("decimal")


def merged(one, other):
    """The layout that takes the values of two: a choice where they differ."""
    a, b = one["kind"], other["kind"]
    if one == other or b == "null":
        return one
    if a == "null":
        return other
    if a == b == "struct":
        known = dict(other["fields"])
        fields = [[n, merged(inner, known.pop(n)) if n in known else inner] for n, inner in one["fields"]]
        return {"kind": "struct", "fields": fields + [[n, i] for n, i in other["fields"] if n in known]}
    if a == b == "array":
        return {"kind": "array", "of": merged(one["of"], other["of"])}
    if {a, b} == {"int", "long"}:
        return {"kind": "long"}
    if a != "choice" and b != "choice" and a == b:
        raise NotHere(f"a union of two columns of {a} that differ")
    possible = {}
    for layout in (one, other):
        for name, inner in layout["of"] if layout["kind"] == "choice" else [[layout["kind"].split("(")[0], layout]]:
            possible[name] = merged(possible[name], inner) if name in possible else inner
    if {"int", "long"} <= set(possible):
        del possible["int"]
    return {"kind": "choice", "of": [[n, possible[n]] for n in sorted(possible)]}
