"""Functions of records, mappings with nested names, and errors."""

import sys

from awsglue.context import GlueContext
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as F

from awsglue import DynamicFrame

folder = getResolvedOptions(sys.argv, ["folder"])["folder"]
glueContext = GlueContext(SparkContext.getOrCreate())
spark = glueContext.spark_session
rows = [
    (1, ("1 Main St", "99501"), ["a", "b"], 1.5, '{"k": 1}'),
    (2, ("2 Oak", "x"), [], None, '{"k": "v"}'),
    (3, None, None, 2.0, None),
]
told = "id long, address struct<street:string,zip:string>, tags array<string>, score double, text string"
frame = DynamicFrame.fromDF(
    spark.createDataFrame(rows, told).withColumn("at", F.lit("2024-01-02 03:04:05").cast("timestamp")),
    glueContext,
    "frame",
)


def merge_address(record):
    record["address_line"] = f"{record.address.street}, {record['address']['zip']}"
    del record["address"]
    record["tags"] = [{"tag": tag} for tag in record["tags"]]
    record["score"] = None
    return record


mapped = Map.apply(frame=frame, f=merge_address, transformation_ctx="mapped")
mapped.printSchema()
mapped.show()
print("errors", mapped.errorsCount(), mapped.stageErrorsCount())
mapped.errorsAsDynamicFrame().select_fields("error.msg").show()
try:
    frame.map(f=merge_address, stageThreshold=1).map(merge_address, stageThreshold=1)
except RuntimeError as error:
    print(error)
Filter.apply(frame=frame, f=lambda record: record["id"] > 1).show()
frame.flatMap(lambda record: [{"id": record.id, "tag": tag} for tag in record.tags or []]).show()
nested = ApplyMapping.apply(
    frame=frame,
    mappings=[
        ("id", "long", "key", "string"),
        ("address.street", "string", "place.of.street", "string"),
        ("address.zip", "string", "place.zip", "int"),
        ("address.zip", "string", "`the.zip`", "string"),
        ("score", "double", "score", "int"),
        ("at", "timestamp", "day", "date"),
        ("gone", "string", "gone", "string"),
        ("tags", "array", "tags", "array"),
    ],
)
nested.printSchema()
nested.show()
nested.select_fields(["place.zip", "`the.zip`"]).show()
nested.rename_field("`the.zip`", "zip").rename_field("place.of.street", "place.of.road").drop_fields(
    ["place.zip", "tags"]
).printSchema()
unboxed = Unbox.apply(frame=frame.select_fields(["id", "text"]), path="text", format="json")
unboxed.printSchema()
unboxed.show()
frame.drop_fields(["at", "text"]).spigot(f"{folder}/some", {"topk": 2})
print(spark.read.json(f"{folder}/some").count())
split = frame.split_fields(["id", "score"], "x", "y")
print(
    SelectFromCollection.apply(split, "x").toDF().columns,
    MapToCollection.apply(split, DropNullFields)["y"].toDF().columns,
)
flat = FlatMap.apply(split, BaseTransform=DropFields, frame_name="frame", paths=["id", "text"])
print(list(flat.keys()), [made.toDF().columns for made in flat.values()])
print(frame.schema().jsonValue()["fields"][0])
print(frame.repartition(2).count(), frame.coalesce(1).count(), frame.toDF().columns)
