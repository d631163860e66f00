"""Runs a Spark script as it stands by Spark Connect: python connect.py SCRIPT [ARGUMENT ...]

The server is the one that MASTIC_SPARK_REMOTE names, or Sail, which begins in this process and ends with it. Spark Connect
has no SparkContext. Most scripts use little of it: what changes nothing is taken here, what makes something of it is done
another way, and what only Spark can do ends the script with the way on."""

import json
import os
import sys
import time
import uuid

from mastic_launch import begin, look_after, run, tell_columns
from mastic_order import write_in_order

IMPLEMENTATION = "spark.sql.catalogImplementation"
REMOTE = os.environ.pop("MASTIC_SPARK_REMOTE", None)
SERVERS = json.loads(os.environ.pop("MASTIC_SPARK_SERVERS", "[]"))
RUNTIME = f"the Spark Connect server at {REMOTE.split('/;')[0]}" if REMOTE else "Sail"
NEEDS_SPARK = (
    f"{{what}} needs Spark itself, and this run is on {RUNTIME}: write runtime = \"spark\" into job.toml, "
    "or use DataFrames in its place"
)


class NeedsSpark(RuntimeError):
    """What a script asked for that Spark Connect can't do."""

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
    """What scripts tell Hadoop's S3 client: the server has been told already."""

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
        self.master = REMOTE or "sail"
        self.applicationId = f"connect-{uuid.uuid4()}"
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
            self._wants_catalog = False

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
            self._wants_catalog = True
            return self

        def getOrCreate(self):
            active = Remote.getActiveSession()
            made = active if active is not None else Remote.builder.remote(address).getOrCreate()
            for name, value in self._options.items():
                if name.startswith("spark.sql."):
                    try:
                        made.conf.set(name, value)
                    except Exception:
                        # What the server doesn't know changes nothing.
                        pass
            # As with Spark itself, tables are those of the session, unless a script asks for those of a metastore.
            if not REMOTE and (self._wants_catalog or self._options.get(IMPLEMENTATION) == "hive"):
                made.catalog.setCurrentCatalog("glue")
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

    def save_and_tell(self, path=None, format=None, mode=None, partitionBy=None, **options):
        mode_now = mode or self._write.mode
        is_partitioned = bool(partitionBy or self._write.partitioning_cols)
        if REMOTE or not write_in_order(self._frame, path, mode_now, is_partitioned):
            save(self, path, format, mode, partitionBy, **options)
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


def fail(what):
    raise NeedsSpark(what)


def main():
    # Sail lives as long as the process.
    _server, address = (None, REMOTE) if REMOTE else start_sail()
    stand_in(address)
    look_after(RUNTIME, [tuple(server) for server in SERVERS])
    status = run(begin())
    sys.stdout.flush()
    sys.stderr.flush()
    # Sail's threads and those of its client wait for one another where a script leaves its session open: what it wrote is
    # written, so nobody has to wait for them.
    os._exit(status)


if __name__ == "__main__":
    main()
