"""Frames whose fields may be of several types at once.

A DynamicFrame is a DataFrame and the paths of its choices: structs with one field a type, of which at most one has a
value. Where a function's results or JSON decide the types, a first pass over the rows finds them, a second one makes
the frame."""

import functools
import json

from pyspark import cloudpickle
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from awsglue import gluetypes, kinds, relational, resolving, shapes
from awsglue.collections import DynamicFrameCollection, DynamicFrameReader, DynamicFrameWriter
from awsglue.refusals import NotHere, refuse
from awsglue.shapes import column, find, split_path

# Workers needn't have this package.
cloudpickle.register_pickle_by_value(kinds)

__all__ = ["DynamicFrame", "DynamicFrameCollection", "DynamicFrameReader", "DynamicFrameWriter", "ResolveOption"]
COMPARISONS = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class ResolveOption:
    """How toDF() is to show one choice: KeepAsStruct, Cast or Project."""

    def __init__(self, path, action, target=None):
        self.path, self.action, self.target = path, action, target


def stage(method):
    """A method that makes a frame of one: takes what any of Glue's does, and ends the run where errors are too many."""

    @functools.wraps(method)
    def run(self, *others, transformation_ctx="", info="", stageThreshold=0, totalThreshold=0, **named):
        made = method(self, *others, **named)
        if isinstance(made, DynamicFrame):
            made.name = transformation_ctx or made.name
            for what, limit, count in (
                ("stage", stageThreshold, made.stageErrorsCount()),
                ("total", totalThreshold, made.errorsCount()),
            ):
                if limit and count > limit:
                    raise RuntimeError(f"{count} errors, {what}Threshold is {limit}{': ' + info if info else ''}")
        return made

    return run


def found_in(frame, function, layout):
    """What is found in a function's results: the tree, how many errors, and the first of them."""
    looked = frame.mapInArrow(kinds.looker(function, layout), "found string").collect()
    tree, count, errors = {}, 0, []
    for row in looked:
        told = json.loads(row["found"])
        kinds.join_trees(tree, told["tree"])
        count += told["count"]
        errors += told["errors"]
    return tree, count, errors[: kinds.ERRORS_KEPT]


def made_of(frame, function, glue_ctx, name, choices=frozenset(), before=None, earlier=0, told=()):
    """The DynamicFrame of what a function makes of each row."""
    layout = shapes.layout_of(frame.schema, choices)
    tree, count, errors = found_in(frame, function, layout)
    if count:
        glue_ctx.get_logger().warn(f"{count} records can't be used. The first: {errors[0]['msg']}")
    made = kinds.settle(tree, before) if tree.get("struct") else before or {"kind": "struct", "fields": []}
    typed = shapes.with_string_for_null(made)
    schema = shapes.type_of(typed)
    rows = frame.mapInArrow(kinds.maker(function, layout, typed, to_arrow_schema(schema)), schema)
    fields = [shapes.as_type(column(n), i, w).alias(n) for (n, i), (_, w) in zip(typed["fields"], made["fields"])]
    frame = rows.select(*fields) if typed != made else rows
    return DynamicFrame(frame, glue_ctx, name, shapes.choices_of(made), count, earlier + count, [*told, *errors])


