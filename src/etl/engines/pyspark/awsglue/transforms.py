"""Glue's transformations as classes: CLASS.apply(frame, ...) is a method of the frame."""

from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection
from awsglue.refusals import NotHere

__all__ = [
    "ApplyMapping",
    "Coalesce",
    "DropFields",
    "DropNullFields",
    "ErrorsAsDynamicFrame",
    "Filter",
    "FlatMap",
    "GlueTransform",
    "Join",
    "Map",
    "MapToCollection",
    "Relationalize",
    "RenameField",
    "Repartition",
    "ResolveChoice",
    "SelectFields",
    "SelectFromCollection",
    "SplitFields",
    "SplitRows",
    "Spigot",
    "Transform",
    "Unbox",
    "Union",
    "UnnestFrame",
]
REFUSED = {
    "FillMissingValues",
    "FindMatches",
    "FindIncrementalMatches",
    "EvaluateDataQuality",
    "EvaluateDataQualityMultiFrame",
    "DetectPII",
    "EntityDetector",
    "MergeDynamicFrame",
    "MapValues",
}


class GlueTransform:
    """A transformation; `method` is the frame's method for it."""

    method = None

    @classmethod
    def apply(cls, *others, **named):
        return cls()(*others, **named)

    @classmethod
    def name(cls):
        return cls.__name__

    def __call__(self, frame, *others, **named):
        return getattr(frame, self.method)(*others, **named)


Transform = GlueTransform


def transform(name, method, says):
    return type(name, (GlueTransform,), {"method": method, "__doc__": says, "__module__": __name__})


ApplyMapping = transform("ApplyMapping", "apply_mapping", "Fields by (source, type, target, type).")
Coalesce = transform("Coalesce", "coalesce", "The rows in fewer parts.")
DropFields = transform("DropFields", "drop_fields", "A frame without some fields.")
DropNullFields = transform("DropNullFields", "drop_nulls", "A frame without the fields that are null in all rows.")
ErrorsAsDynamicFrame = transform("ErrorsAsDynamicFrame", "errorsAsDynamicFrame", "What went wrong so far.")
Repartition = transform("Repartition", "repartition", "The rows in so many parts.")
ResolveChoice = transform("ResolveChoice", "resolveChoice", "A frame with its choices settled.")
SelectFields = transform("SelectFields", "select_fields", "A frame with some of its fields.")
SplitFields = transform("SplitFields", "split_fields", "Two frames: some fields, and the others.")
Spigot = transform("Spigot", "spigot", "Writes some rows on the way.")
Unbox = transform("Unbox", "unbox", "A field of text as what is in it.")
UnnestFrame = transform("UnnestFrame", "unnest", "Fields of structs as columns of their own.")


def apply_to(base, frame_name, frame, context, named):
    named = {**named, **(named.get("base_kwargs") or {})}
    named.pop("base_kwargs", None)
    return base.apply(**{**named, frame_name: frame, "transformation_ctx": context})


class Filter(GlueTransform):
    """The records for which a function says yes."""

    def __call__(self, frame, f, **named):
        return frame.filter(f, **named)


class Map(GlueTransform):
    """What a function makes of each record."""

    def __call__(self, frame, f, **named):
        return frame.map(f, **named)


class FlatMap(GlueTransform):
    """The records that a function makes of each one, or the frames that a transformation makes of each one of a
    collection."""

    def __call__(
        self, dfc=None, BaseTransform=None, frame_name="frame", transformation_ctx="", frame=None, f=None, **named
    ):
        source = frame if frame is not None else dfc
        if isinstance(source, DynamicFrame):
            return source.flatMap(f or BaseTransform, transformation_ctx=transformation_ctx, **named)

        def call(one, context):
            made = apply_to(BaseTransform, frame_name, one, context, named)
            return made if isinstance(made, DynamicFrameCollection) else {context: made}

        return source.flatmap(call, transformation_ctx)


class Join(GlueTransform):
    """An inner join by equal fields."""

    def __call__(self, frame1, frame2, keys1, keys2, transformation_ctx="", **named):
        keys1, keys2 = [[keys] if isinstance(keys, str) else keys for keys in (keys1, keys2)]
        return frame1.join(keys1, keys2, frame2, transformation_ctx=transformation_ctx, **named)


class MapToCollection(GlueTransform):
    """Applies a transformation, or a function of a frame and its context, to each frame of a collection."""

    def __call__(self, dfc, BaseTransform=None, frame_name="frame", transformation_ctx="", callable=None, **named):
        call = callable or (lambda one, context: apply_to(BaseTransform, frame_name, one, context, named))
        return dfc.map(call, transformation_ctx)


class RenameField(GlueTransform):
    """A frame with a field by another name."""

    def __call__(self, frame, old_name, new_name, **named):
        return frame.rename_field(old_name, new_name, **named)


class Relationalize(GlueTransform):
    """Tables without nested fields, by name."""

    def __call__(self, frame, staging_path=None, name="roottable", options=None, transformation_ctx="", **named):
        return frame.relationalize(name, staging_path, options, transformation_ctx, **named)


class SelectFromCollection(GlueTransform):
    """One frame of a collection."""

    def __call__(self, dfc, key, transformation_ctx=""):
        return dfc.select(key, transformation_ctx)


class SplitRows(GlueTransform):
    """Two frames: the rows for which comparisons hold, and the others."""

    def __call__(self, frame, comparison_dict, name1="frame1", name2="frame2", **named):
        return frame.split_rows(comparison_dict, name1, name2, **named)


class Union(GlueTransform):
    """The rows of both frames."""

    def __call__(self, frame1, frame2, transformation_ctx="", **named):
        return frame1.union(frame2, transformation_ctx=transformation_ctx, **named)


def __getattr__(name):
    if name in REFUSED:
        raise NotHere(f"awsglue.transforms.{name}")
    raise AttributeError(f"module 'awsglue.transforms' has no attribute {name!r}")
