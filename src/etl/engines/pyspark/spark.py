"""Runs a Spark script as it stands on Spark itself, by spark-submit: python spark.py SCRIPT [ARGUMENT ...]

spark.json beside it says how: where Spark is ("home"), what it is told where the script says nothing else ("defaults"),
what it is told whatever the script says ("held"; null is what it finds out by itself), where objects are ("endpoint", "buckets"), which packages Spark has
already ("here"), which files beside the script its workers need ("modules"), what it is
called ("name"), and which servers of it must answer ("servers"). Spark itself starts when the script asks for it."""

import glob
import json
import os
import sys

from mastic_launch import begin, look_after, run, tell_columns

FOLDER = os.path.dirname(os.path.abspath(__file__))
PACKAGES = "spark.jars.packages"
# Spark's own program that waits for a script to come from elsewhere.
SHELL = "pyspark-shell"
# How a line of the log looks, as far as Spark writes it.
LOG4J = """
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.console.type = Console
appender.console.name = stderr
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %c{1}: %m%n%ex
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
logger.metrics.name = org.apache.hadoop.metrics2.impl.MetricsConfig
logger.metrics.level = error
logger.context.name = org.apache.spark.SparkContext
logger.context.level = error
"""


def write_properties(path, properties):
    """Writes a file of Java's properties that nobody else reads."""
    escapes = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "=": "\\=", ":": "\\:", "#": "\\#", "!": "\\!", " ": "\\ "}
    escaped = lambda text: "".join(escapes.get(sign, sign) for sign in text)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.writelines(f"{escaped(name)}={escaped(value)}\n" for name, value in properties.items() if value is not None)


def of_the_lake(told):
    """Where objects are and with which keys: for all buckets, and for each one, which goes before whatever a script says
    of all."""
    endpoint = told["endpoint"]
    if endpoint is None:
        return {}
    options = {
        "endpoint": endpoint,
        "endpoint.region": os.environ["AWS_REGION"],
        "path.style.access": "true",
        "connection.ssl.enabled": str(endpoint.startswith("https:")).lower(),
        "aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        "access.key": os.environ["AWS_ACCESS_KEY_ID"],
        "secret.key": os.environ["AWS_SECRET_ACCESS_KEY"],
    }
    places = ["", *(f"bucket.{bucket}." for bucket in told["buckets"])]
    return {f"spark.hadoop.fs.s3a.{place}{name}": value for place in places for name, value in options.items()}


def of_another_store():
    """What the variables of AWS say of the store, for all of Spark's processes: a script may know better."""
    variables = {
        "endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        "endpoint.region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
        "access.key": ("AWS_ACCESS_KEY_ID",),
        "secret.key": ("AWS_SECRET_ACCESS_KEY",),
        "session.token": ("AWS_SESSION_TOKEN",),
    }
    options = {}
    for option, names in variables.items():
        said = [os.environ[name] for name in names if os.environ.get(name)]
        if said:
            options[option] = said[0]
    if "endpoint" in options:
        # Stores that aren't AWS's have buckets in the path.
        options["path.style.access"] = "true"
    if "session.token" in options:
        options["aws.credentials.provider"] = "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider"
    return {f"spark.hadoop.fs.s3a.{option}": value for option, value in options.items()}


def missing(packages, here):
    """Of packages (group:name:version) those that Spark hasn't."""
    wanted = (package.strip() for package in packages.split(","))
    return ",".join(package for package in wanted if package and package.rpartition(":")[0] not in here)


def settle(told):
    """Prepares Spark's start."""
    os.environ["SPARK_HOME"] = told["home"]
    sys.path[1:1] = glob.glob(os.path.join(told["home"], "python", "lib", "*.zip"))
    temporary = os.environ["TMPDIR"]
    log4j = os.path.join(FOLDER, "log4j2.properties")
    with open(log4j, "w") as out:
        out.write(LOG4J)
    java = f"-Djava.io.tmpdir={temporary} -XX:-UsePerfData -Dlog4j2.configurationFile=file:{log4j}"
    own = {"spark.local.dir": temporary, "spark.driver.extraJavaOptions": java}
    if told["modules"]:
        own["spark.submit.pyFiles"] = ",".join(os.path.join(FOLDER, name) for name in told["modules"])
    properties = os.path.join(FOLDER, "spark.properties")
    write_properties(properties, {**own, **told["defaults"], **told["held"]})
    os.environ["SPARK_LAUNCHER_OPTS"] = "-XX:-UsePerfData"
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--properties-file {properties} {SHELL}"


def hold(told):
    """Has Spark start as it is told, whatever a script says of where it runs and of where objects are."""
    import pyspark.context as context
    from pyspark import SparkConf

    held, here = told["held"], told["here"]
    launch, initialize = context.launch_gateway, context.SparkContext._initialize_context

    def launch_as_told(conf=None, popen_kwargs=None):
        permitted = SparkConf(loadDefaults=False)
        for name, value in conf.getAll() if conf is not None else []:
            value = missing(value, here) if name == PACKAGES else value
            if name not in held and value:
                permitted.set(name, value)
        return launch(permitted, popen_kwargs)

    def initialize_as_told(self, jconf):
        for name, value in held.items():
            if value is None:
                jconf.remove(name)
            else:
                jconf.set(name, value)
        return initialize(self, jconf)

    context.launch_gateway = launch_as_told
    context.SparkContext._initialize_context = initialize_as_told


def listen():
    """Has what is written be known by its columns."""
    from pyspark.sql import DataFrame, DataFrameWriter

    def telling(write):
        def write_and_tell(self, path=None, *others, **named):
            write(self, path, *others, **named)
            tell_columns(self._df, path)

        return write_and_tell

    for name in ("save", "csv", "json", "orc", "parquet", "text"):
        setattr(DataFrameWriter, name, telling(getattr(DataFrameWriter, name)))
    # Spark 2 had it, and many scripts still do.
    DataFrame.registerTempTable = DataFrame.createOrReplaceTempView


def stop():
    """Ends Spark where the script left it."""
    from pyspark import SparkContext

    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()


def main():
    with open(os.path.join(FOLDER, "spark.json")) as file:
        told = json.load(file)
    told["held"].update(of_the_lake(told))
    if told["endpoint"] is None:
        told["defaults"] = {**of_another_store(), **told["defaults"]}
    settle(told)
    hold(told)
    listen()
    look_after(told["name"], [tuple(server) for server in told["servers"]])
    status = run(begin())
    stop()
    sys.exit(status)


if __name__ == "__main__":
    main()
