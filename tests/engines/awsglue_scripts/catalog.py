"""Tables of the catalog: made, widened and read."""

import os
import sys

from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

args = getResolvedOptions(sys.argv, ["folder", "database"])
folder, database = args["folder"], args["database"]
glueContext = GlueContext(SparkContext.getOrCreate())
spark = glueContext.spark_session
catalog = glueContext.catalog
catalog.call("CreateDatabase", DatabaseInput={"Name": database})
told = "id long, name string, year int, place string"
rows = spark.createDataFrame([(1, "a", 2024, "x y"), (2, "b", 2025, "p:q"), (3, None, 2025, "x y")], told)
frame = DynamicFrame.fromDF(rows, glueContext, "frame")


def write(frame, format):
    sink = glueContext.getSink(
        connection_type="s3",
        path=f"{folder}/{format}/",
        enableUpdateCatalog=True,
        updateBehavior="UPDATE_IN_DATABASE",
        partitionKeys=["year", "place"],
    )
    sink.setFormat(format)
    sink.setCatalogInfo(catalogDatabase=database, catalogTableName=f"T_{format}")
    sink.writeFrame(frame)


def show(frame):
    for row in sorted(frame.toDF().collect(), key=str):
        print(tuple(row))


for format in ("csv", "json", "glueparquet"):
    write(frame, format)
    table = glueContext.create_dynamic_frame.from_catalog(
        database=database, table_name=f"t_{format}", transformation_ctx="t"
    )
    table.printSchema()
    show(table)
    told = {"database": database, "table_name": f"t_{format}"}
    show(glueContext.create_dynamic_frame.from_catalog(**told, push_down_predicate="year == '2025' and place = 'p:q'"))
    show(glueContext.create_dynamic_frame.from_catalog(**told, push_down_predicate="concat(year, place) like '2024%'"))
    show(
        glueContext.create_dynamic_frame.from_catalog(
            **told, additional_options={"catalogPartitionPredicate": "year > 2030"}
        )
    )
    print(sorted(partition["Values"] for partition in catalog.partitions(database, f"t_{format}")))
wider = DynamicFrame.fromDF(rows.selectExpr("id", "name", "id * 1.5D as extra", "year", "place"), glueContext)
write(wider, "glueparquet")
table = catalog.table(database, "t_glueparquet")
print(
    [(told["Name"], told["Type"]) for told in table["StorageDescriptor"]["Columns"]],
    len(list(catalog.partitions(database, "t_glueparquet"))),
)
print(
    glueContext.create_data_frame.from_catalog(database=database, table_name="t_glueparquet")
    .filter("extra is null")
    .count()
)
glueContext.write_dynamic_frame.from_catalog(frame=frame, database=database, table_name="t_csv")
print(glueContext.create_data_frame.from_catalog(database=database, table_name="t_csv").count())

# CSV is read by the places of its columns, so it is written by them, whatever their order in the frame.
other = DynamicFrame.fromDF(rows.selectExpr("year", "place", "name as NAME", "id + 10 as id").limit(1), glueContext)
glueContext.write_dynamic_frame.from_catalog(frame=other, database=database, table_name="t_csv")
show(glueContext.create_dynamic_frame.from_catalog(database, "t_csv", push_down_predicate="year = 2024 and id > 10"))

# Values that a folder's name must escape, and none.
rare = ["50%", "ü", "a/b", "[x]", "~", "it's", None]
rare = DynamicFrame.fromDF(spark.createDataFrame(list(enumerate(rare)), "id long, place string"), glueContext)
sink = glueContext.getSink("s3", path=f"{folder}/rare", enableUpdateCatalog=True, partitionKeys=["place"])
sink.setFormat("json")
sink.setCatalogInfo(database, "rare")
sink.writeFrame(rare)
show(glueContext.create_dynamic_frame.from_catalog(database, "rare"))
print(sorted(partition["Values"] for partition in catalog.partitions(database, "rare")))

os.makedirs(f"{folder}/odd")
with open(f"{folder}/odd/a.csv", "w") as out:
    out.write('Provider Id,Name,Since\n1,"a, b",2024-01-02\nERR,b,\n3,c,2024-02-03\n')
columns = [
    {"Name": "provider id", "Type": "bigint"},
    {"Name": "name", "Type": "string"},
    {"Name": "since", "Type": "date"},
]
serde = {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde", "Parameters": {"separatorChar": ","}}
catalog.call(
    "CreateTable",
    DatabaseName=database,
    TableInput={
        "Name": "odd",
        "Parameters": {"classification": "csv", "skip.header.line.count": "1"},
        "StorageDescriptor": {"Location": f"{folder}/odd", "Columns": columns, "SerdeInfo": serde},
    },
)
odd = glueContext.create_dynamic_frame.from_catalog(database=database, table_name="odd")
odd.printSchema()
odd.show()
ResolveChoice.apply(odd, specs=[("provider id", "cast:long")]).show()
odd.resolveChoice(choice="match_catalog", database=database, table_name="odd").printSchema()
try:
    glueContext.create_dynamic_frame.from_catalog(database=database, table_name="nothing")
except RuntimeError as error:
    print(error)
table = {
    "Name": "grok",
    "StorageDescriptor": {
        "Location": folder,
        "SerdeInfo": {"SerializationLibrary": "com.amazonaws.glue.serde.GrokSerDe"},
    },
}
catalog.call("CreateTable", DatabaseName=database, TableInput=table)
try:
    glueContext.create_dynamic_frame.from_catalog(database=database, table_name="grok")
except NotImplementedError as error:
    print(str(error).replace(database, "DATABASE"))
