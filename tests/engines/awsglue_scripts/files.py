"""Formats of files, read and written, and what is refused."""

import os
import sys

from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

folder = getResolvedOptions(sys.argv, ["folder"])["folder"]
glueContext = GlueContext(SparkContext.getOrCreate())
spark = glueContext.spark_session
glueContext.get_logger().info("to the log")
with open(f"{folder}/in.csv", "w") as out:
    out.write('id|name\n1|"a ""b"" |c"\n2|\n')
with open(f"{folder}/many.json", "w") as out:
    out.write('[{"id": 1,\n "name": "a"},\n {"id": 2, "name": null}]')
with open(f"{folder}/bad.json", "w") as out:
    out.write('{"id": 1}\n{"id": \n[3]\n\n{"id": 2} {"id": 3}\n')


def read(name, format, options=None):
    return glueContext.create_dynamic_frame.from_options("s3", {"paths": [f"{folder}/{name}"]}, format, options)


csv = read("in.csv", "csv", {"withHeader": True, "separator": "|"})
csv.printSchema()
csv.show()
read("in.csv", "csv", {"separator": "|"}).show(1)
read("many.json", "json", {"multiline": True}).show()
bad = read("bad.json", "json")
bad.show()
print(bad.errorsCount())
frame = DynamicFrame.fromDF(
    spark.createDataFrame([(1, "a", "x"), (2, "b", "y")], "id long, name string, part string"), glueContext, "f"
)
for format, options in (
    ("json", None),
    ("parquet", None),
    ("glueparquet", None),
    ("csv", {"separator": ";", "writeHeader": True}),
):
    target = {"path": f"{folder}/out-{format}", "partitionKeys": ["part"]}
    glueContext.write_dynamic_frame.from_options(
        frame=frame, connection_type="s3", connection_options=target, format=format, format_options=options
    )
    print(format, sorted(name for name in os.listdir(f"{folder}/out-{format}") if name.startswith("part=")))
    how = {"withHeader": True, "separator": ";"} if format == "csv" else None
    again = read(f"out-{format}", format, how).toDF()
    print(sorted((str(row["id"]), row["name"], row["part"]) for row in again.collect()))
glueContext.write_data_frame.from_options(
    frame.toDF(), "s3", {"path": f"{folder}/out-parquet", "partitionKeys": ["part"]}, "parquet"
)
print(glueContext.create_data_frame.from_options("s3", {"paths": [f"{folder}/out-parquet"]}, "parquet").count())


with open(f"{folder}/choice.json", "w") as out:
    out.write('{"id": 1, "v": {"a": 1}, "k": "x"}\n{"id": "ü", "v": [1, null], "k": "y"}\n{"id": 2.5, "k": "x"}\n')
choice = read("choice.json", "json")
target = {"path": f"{folder}/out-choice", "compression": "gzip"}
glueContext.write_dynamic_frame.from_options(choice, "s3", target, "json")
print(sorted(row["value"] for row in spark.read.text(f"{folder}/out-choice").collect()))
target = {"path": f"{folder}/out-choices", "partitionKeys": ["k"]}
glueContext.write_dynamic_frame.from_options(choice, "s3", target, "json")
again = read("out-choices", "json")
again.printSchema()
print(sorted(map(str, again.toDF().select("id", "k").collect())))


def refused(call):
    try:
        call()
        print("not refused")
    except NotImplementedError as error:
        print(error)


refused(lambda: glueContext.create_dynamic_frame.from_options("mysql", {"url": "jdbc:mysql://x"}))
refused(lambda: read("in.csv", "xml"))
refused(lambda: read("in.csv", "csv", {"strictCheckForQuoting": True}))
refused(lambda: read("many.json", "json", {"jsonPath": "$.a"}))
refused(
    lambda: glueContext.create_dynamic_frame.from_options("s3", {"paths": [folder], "exclusions": '["**.csv"]'}, "csv")
)
refused(lambda: glueContext.purge_table("db", "t"))
refused(lambda: glueContext.purge_s3_path("s3://b/p"))
refused(lambda: glueContext.write_dynamic_frame.from_jdbc_conf(frame, "c"))
refused(lambda: Job(glueContext).init("j", {"job_bookmark_option": "job-bookmark-enable"}))
refused(lambda: frame.assertErrorThreshold())
refused(lambda: frame.unbox("name", "avro"))
try:
    from awsglue.transforms import FindMatches
except NotImplementedError as error:
    print(error)
