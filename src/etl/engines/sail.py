"""Runs a Spark script as it stands on Sail, in this process: python sail.py SCRIPT [ARGUMENT ...]

Sail speaks Spark Connect, which has no SparkContext. Most scripts use little of it: what changes nothing is taken here,
what makes something of it is done another way, and what only Spark can do ends the script with the way on."""

import json
import os
import runpy
import sys
import time
import traceback
import uuid

NEEDS_SPARK = (
    "{what} needs a real Spark, and this run is on Sail, the one runtime that there is so far: use DataFrames in its place"
)


class NeedsSpark(RuntimeError):
    """What a script asked for that Sail can't do."""

    def __init__(self, what):
        super().__init__(NEEDS_SPARK.format(what=what))


class NeedsSparkAttribute(NeedsSpark, AttributeError):
    """The same of an attribute, which somebody may only have asked for to see whether it is there."""


def start_sail():
    """Starts Sail in this process; its address."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    return server, f"sc://127.0.0.1:{server.listening_address[1]}"


class HadoopConfiguration:
    """What scripts tell Hadoop's S3 client: Sail has been told already."""

    def set(self, name, value):
        pass

    def get(self, name, default=None):
        return default


class JavaContext:
    """The little of Java's context that scripts use to configure S3."""

    def hadoopConfiguration(self):
        return HadoopConfiguration()

    def __getattr__(self, name):
        raise NeedsSpark(f"_jsc.{name}")


class Broadcast:
    """A value that every function sees: functions are sent with what they refer to."""

    def __init__(self, value):
        self.value = value

    def unpersist(self, blocking=False):
        pass

    def destroy(self, blocking=False):
        pass


class SparkContext:
    """The half of Spark's context that does no work."""

    PACKAGE_EXTENSIONS = (".zip", ".egg", ".jar")
    _active = None
    _active_spark_context = None
    _gateway = None

    def __init__(self, master=None, appName=None, sparkHome=None, pyFiles=None, environment=None, batchSize=0,
                 serializer=None, conf=None, **others):
        self._conf = conf
        self._name = appName or (conf.get("spark.app.name", None) if conf is not None else None) or "pyspark"
        self.master = "sail"
        self.applicationId = f"sail-{uuid.uuid4()}"
        self.startTime = int(time.time() * 1000)
        self.defaultParallelism = os.cpu_count() or 1
        self.defaultMinPartitions = min(self.defaultParallelism, 2)
        self.uiWebUrl = None
        self.sparkHome = None
        self.environment = environment or {}
        self._jsc = JavaContext()
        for path in pyFiles or []:
            self.addPyFile(path)
        SparkContext._active = self

    @classmethod
    def getOrCreate(cls, conf=None):
        return cls._active or cls(conf=conf)

    @classmethod
    def setSystemProperty(cls, key, value):
        pass

    @property
    def appName(self):
        return self._name

    @property
    def version(self):
        import pyspark

        return pyspark.__version__

    pythonVer = f"{sys.version_info[0]}.{sys.version_info[1]}"

    def getConf(self):
        from pyspark import SparkConf

        return self._conf if self._conf is not None else SparkConf()

    def addPyFile(self, path):
        if "://" in path and not path.startswith("file://"):
            raise NeedsSpark(f"addPyFile of {path}")
        sys.path.insert(1, path.removeprefix("file://"))

    def addFile(self, path, recursive=False):
        if "://" in path and not path.startswith("file://"):
            raise NeedsSpark(f"addFile of {path}")

    def broadcast(self, value):
        return Broadcast(value)

    def setLogLevel(self, level):
        pass

    def setCheckpointDir(self, folder):
        pass

    def setJobGroup(self, group, description, interruptOnCancel=False):
        pass

    def setJobDescription(self, description):
        pass

    def setLocalProperty(self, key, value):
        pass

    def getLocalProperty(self, key):
        return None

    def stop(self):
        SparkContext._active = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise NeedsSparkAttribute(f"SparkContext.{name}")


