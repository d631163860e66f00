"""Values for the shapes of AWS's model, and what is wrong with values that should be of them."""

import base64
import binascii
import re
from typing import NamedTuple

import botocore.session
from server import ACCOUNT

MODEL = botocore.session.get_session().get_service_model("glue")

# The first one that a string's limits allow is its value. Letters of one to four bytes show that text stays as it is.
TEXTS = (
    "{name} é☃𐍈 {number}",
    "token-{number}",
    "https://example.com/{number}",
    "arn:aws:glue:us-east-1:123456789012:thing/{number}",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:{number}",
    "arn:aws:kms:us-east-1:123456789012:key/{number}",
    "00000000-0000-4000-8000-{number:012}",
    "head{number}.body.tail",
)


class LeftOut:
    """Stands for a member that isn't sent."""


class Variant(NamedTuple):
    """How values are made: two variants differ in every value that may differ."""

    yes: bool
    offset: int


FIRST = Variant(True, 0)
SECOND = Variant(False, 500)


def shape_of(operation, *members, output=False):
    """The shape of a request or response, or of what is in it."""
    model = MODEL.operation_model(operation)
    shape = model.output_shape if output else model.input_shape
    for member in members:
        shape = shape.members[member]
    return shape


def filled(shape, given=None, variant=FIRST):
    """A value with every member that the shape has. `given` holds those that must have a meaning, by their path."""
    counter = iter(range(variant.offset + 1, 1_000_000))

    def value(shape, name, path):
        if given and path in given:
            return given[path]
        match shape.type_name:
            case "structure":
                members = {
                    member: value(inner, member, f"{path}.{member}".lstrip("."))
                    for member, inner in shape.members.items()
                }
                return {member: found for member, found in members.items() if found is not LeftOut}
            case "list":
                count = min(2, shape.metadata.get("max", 2))
                return [value(shape.member, name, f"{path}.{index}") for index in range(count)]
            case "map":
                keys = shape.key.metadata.get("enum") or [text(shape.key, "key", next(counter)) for _ in range(2)]
                return {key: value(shape.value, name, f"{path}.{key}") for key in keys[:2]}
            case "string":
                return text(shape, name, next(counter))
            case "integer" | "long":
                return number(shape, next(counter))
            case "double" | "float":
                return next(counter) + 0.5
            case "boolean":
                return variant.yes
            case "timestamp":
                return 1_700_000_000.25 + next(counter)
            case "blob":
                return base64.b64encode(b"\x00\xff%d" % next(counter)).decode()
        raise AssertionError(f"no values for a {shape.type_name}")

    return value(shape, shape.name, "")


def text(shape, name, count):
    if shape.name == "CatalogIdString":
        return ACCOUNT
    if allowed := shape.metadata.get("enum"):
        return allowed[count % len(allowed)]
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 1 << 20)
    pattern = python_pattern(shape)
    for candidate in TEXTS:
        found = candidate.format(name=name, number=count)
        if least <= len(found) <= most and (pattern is None or re.fullmatch(pattern, found)):
            return found
    raise AssertionError(f"no text for {shape.name} with {shape.metadata}")


def number(shape, count):
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if most is not None:
        return least + count % (most - least + 1)
    # More than a double can tell from its neighbours.
    return least + count + (2**53 if shape.type_name == "long" else 0)


def python_pattern(shape):
    """A string's pattern as Python's `re` has it."""
    pattern = shape.metadata.get("pattern")
    if pattern is None:
        return None
    pattern = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    # Python knows no classes of letters, numbers and punctuation.
    return pattern.replace(r"\p{L}\p{N}\p{P}", r"\w-")


def reachable(shape, excused=()):
    """Every `Shape.Member` that can be in a value of this shape, without those that are excused and what is in them."""
    found = set()

    def visit(shape):
        match shape.type_name:
            case "structure":
                for member, inner in shape.members.items():
                    name = f"{shape.name}.{member}"
                    if name not in found and name not in excused:
                        found.add(name)
                        visit(inner)
            case "list":
                visit(shape.member)
            case "map":
                visit(shape.value)

    visit(shape)
    return found


def read(shape, value):
    """Every `Shape.Member` that is in a value, and what is wrong with it."""
    found, wrong = set(), []

    def visit(shape, value, path):
        if not is_of_type(shape, value):
            wrong.append(f"{path}: {value!r} is no {shape.type_name}")
            return
        match shape.type_name:
            case "structure":
                for member in shape.required_members:
                    if member not in value:
                        wrong.append(f"{path}.{member} is missing")
                for member, inner in value.items():
                    if member not in shape.members:
                        wrong.append(f"{path}.{member} is not in {shape.name}")
                        continue
                    found.add(f"{shape.name}.{member}")
                    visit(shape.members[member], inner, f"{path}.{member}")
            case "list":
                for index, inner in enumerate(value):
                    visit(shape.member, inner, f"{path}.{index}")
            case "map":
                for key, inner in value.items():
                    visit(shape.value, inner, f"{path}.{key}")
            case "string":
                allowed = shape.metadata.get("enum")
                if allowed and value not in allowed:
                    wrong.append(f"{path}: {value!r} is not one of {allowed}")

    visit(shape, value, shape.name)
    return found, wrong


def is_of_type(shape, value):
    match shape.type_name:
        case "structure" | "map":
            return isinstance(value, dict)
        case "list":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "double" | "float" | "timestamp":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "blob":
            return isinstance(value, str) and is_base64(value)
    raise AssertionError(f"a {shape.type_name} is not expected in an answer")


def is_base64(value):
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    return True
