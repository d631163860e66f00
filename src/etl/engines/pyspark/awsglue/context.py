"""Glue's context on a session of Spark."""

import time

from pyspark.sql import SparkSession

from awsglue import reading, writing
from awsglue.catalog import Catalog
from awsglue.collections import Door
from awsglue.dynamicframe import DynamicFrame, DynamicFrameReader, DynamicFrameWriter, NotHereAttribute
from awsglue.refusals import refuse, refuse_options
from awsglue.utils import Logger

# The others of these say how Glue gets at files, which Spark does here.
CATALOG_OPTIONS = {"catalogPartitionPredicate", "useS3ListImplementation", "useSparkDataSource"}
REFUSED = {
    "purge_s3_path",
    "purge_table",
    "transition_s3_path",
    "transition_table",
    "extract_jdbc_conf",
    "forEachBatch",
    "getSource",
    "write_from_jdbc_conf",
    "write_dynamic_frame_from_jdbc_conf",
    "write_data_frame_from_jdbc_conf",
    "start_transaction",
    "commit_transaction",
    "cancel_transaction",
    "getCatalogSource",
    "getCatalogSink",
    "add_ingestion_time_columns",
    "convert_resolve_option",
    "getSampleStreamingDynamicFrame",
}


class GlueContext:
    """Reads and writes frames. What it hasn't got itself it hands on to the session, as Spark's SQLContext does."""

    def __init__(self, sparkContext=None, **options):
        refuse_options("GlueContext", options, {"minPartitions", "targetPartitions"})
        is_session = hasattr(sparkContext, "createDataFrame")
        self.spark_session = sparkContext if is_session else SparkSession.builder.getOrCreate()
        self.sc = self.spark_session.sparkContext
        self._catalog = None
        # What can't be cast is null, as in Glue's Sparks: an error only where a script asks for it.
        self.spark_session.conf.set("spark.sql.ansi.enabled", "false")

    @property
    def catalog(self):
        self._catalog = self._catalog or Catalog()
        return self._catalog

    @property
    def create_dynamic_frame(self):
        return DynamicFrameReader(self)

    @property
    def create_data_frame(self):
        return DataFrameReader(self)

    @property
    def write_dynamic_frame(self):
        return DynamicFrameWriter(self)

    @property
    def write_data_frame(self):
        return DataFrameWriter(self)

    def get_logger(self):
        return Logger()

    def currentTimeMillis(self):
        return int(time.time() * 1000)

    def create_dynamic_frame_from_options(
        self,
        connection_type,
        connection_options=None,
        format=None,
        format_options=None,
        transformation_ctx="",
        push_down_predicate="",
        **others,
    ):
        refuse_options("create_dynamic_frame.from_options", others, ())
        where = "create_dynamic_frame.from_options"
        made = reading.read_files(
            self, connection_type, connection_options, format, format_options, transformation_ctx, where
        )
        return reading.filtered(made, push_down_predicate)

    def create_dynamic_frame_from_catalog(
        self,
        database=None,
        table_name=None,
        redshift_tmp_dir="",
        transformation_ctx="",
        push_down_predicate="",
        additional_options=None,
        catalog_id=None,
        name_space=None,
        **others,
    ):
        options = additional_options or {}
        refuse_options("create_dynamic_frame.from_catalog", {**others, **options}, CATALOG_OPTIONS)
        return reading.read_table(
            self,
            database or name_space,
            table_name,
            push_down_predicate,
            options.get("catalogPartitionPredicate"),
            transformation_ctx,
            catalog_id,
        )

    def create_dynamic_frame_from_rdd(self, data, name, schema=None, sample_ratio=None, transformation_ctx=""):
        """The records of Spark's own RDDs; there are none on Spark Connect."""
        if "connect" in type(self.spark_session.range(0)).__module__:
            refuse("create_dynamic_frame.from_rdd", "Spark Connect has no RDDs; DynamicFrame.fromDF takes a DataFrame")
        frame = self.spark_session.createDataFrame(data, schema, sample_ratio)
        return DynamicFrame.fromDF(frame, self, transformation_ctx or name)

    def create_sample_dynamic_frame_from_options(
        self, connection_type, connection_options=None, num=10, sample_options=None, **others
    ):
        refuse_options("sample_options", sample_options, ())
        made = self.create_dynamic_frame_from_options(connection_type, connection_options or {}, **others)
        return made._next(made._frame.limit(num), made._choices)

    def create_sample_dynamic_frame_from_catalog(self, database, table_name, num=10, sample_options=None, **others):
        refuse_options("sample_options", sample_options, ())
        made = self.create_dynamic_frame_from_catalog(database, table_name, **others)
        return made._next(made._frame.limit(num), made._choices)

    def create_data_frame_from_options(self, *others, **named):
        return self.create_dynamic_frame_from_options(*others, **named).toDF()

    def create_data_frame_from_catalog(
        self,
        database,
        table_name,
        transformation_ctx="",
        additional_options=None,
        push_down_predicate="",
        catalog_id=None,
        **others,
    ):
        options = additional_options or {}
        refuse_options("create_data_frame.from_catalog", {**others, **options}, CATALOG_OPTIONS)
        return reading.read_table(
            self,
            database,
            table_name,
            push_down_predicate,
            options.get("catalogPartitionPredicate"),
            transformation_ctx,
            catalog_id,
            with_choices=False,
        ).toDF()

    def write_dynamic_frame_from_options(
        self,
        frame,
        connection_type,
        connection_options=None,
        format=None,
        format_options=None,
        transformation_ctx="",
        **others,
    ):
        where = "write_dynamic_frame.from_options"
        refuse_options(where, others, ())
        told = (connection_type, connection_options, format, format_options, where)
        return writing.write_all(frame, lambda one: writing.write_files(one, *told))

    def write_dynamic_frame_from_catalog(
        self,
        frame,
        database=None,
        table_name=None,
        redshift_tmp_dir="",
        transformation_ctx="",
        additional_options=None,
        catalog_id=None,
        name_space=None,
        **others,
    ):
        refuse_options("write_dynamic_frame.from_catalog", others, ())
        return writing.write_table(self, frame, database or name_space, table_name, additional_options, catalog_id)

    write_from_options = write_dynamic_frame_from_options
    write_data_frame_from_options = write_dynamic_frame_from_options
    write_data_frame_from_catalog = write_dynamic_frame_from_catalog

    def getSink(self, connection_type, format=None, transformation_ctx="", **options):
        return writing.Sink(self, connection_type, format, transformation_ctx, **options)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        if name in REFUSED or not hasattr(self.spark_session, name):
            raise NotHereAttribute(f"GlueContext.{name}")
        return getattr(self.spark_session, name)


class DataFrameReader(Door):
    """glueContext.create_data_frame."""

    does = "create_data_frame"


class DataFrameWriter(Door):
    """glueContext.write_data_frame."""

    does = "write_data_frame"
