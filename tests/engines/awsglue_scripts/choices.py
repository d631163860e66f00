"""Fields that are of several types, and what resolveChoice makes of them."""

import sys

from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame, ResolveOption
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

folder = getResolvedOptions(sys.argv, ["folder"])["folder"]
glueContext = GlueContext(SparkContext())
LINES = """\
{"id": 1, "price": 1.5, "who": "Ada", "items": [{"n": "a", "q": 1}, {"n": "b", "q": "2"}], "never": null}
{"id": "x2", "price": 2, "who": {"first": "Bob"}, "items": [], "never": null}
{"id": 3000000000, "price": 3, "who": ["Cy", "Di"], "flag": true}
{"id": null, "price": null, "who": null, "items": null, "flag": "yes"}
"""
with open(f"{folder}/in.json", "w") as out:
    out.write(LINES)
frame = glueContext.create_dynamic_frame.from_options("s3", {"paths": [f"{folder}/in.json"]}, "json")
frame.printSchema()
frame.show()
frame.toDF().printSchema()
print(frame.toDF().select("id").collect())
for action in ("cast:long", "cast:string", "project:long", "make_cols", "make_struct"):
    made = ResolveChoice.apply(frame, specs=[("id", action)]).select_fields(["id", "id_long", "id_string"])
    print(action)
    made.printSchema()
    made.show()
made = frame.resolveChoice(
    specs=[("items[].q", "cast:int"), ("who", "cast:string"), ("price", "cast:double"), ("flag", "project:boolean")]
)
made.printSchema()
made.show()
frame.resolveChoice(choice="make_cols").printSchema()
frame.resolveChoice(choice="cast:string").show()
frame.apply_mapping([("price", "choice", "cost", "double"), ("who", "choice", "who", "choice")]).printSchema()
print(frame.select_fields("price").toDF([ResolveOption("price", "Cast", "double")]).collect())
DropNullFields.apply(frame).select_fields(["never", "id"]).printSchema()
union = Union.apply(
    frame.apply_mapping([("price", "choice", "v", "double")]), frame.apply_mapping([("price", "choice", "v", "string")])
)
union.printSchema()
print(sorted(map(str, union.toDF().collect())))
try:
    frame.resolveChoice(specs=[("id", "cast:long")], choice="cast:long")
except ValueError as error:
    print(error)
print(isinstance(frame, DynamicFrame), frame.count(), frame.errorsCount())