class DynamicFrame:
    """A DataFrame with choices."""

    def __init__(self, jdf, glue_ctx, name="", choices=frozenset(), stage_errors=0, errors=0, told=()):
        self._frame, self.glue_ctx, self.name, self._choices = jdf, glue_ctx, name, frozenset(choices)
        self._stage_errors, self._errors, self._told = stage_errors, errors, list(told)

    @classmethod
    def fromDF(cls, dataframe, glue_ctx, name=""):
        return cls(dataframe, glue_ctx, name)

    def _layout(self):
        return shapes.layout_of(self._frame.schema, self._choices)

    def _next(self, frame, choices=None):
        """A frame made of this one's; choices that are where they were stay what they are."""
        if choices is None:
            schema = shapes.layout_of(frame.schema)
            choices = [path for path in self._choices if find(schema, path)]
        return DynamicFrame(frame, self.glue_ctx, self.name, choices, 0, self._errors, self._told)

    def _find(self, path):
        """The layout of a field and its path: nested, or by its whole name."""
        layout = self._layout()
        return find(layout, split_path(path)) or (find(layout, (path,)) if isinstance(path, str) else None)

    def _need(self, path):
        found = self._find(path)
        if found is None:
            raise ValueError(f"no field {path}: there are {', '.join(self._frame.columns)}")
        return found

    def _paths(self, paths):
        found = [self._find(path) for path in ([paths] if isinstance(paths, str) else paths)]
        return [place[1] for place in found if place]

    def toDF(self, options=None):
        """The DataFrame: a choice is a struct with one field a type, unless the options (ResolveOption) say
        otherwise."""
        made = self
        for option in options or []:
            action = {
                "keepasstruct": "make_struct",
                "cast": f"cast:{option.target}",
                "project": f"project:{option.target}",
            }
            if option.action.lower() not in action:
                refuse(f"toDF's action {option.action}")
            made = made.resolveChoice(specs=[(option.path, action[option.action.lower()])])
        return made._frame

    def schema(self):
        return gluetypes.from_layout(self._layout())

    def printSchema(self):
        print(self.schema().treeString())

    def count(self):
        return self._frame.count()

    def show(self, num_rows=20):
        """Prints rows as JSON, one a line; a choice is its value."""
        layout = shapes.with_string_for_null(self._layout())
        for row in self._frame.limit(num_rows).collect():
            print(json.dumps(kinds.take(plain(row, layout), layout), default=str, ensure_ascii=False))

    def getNumPartitions(self):
        return refuse("DynamicFrame.getNumPartitions")

    @stage
    def apply_mapping(self, mappings, case_sensitive=False):
        """Fields by (source, type, target, type), or (source, target): what isn't mapped or isn't there is left out.
        Dots in a target make structs."""
        layout, tree = self._layout(), {}
        for mapping in mappings:
            source, target, kind = (
                (mapping[0], mapping[2], mapping[3]) if len(mapping) == 4 else (mapping[0], mapping[1], None)
            )
            place = find(layout, split_path(source)) or find(layout, (source,))
            if place is None or case_sensitive and place[1] not in (split_path(source), (source,)):
                continue
            if shapes.ELEMENT in place[1]:
                refuse(f"a mapping of what is in an array ({source})", "relationalize or explode it first")
            self._put(tree, split_path(target), place, kind)
        choices, fields = set(), []
        for name, below in tree.items():
            fields.append(mapped(below, (name,), choices).alias(name))
        return self._next(self._frame.select(*fields), choices)

    def _put(self, tree, target, place, kind):
        for part in target[:-1]:
            tree = tree.setdefault(part, {})
            if not isinstance(tree, dict):
                raise ValueError(f"{part} is a field and a struct at once in the mapping")
        layout, path = place
        whole = kind is None or kind.strip().lower() in ("struct", "array", "map", "choice", "null")
        if (
            kind is not None
            and kind.strip().lower() in ("struct", "array", "map")
            and layout["kind"] != kind.strip().lower()
        ):
            refuse(f"a mapping of {'.'.join(path)}, of type {layout['kind']}, to {kind}")
        wanted = layout if whole else shapes.to_kind(kind)
        made = shapes.value_at(path)
        tree[target[-1]] = (made if whole else shapes.as_type(made, layout, wanted), wanted)

    @stage
    def resolveChoice(self, specs=None, choice="", database=None, table_name=None, catalog_id=None):
        """Settles choices: of some paths by specs, [(path, action), ...], or of all by one action. An action is
        cast:TYPE, project:TYPE, make_cols, make_struct, or match_catalog with a table's names."""
        if specs and choice:
            raise ValueError("resolveChoice takes specs or choice, not both")
        if not specs and not choice:
            raise ValueError("resolveChoice needs specs or choice")
        if choice == "match_catalog":
            if not database or not table_name:
                raise ValueError("match_catalog needs database and table_name")
            specs = resolving.of_catalog(self, self.glue_ctx.catalog.table(database, table_name, catalog_id))
        elif choice:
            specs = [(path, choice) for path in sorted(self._choices, key=len, reverse=True)]
        made = self
        for path, action in specs:
            frame, choices = resolving.resolve(made, path, action)
            made = made._next(frame, choices)
        return made

    @stage
    def drop_fields(self, paths):
        paths = self._paths(paths)
        return self._next(shapes.rebuilt(self._frame, self._layout(), lambda *_: [], paths))

    @stage
    def select_fields(self, paths):
        paths = self._paths(paths)
        layout = self._layout()

        def chosen(inner, made, path):
            if path in paths:
                return made
            below = inner.get("fields", []) if inner["kind"] == "struct" else []
            fields = [(n, chosen(i, shapes.field(made, n), (*path, n))) for n, i in below]
            fields = [(n, value) for n, value in fields if value is not None]
            return F.when(made.isNotNull(), shapes.struct_of(fields)) if fields else None

        if any(shapes.ELEMENT in path for path in paths):
            refuse("select_fields of what is in an array")
        order = list(dict.fromkeys(path[0] for path in paths))
        known = dict(layout["fields"])
        return self._next(self._frame.select(*[chosen(known[n], column(n), (n,)).alias(n) for n in order]))

    @stage
    def rename_field(self, oldName, newName):
        layout, old = self._need(oldName)
        new = split_path(newName)
        if len(new) == 1 and len(old) > 1:
            new = (*old[:-1], new[0])
        if new[:-1] != old[:-1]:
            refuse(f"a rename to another struct ({oldName} to {newName})", "apply_mapping moves fields")
        moved = {new + path[len(old) :] if path[: len(old)] == old else path for path in self._choices}
        frame = shapes.rebuilt(self._frame, self._layout(), lambda path, inner, made: [(new[-1], made)], [old])
        return self._next(frame, moved)

    def split_fields(self, paths, name1, name2, transformation_ctx="", info="", stageThreshold=0, totalThreshold=0):
        """Two frames: with these fields, and with the others."""
        return DynamicFrameCollection({name1: self.select_fields(paths), name2: self.drop_fields(paths)}, self.glue_ctx)

    def split_rows(
        self, comparison_dict, name1, name2, transformation_ctx="", info="", stageThreshold=0, totalThreshold=0
    ):
        """Two frames: with the rows for which all comparisons ({field: {">": value}}) hold, and with the others."""
        condition = F.lit(True)
        for path, comparisons in comparison_dict.items():
            layout, real = self._need(path)
            made = shapes.value_at(real)
            if layout["kind"] == "choice":
                refuse(f"split_rows by the choice {path}", "resolve it first")
            for name, value in comparisons.items():
                if name not in COMPARISONS:
                    refuse(f"the comparison {name} of split_rows")
                condition = condition & COMPARISONS[name](made, F.lit(value))
        condition = F.coalesce(condition, F.lit(False))
        one, other = self._next(self._frame.filter(condition)), self._next(self._frame.filter(~condition))
        return DynamicFrameCollection({name1: one, name2: other}, self.glue_ctx)

    @stage
    def join(self, paths1, paths2, frame2):
        """An inner join by equal fields; a name that is in this frame already gets a dot before it."""
        if len(paths1) != len(paths2):
            raise ValueError("a join needs as many paths of one frame as of the other")
        taken = {name.lower() for name in self._frame.columns}
        names = {name: f".{name}" if name.lower() in taken else name for name in frame2._frame.columns}
        keys = [f"__key{i}" for i in range(len(paths1))]
        ours = [shapes.value_at(self._need(path)[1]).alias(key) for path, key in zip(paths1, keys)]
        theirs = [shapes.value_at(frame2._need(path)[1]).alias("_" + key) for path, key in zip(paths2, keys)]
        left = self._frame.select("*", *ours)
        right = frame2._frame.select(*[column(n).alias(new) for n, new in names.items()], *theirs)
        condition = functools.reduce(lambda a, b: a & b, [column(key) == column("_" + key) for key in keys])
        joined = left.join(right, condition, "inner").select(*map(column, [*self._frame.columns, *names.values()]))
        choices = self._choices | {(names[path[0]], *path[1:]) for path in frame2._choices}
        return self._next(joined, choices)

    @stage
    def unnest(self):
        """Fields of structs as columns of their own, named by their paths."""
        return resolving.flattened(self)

    def relationalize(
        self,
        root_table_name,
        staging_path,
        options=None,
        transformation_ctx="",
        info="",
        stageThreshold=0,
        totalThreshold=0,
    ):
        """Frames without nested fields, by name: the root, and one for each array with its ids. What stays between two
        of them is written at the staging path, so that ids are the same in both."""
        if options:
            refuse(f"relationalize's options {', '.join(options)}")
        return DynamicFrameCollection(relational.relationalize(self, root_table_name, staging_path), self.glue_ctx)

    @stage
    def unbox(self, path, format, **options):
        """A field of text as what is in it. The types are found by a look at all of it."""
        if format != "json":
            refuse(f"unbox of {format}")
        if {name for name, value in options.items() if value is not None} - {"format_options"} or options.get(
            "format_options"
        ):
            refuse(f"unbox's options {', '.join(options)}")
        _, real = self._need(path)
        return self._made(kinds.unboxing(real))

    def _made(self, function):
        layout = self._layout()
        return made_of(self._frame, function, self.glue_ctx, self.name, self._choices, layout, self._errors, self._told)

    @stage
    def map(self, f, preservesPartitioning=False):
        """What a function makes of each record (a dictionary whose fields are attributes, too; a choice is its value).

        The function is called twice for each record: a first pass over all results finds their types, those of fields
        that it leaves as they are stay. A record for which it fails is an error and is left out; errorsCount() counts
        them."""
        return self._made(kinds.mapping(f))

    @stage
    def flatMap(self, f, preservesPartitioning=False):
        """The records that a function makes of each one, found as map() does."""
        return self._made(kinds.flat_mapping(f))

    @stage
    def filter(self, f):
        """The records for which a function says yes. It is called once for each; where it fails the run ends."""
        keep = kinds.keeper(f, self._layout())
        return self._next(self._frame.mapInArrow(keep, self._frame.schema), self._choices)

    @stage
    def union(self, other_frame):
        """The rows of both; what is of two types is a choice."""
        one, other = self._layout(), other_frame._layout()
        wanted = shapes.merged(one, other)

        def as_wanted(frame, layout):
            known = dict(layout["fields"])
            fields = [
                (n, shapes.as_type(column(n), known[n], i) if n in known else shapes.nothing(i))
                for n, i in wanted["fields"]
            ]
            return frame.select(*[made.alias(n) for n, made in fields])

        both = as_wanted(self._frame, one).union(as_wanted(other_frame._frame, other))
        return self._next(both, shapes.choices_of(wanted))

    def mergeDynamicFrame(
        self,
        stage_dynamic_frame,
        primary_keys,
        transformation_ctx="",
        options=None,
        info="",
        stageThreshold=0,
        totalThreshold=0,
    ):
        """These rows, except those whose keys are in the other frame, and all rows of that."""
        if options:
            refuse(f"mergeDynamicFrame's options {', '.join(options)}")
        other = stage_dynamic_frame
        keys = [f"__key{i}" for i in range(len(primary_keys))]
        ours = self._frame.select(
            "*", *[shapes.value_at(self._need(p)[1]).alias(k) for p, k in zip(primary_keys, keys)]
        )
        theirs = other._frame.select(
            *[shapes.value_at(other._need(p)[1]).alias("_" + k) for p, k in zip(primary_keys, keys)]
        )
        condition = functools.reduce(lambda a, b: a & b, [column(key) == column("_" + key) for key in keys])
        kept = ours.join(theirs, condition, "left_anti").select(*map(column, self._frame.columns))
        return self._next(kept, self._choices).union(other)

    @stage
    def drop_nulls(self):
        """Without the fields, nested ones too, that have no value in any row: those whose type is null."""
        layout = self._layout()
        nulls = list(resolving.nulls_in(layout))
        return self._next(shapes.rebuilt(self._frame, layout, lambda *_: [], nulls)) if nulls else self

    @stage
    def repartition(self, num_partitions):
        return self._next(self._frame.repartition(num_partitions), self._choices)

    @stage
    def coalesce(self, num_partitions, shuffle=False):
        made = self._frame.repartition(num_partitions) if shuffle else self._frame.coalesce(num_partitions)
        return self._next(made, self._choices)

    @stage
    def spigot(self, path, options=None):
        """Writes some rows as JSON (the first of them by topk, or as many as prob says); the frame itself goes on."""
        options = options or {}
        for name in options:
            if name not in ("topk", "prob"):
                refuse(f"spigot's option {name}")
        frame = self._frame.sample(float(options["prob"])) if "prob" in options else self._frame
        frame = frame.limit(int(options["topk"])) if "topk" in options else frame
        typed = self._next(frame, self._choices)
        self.glue_ctx.write_dynamic_frame.from_options(typed, "s3", {"path": path}, "json")
        return self

    def errorsCount(self):
        return self._errors

    def stageErrorsCount(self):
        return self._stage_errors

    @stage
    def errorsAsDynamicFrame(self):
        """The errors so far, up to a hundred of each stage: a struct of msg and stackTrace a row."""
        error = T.StructType([T.StructField("msg", T.StringType()), T.StructField("stackTrace", T.StringType())])
        rows = [((told["msg"], told["stackTrace"]),) for told in self._told]
        frame = self.glue_ctx.spark_session.createDataFrame(rows, T.StructType([T.StructField("error", error)]))
        return DynamicFrame(frame, self.glue_ctx, "errors")

    def write(self, connection_type, connection_options=None, format=None, format_options=None, accumulator_size=0):
        return self.glue_ctx.write_dynamic_frame.from_options(
            self, connection_type, connection_options, format, format_options
        )

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotHereAttribute(f"DynamicFrame.{name}")


class NotHereAttribute(NotHere, AttributeError):
    """The same of an attribute, which somebody may only have asked for to see whether it is there."""


def plain(value, layout):
    """A value of a collected row as Arrow has it."""
    if value is None:
        return None
    kind = layout["kind"]
    if kind in ("struct", "choice"):
        inner = layout["fields" if kind == "struct" else "of"]
        return {name: plain(part, below) for (name, below), part in zip(inner, value)}
    if kind == "array":
        return [plain(part, layout["of"]) for part in value]
    return [(key, plain(part, layout["of"])) for key, part in value.items()] if kind == "map" else value


def mapped(below, path, choices):
    """The column for a target's tree; adds the choices that are in it."""
    if isinstance(below, dict):
        return shapes.struct_of([(name, mapped(inner, (*path, name), choices)) for name, inner in below.items()])
    made, layout = below
    choices |= shapes.choices_of(layout, path)
    return made