def stand_in(address):
    """Makes the client's modules what a script expects of them."""
    import pyspark
    import pyspark.sql
    from pyspark.sql.connect import dataframe, session

    os.environ["SPARK_REMOTE"] = address
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    os.environ.pop("MASTER", None)
    pyspark.SparkContext = SparkContext
    sys.modules["pyspark.context"] = pyspark.context = type(sys)("pyspark.context")
    pyspark.context.SparkContext = SparkContext

    Remote = session.SparkSession

    class Builder:
        """A builder that takes whatever a script configures; the place where Spark runs isn't the script's to say."""

        def __init__(self):
            self._options = {}

        def config(self, key=None, value=None, *, conf=None, map=None):
            for name, value in [*(conf.getAll() if conf is not None else []), *(map or {}).items(), (key, value)]:
                if name is not None:
                    self._options[name] = str(value)
            return self

        def appName(self, name):
            return self.config("spark.app.name", name)

        def master(self, master):
            return self

        def remote(self, url):
            return self

        def enableHiveSupport(self):
            return self

        def getOrCreate(self):
            active = Remote.getActiveSession()
            made = active if active is not None else Remote.builder.remote(address).getOrCreate()
            for name, value in self._options.items():
                if name.startswith("spark.sql."):
                    try:
                        made.conf.set(name, value)
                    except Exception:
                        # What Sail doesn't know changes nothing.
                        pass
            if SparkContext._active is None:
                SparkContext(appName=self._options.get("spark.app.name"))
            return made

        create = getOrCreate

    class FreshBuilder:
        """Each use begins a builder of its own."""

        def __get__(self, instance, owner):
            return Builder()

    class Named(type(Remote)):
        """Every session is one by the name that scripts know, too."""

        def __instancecheck__(cls, instance):
            return isinstance(instance, Remote)

    class SparkSession(Remote, metaclass=Named):
        """The session by the name that scripts know."""

        builder = FreshBuilder()

        def __new__(cls, sparkContext=None, *others, **named):
            return Builder().getOrCreate()

        def __init__(self, *others, **named):
            pass

    Remote.sparkContext = property(lambda self: SparkContext.getOrCreate())
    Remote._sc = property(lambda self: SparkContext.getOrCreate())
    Remote._jsc = property(lambda self: JavaContext())
    Remote.newSession = lambda self: self
    for name in ("_jvm", "_jsparkSession"):
        setattr(Remote, name, property(lambda self, name=name: fail(name)))
    dataframe.DataFrame.rdd = property(lambda self: fail("an RDD"))
    dataframe.DataFrame.toJSON = lambda self, *others: fail("an RDD")
    pyspark.sql.SparkSession = SparkSession
    sys.modules["pyspark.sql.session"].SparkSession = SparkSession

    from pyspark.sql.connect import readwriter

    save, write = readwriter.DataFrameWriter.save, dataframe.DataFrame.write.fget

    def write_of(self):
        writer = write(self)
        writer._frame = self
        return writer

    def save_and_tell(self, path=None, *others, **named):
        save(self, path, *others, **named)
        tell_columns(self._frame, path)

    dataframe.DataFrame.write = property(write_of)
    readwriter.DataFrameWriter.save = save_and_tell

    class SQLContext:
        """The entry point of Spark 1, on a session."""

        def __init__(self, sparkContext=None, sparkSession=None, **others):
            self.sparkSession = sparkSession or Builder().getOrCreate()

        @classmethod
        def getOrCreate(cls, sc=None):
            return cls(sc)

        def registerDataFrameAsTable(self, frame, name):
            frame.createOrReplaceTempView(name)

        def __getattr__(self, name):
            return getattr(self.sparkSession, name)

    pyspark.SQLContext = pyspark.HiveContext = SQLContext
    pyspark.sql.SQLContext = pyspark.sql.HiveContext = SQLContext


def tell_columns(frame, path):
    """Says which columns an output has: of a result without rows Sail writes no file that could say it."""
    output, folder = os.environ.get("MASTIC_OUTPUT"), os.environ.get("MASTIC_OUTPUT_DIR")
    if not output or not path or not path.replace("s3a://", "s3://", 1).startswith(output.rstrip("/")):
        return
    known = {"void": "string", "timestamp_ntz": "timestamp"}
    columns = [(field.name, field.dataType.simpleString()) for field in frame.schema.fields]
    with open(os.path.join(folder, "_columns.json"), "w") as out:
        json.dump([(name, known.get(kind, kind)) for name, kind in columns], out)


def fail(what):
    raise NeedsSpark(what)


def run(script):
    """Runs a script as Python does; the status that it ends with."""
    try:
        runpy.run_path(script, run_name="__main__")
        return 0
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1


def main():
    # It lives as long as the process.
    _server, address = start_sail()
    stand_in(address)
    sys.argv = sys.argv[1:]
    # A script finds what is beside it.
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    status = run(sys.argv[0])
    sys.stdout.flush()
    sys.stderr.flush()
    # Sail's threads and those of its client wait for one another where a script leaves its session open: what it wrote is
    # written, so nobody has to wait for them.
    os._exit(status)


if __name__ == "__main__":
    main()
