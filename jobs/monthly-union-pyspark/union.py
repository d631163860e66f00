"""A month's yellow and green taxi trips, one below the other, under the names that both share."""

import argparse
import os

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

COMMON = {
    "pickup_datetime": "timestamp",
    "dropoff_datetime": "timestamp",
    "vendor_id": "bigint",
    "ratecode_id": "bigint",
    "pu_location_id": "bigint",
    "do_location_id": "bigint",
    "payment_type": "bigint",
    "fare_amount": "double",
    "extra": "double",
    "mta_tax": "double",
    "tip_amount": "double",
    "improvement_surcharge": "double",
    "tolls_amount": "double",
    "total_amount": "double",
    "congestion_surcharge": "double",
}
RENAMED = {
    "vendor_id": "vendorid",
    "ratecode_id": "ratecodeid",
    "pu_location_id": "pulocationid",
    "do_location_id": "dolocationid",
}


def trips(spark, path, prefix, service):
    read = spark.read.parquet(path)
    there = {name.lower(): name for name in read.columns}
    columns = []
    for name, kind in COMMON.items():
        own = prefix + name if name.endswith("_datetime") else RENAMED.get(name, name)
        column = F.col(there[own]) if own in there else F.lit(None)
        columns.append(column.cast(kind).alias(name))
    return read.select(*columns, F.lit(service).alias("taxi_type"))


parser = argparse.ArgumentParser()
parser.add_argument("--ym", required=True)
month = parser.parse_args().ym

spark = SparkSession.builder.appName("monthly-union").getOrCreate()
yellow = trips(spark, f"s3a://lake/raw/yellow/yellow_tripdata_{month}.parquet", "tpep_", "yellow")
green = trips(spark, f"s3a://lake/raw/green/green_tripdata_{month}.parquet", "lpep_", "green")
yellow.union(green).coalesce(1).write.mode("overwrite").option("header", True).csv(os.environ["MASTIC_OUTPUT"])
spark.stop()
