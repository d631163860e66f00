"""What is rare: empty and deep structs, choices in choices, odd names, and types that JSON has not."""

import datetime
import decimal
import itertools
import sys

from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

folder = getResolvedOptions(sys.argv, ["folder"])["folder"]
glueContext = GlueContext(SparkContext.getOrCreate())
numbers = itertools.count()


def of(text):
    path = f"{folder}/{next(numbers)}.json"
    with open(path, "w") as out:
        out.write(text)
    return glueContext.create_dynamic_frame.from_options("s3", {"paths": [path]}, "json")


of('{"a": {}, "b": 1}\n{"a": "y", "b": {}}\n{"a": {"z": 1}}\n').show()
print(of("{}\n").count(), of("").count())
of('{"a": 99999999999999999999}\n{"a": 1}\n').show()
deep = of('{"a": [{"b": [{"c": 1}, {"c": "x"}]}, null]}\n{"a": [{"b": null}]}\n')
deep.resolveChoice(specs=[("a[].b[].c", "cast:int")]).show()
nested = of('{"a": 1}\n{"a": {"b": 1}}\n{"a": {"b": "x"}}\n{"a": [1, "z"]}\n')
nested.printSchema()
nested.resolveChoice(choice="make_struct").printSchema()
nested.resolveChoice(specs=[("a", "project:struct")]).show()
odd = of('{"a b": {"c.d": 1, "é-x": [1]}, "x,y": 2}\n')
odd.select_fields(["`a b`.`c.d`", "x,y"]).show()
odd.drop_fields(["a b.`c.d`"]).show()
for name, table in sorted(odd.relationalize("r", f"{folder}/staging").items()):
    print(name, table.toDF().collect())
of('{"Name": {"First": "x"}}').select_fields(["name.first"]).show()
of('{"a": {"b": "1"}}').apply_mapping(
    [
        ("a", "struct", "z", "struct"),
        ("A.B", "string", "q", "bigint"),
        ("a.b", "string", "r", "decimal(10,2)"),
        ("a.b", "s"),
        ("a.b", "string", "t", "boolean"),
    ]
).show()
of('{"a": {"b": 1}, "k": [1]}').join(["a.b"], ["a.b"], of('{"a": {"b": 1}, "z": 1}')).show()
print(of('{"a": "{\\"q\\": 1}"}\n{"a": "bad"}').unbox("a", "json").errorsCount())
nulls = of('{"a": null, "b": [], "c": {"d": null, "e": 1}}')
nulls.printSchema()
DropNullFields.apply(nulls).printSchema()
glueContext.write_dynamic_frame.from_options(nulls, "s3", {"path": f"{folder}/nulls"}, "parquet")
print(glueContext.create_data_frame.from_options("s3", {"paths": [f"{folder}/nulls"]}, "parquet").collect())
told = "id int, m map<string,int>, t timestamp, d date, e decimal(10,2), aa array<array<int>>"
row = (
    1,
    {"k": 1},
    datetime.datetime(2024, 1, 2, 3, 4, 5),
    datetime.date(2024, 1, 2),
    decimal.Decimal("1.50"),
    [[1], []],
)
rows = [row, (2, None, None, None, None, None)]
frame = DynamicFrame.fromDF(glueContext.createDataFrame(rows, told), glueContext, "frame")
frame.map(lambda record: record).printSchema()
frame.map(lambda record: record).show()
frame.map(
    lambda record: {"e": record.e * 2 if record.e else None, "m": (record.m or {}).get("k"), "t": record.t}
).show()
frame.filter(lambda record: record.m and record.m["k"] == 1).show()
print(frame.filter(lambda record: False).map(lambda record: record).count(), frame.map(lambda record: 5).errorsCount())
for call in (lambda: frame.relationalize("r", folder), lambda: deep.apply_mapping([("a[].b", "array", "b", "array")])):
    try:
        call()
    except NotImplementedError as error:
        print(error)
