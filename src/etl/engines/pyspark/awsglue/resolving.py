"""What becomes of choices and of structs."""

import functools

from awsglue import shapes
from awsglue.refusals import refuse
from awsglue.shapes import find


def resolve(frame, path, action):
    """A frame's DataFrame after an action on a path, and the choices that are left."""
    layout = frame._layout()
    found = frame._find(path)
    if found is None:
        return frame._frame, frame._choices
    place, real = found
    verb, _, kind = action.partition(":")
    is_choice = place["kind"] == "choice"
    left = {choice for choice in frame._choices if choice[: len(real)] != real}
    if verb == "make_struct":
        return frame._frame, frame._choices - {real}
    if verb == "cast":
        wanted = shapes.to_kind(kind)
        edit = lambda at, inner, made: [(real[-1], shapes.as_type(made, inner, wanted))]
    elif verb == "project":
        wanted = kind_in(place, kind) if is_choice else None
        if wanted is None:
            return frame._frame, frame._choices
        left |= shapes.choices_of(dict(place["of"])[wanted], real)
        edit = lambda at, inner, made: [(real[-1], shapes.field(made, wanted))]
    elif verb == "make_cols":
        if not is_choice:
            return frame._frame, frame._choices
        if real[-1] == shapes.ELEMENT:
            refuse(f"make_cols of an array's elements ({path})")
        for name, inner in place["of"]:
            left |= shapes.choices_of(inner, (*real[:-1], f"{real[-1]}_{name}"))
        edit = lambda at, inner, made: [(f"{real[-1]}_{name}", shapes.field(made, name)) for name, _ in place["of"]]
    else:
        refuse(f"the action {action} of resolveChoice")
    return shapes.rebuilt(frame._frame, layout, edit, [real]), left


def kind_in(place, kind):
    """The possibility of a choice by a type's name, or None."""
    kind = shapes.ALIASES.get(kind.strip().lower(), kind.strip().lower())
    names = [name for name, _ in place["of"]]
    if kind not in names:
        raise ValueError(f"project:{kind}: the choice has {', '.join(names)}")
    return kind


def of_catalog(frame, table):
    """The specs that make a frame's choices the types of a table's columns."""
    columns = [*table["StorageDescriptor"].get("Columns", []), *table.get("PartitionKeys", [])]
    layout, specs = frame._layout(), []
    for told in columns:
        found = find(layout, (told["Name"],))
        if found and shapes.choices_of(found[0]):
            specs.append((found[1], f"cast:{told['Type']}"))
    return specs


def flat_fields(layout, get, path):
    """The fields of a struct and of those in it, as (name, layout, column); choices and arrays stay whole."""
    for name, inner in layout["fields"]:
        made, at = get(name), (*path, name)
        if inner["kind"] == "struct":
            yield from flat_fields(inner, functools.partial(shapes.field, made), at)
        else:
            yield ".".join(at), inner, made


def flattened(frame):
    fields = list(flat_fields(frame._layout(), shapes.column, ()))
    choices = set().union(*[shapes.choices_of(inner, (name,)) for name, inner, _ in fields])
    return frame._next(frame._frame.select(*[made.alias(name) for name, _, made in fields]), choices)


def nulls_in(layout, path=()):
    """The paths of the fields whose type is null."""
    if layout["kind"] == "struct":
        for name, inner in layout["fields"]:
            if inner["kind"] == "null":
                yield (*path, name)
            else:
                yield from nulls_in(inner, (*path, name))
    elif layout["kind"] == "array":
        yield from nulls_in(layout["of"], (*path, shapes.ELEMENT))
