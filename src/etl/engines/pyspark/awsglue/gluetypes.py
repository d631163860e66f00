"""Types as DynamicFrame.schema() names them."""


class DataType:
    """A type without anything below it."""

    name = None

    def __init__(self, properties=None):
        self.properties = properties or {}

    @classmethod
    def typeName(cls):
        return cls.name

    def jsonValue(self):
        return {"dataType": self.typeName(), "properties": self.properties}

    def lines(self):
        return []

    def __eq__(self, other):
        return isinstance(other, DataType) and self.jsonValue() == other.jsonValue()

    def __hash__(self):
        return hash(repr(self.jsonValue()))

    def __repr__(self):
        return f"{type(self).__name__}({self.properties})"


AtomicType = DataType


def atomic(kind):
    return type(f"{kind.capitalize()}Type", (DataType,), {"name": kind, "__doc__": f"The type {kind}."})


BinaryType, BooleanType, ByteType, DateType, DoubleType, FloatType, IntegerType, LongType, NullType, ShortType = map(
    atomic, ("binary", "boolean", "byte", "date", "double", "float", "int", "long", "null", "short")
)
StringType, TimestampType, UnknownType = map(atomic, ("string", "timestamp", "unknown"))
IntegerType.__name__ = "IntegerType"


class DecimalType(DataType):
    """A number of so many digits."""

    name = "decimal"

    def __init__(self, precision=10, scale=2, properties=None):
        super().__init__(properties)
        self.precision, self.scale = precision, scale

    def jsonValue(self):
        return {**super().jsonValue(), "precision": self.precision, "scale": self.scale}


def below(name, type_):
    return [f"|-- {name}: {type_.typeName()}", *("|    " + line for line in type_.lines())]


class ArrayType(DataType):
    """Elements of one type."""

    name = "array"

    def __init__(self, elementType=None, properties=None):
        super().__init__(properties)
        self.elementType = elementType or UnknownType()

    def jsonValue(self):
        return {**super().jsonValue(), "elementType": self.elementType.jsonValue()}

    def lines(self):
        return below("element", self.elementType)


class MapType(DataType):
    """Values of one type by strings."""

    name = "map"

    def __init__(self, valueType=None, properties=None, keyType=None):
        super().__init__(properties)
        self.keyType, self.valueType = keyType or StringType(), valueType or UnknownType()

    def jsonValue(self):
        return {**super().jsonValue(), "valueType": self.valueType.jsonValue()}

    def lines(self):
        return below("keyType", self.keyType) + below("valueType", self.valueType)


class Field:
    """A field of a struct."""

    def __init__(self, name, dataType, properties=None):
        self.name, self.dataType, self.properties = name, dataType, properties or {}

    def jsonValue(self):
        return {"name": self.name, "container": self.dataType.jsonValue(), "properties": self.properties}

    def __eq__(self, other):
        return isinstance(other, Field) and self.jsonValue() == other.jsonValue()

    def __repr__(self):
        return f"Field({self.name}, {self.dataType!r}, {self.properties})"


class StructType(DataType):
    """Fields by name."""

    name = "struct"

    def __init__(self, fields=None, properties=None):
        super().__init__(properties)
        self.fields = list(fields or [])
        self.field_map = {field.name: field for field in self.fields}

    def __iter__(self):
        return iter(self.fields)

    def jsonValue(self):
        return {**super().jsonValue(), "fields": [field.jsonValue() for field in self.fields]}

    def lines(self):
        return [line for field in self.fields for line in below(field.name, field.dataType)]

    def treeString(self):
        return "\n".join(["root", *self.lines()])


class ChoiceType(DataType):
    """One of several types."""

    name = "choice"

    def __init__(self, choices=None, properties=None):
        super().__init__(properties)
        self.choices = {type_.typeName(): type_ for type_ in choices or []}

    def jsonValue(self):
        return {**super().jsonValue(), "choices": [type_.jsonValue() for type_ in self.choices.values()]}

    def lines(self):
        found = []
        for name, type_ in self.choices.items():
            found += [f"|-- {name}", *("|    " + line for line in type_.lines())]
        return found


SIMPLE = {
    type_.name: type_
    for type_ in (BinaryType, BooleanType, ByteType, DateType, DoubleType, FloatType, IntegerType, LongType, NullType,
                  ShortType, StringType, TimestampType)
}  # fmt: skip


def from_layout(layout):
    """The type of a layout (see shapes.py)."""
    kind = layout["kind"]
    if kind == "struct":
        return StructType([Field(name, from_layout(inner)) for name, inner in layout["fields"]])
    if kind == "choice":
        return ChoiceType([from_layout(inner) for _, inner in layout["of"]])
    if kind == "array":
        return ArrayType(from_layout(layout["of"]))
    if kind == "map":
        return MapType(from_layout(layout["of"]), keyType=from_layout(layout["key"]))
    if kind.startswith("decimal"):
        precision, scale = kind[8:-1].split(",")
        return DecimalType(int(precision), int(scale))
    return SIMPLE.get(kind, UnknownType)()
