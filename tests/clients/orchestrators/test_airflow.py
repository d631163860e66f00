"""Airflow's own Glue operator, hook, sensor and trigger, called as Airflow calls them, without a scheduler.

What they ask of other services than Glue, S3 and STS isn't here, and each has a parameter that goes round it:

- IAM's `GetRole`, where an operator is given `iam_role_name`: give it `iam_role_arn`, which it takes as it is.
- CloudWatch Logs' `FilterLogEvents` and `GetLogEvents`, where it is `verbose`: leave it out. What a script said is on the
  run's page, and the reason of a failure is the run's `ErrorMessage`.
"""

import asyncio
import contextlib
import json
import os
import pathlib
import sys
import tempfile
import threading
import time
import unittest

# Before Airflow is imported, which reads it once.
HOME = tempfile.TemporaryDirectory(prefix="mastic-airflow-")
os.environ |= {"AIRFLOW_HOME": HOME.name, "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL"}

from airflow.providers.amazon.aws.exceptions import GlueJobRunStoppedError  # noqa: E402
from airflow.providers.amazon.aws.hooks.glue import GlueJobHook  # noqa: E402
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator  # noqa: E402
from airflow.providers.amazon.aws.sensors.glue import GlueJobSensor  # noqa: E402
from airflow.sdk.exceptions import AirflowException, TaskDeferred  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from server import ACCOUNT, PATIENCE, REGION, Case, Server, on_both_databases  # noqa: E402

CONNECTION = "aws_mastic"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/glue"
KEYS = ("airflow", "airflow-secret")

# What the scripts have in common: the way to the lake that they are told, by boto3.
PUT = "import boto3, sys\ndef put(key, text): boto3.client('s3').put_object(Bucket='lake', Key=key, Body=text.encode())\n"


def connection(server):
    """The settings of a connection as they stand in Airflow's environment."""
    extra = {
        "region_name": REGION,
        "endpoint_url": server.url,
        "service_config": {"s3": {"endpoint_url": server.lake_url}},
        "config_kwargs": {"retries": {"total_max_attempts": 1}},
    }
    return json.dumps({"conn_type": "aws", "login": KEYS[0], "password": KEYS[1], "extra": extra})


class Kept(dict):
    """What Airflow keeps of a task between its tries."""

    set = dict.__setitem__


class TaskInstance:
    """What an operator asks of the task that it is."""

    dag_id, run_id, map_index, stats_tags = "dag", "manual", -1, {}

    def __init__(self, task_id, try_number):
        self.task_id, self.try_number, self.pushed = task_id, try_number, {}

    def xcom_push(self, key, value):
        self.pushed[key] = value

    def xcom_pull(self, key, **_):
        return None


class Airflow(Case):
    """A server whose jobs run, with a connection to it."""

    keys = KEYS

    @classmethod
    def prepare(cls):
        os.environ[f"AIRFLOW_CONN_{CONNECTION.upper()}"] = connection(cls.server)
        cls.s3 = cls.server.client("s3")
        cls.addClassCleanup(os.environ.pop, f"AIRFLOW_CONN_{CONNECTION.upper()}")

    def setUp(self):
        self.job = f"{type(self).__name__} {self._testMethodName}"
        self.scripts = self.enterContext(tempfile.TemporaryDirectory())
        self.kept = Kept()

    def script(self, text):
        """A script on Airflow's own machine."""
        path = pathlib.Path(self.scripts, f"{self._testMethodName}.py")
        path.write_text(text)
        return str(path)

    def uploaded(self, text):
        """A script in the lake, for whoever doesn't upload one."""
        key = f"scripts/{type(self).__name__}/{self._testMethodName}.py"
        self.s3.put_object(Bucket="lake", Key=key, Body=text.encode())
        return f"s3://lake/{key}"

    def in_shell(self, text, **settings):
        """What is said of a job of a Python script."""
        command = {"Name": "pythonshell", "ScriptLocation": self.uploaded(text), "PythonVersion": "3.9"}
        return {"create_job_kwargs": {"Command": command}, "num_of_dpus": 0.0625, **settings}

    def operator(self, **settings):
        settings = {"job_name": self.job, "job_poll_interval": 0.05, "iam_role_arn": ROLE, **settings}
        return GlueJobOperator(task_id="run_it", aws_conn_id=CONNECTION, **settings)

    def execute(self, operator, try_number=1):
        return operator.execute(self.context(operator, try_number))

    def context(self, operator, try_number=1):
        return {"ti": TaskInstance(operator.task_id, try_number), "task_state_store": self.kept}

    def hook(self, **settings):
        settings = {"job_name": self.job, "job_poll_interval": 0.05, "iam_role_arn": ROLE, **settings}
        return GlueJobHook(aws_conn_id=CONNECTION, **settings)

    def runs(self):
        """The job's runs, the oldest first."""
        return self.glue.get_job_runs(JobName=self.job)["JobRuns"][::-1]

    def until(self, is_so):
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def read(self, key):
        return self.s3.get_object(Bucket="lake", Key=key)["Body"].read().decode()


@on_both_databases
class Shell(Airflow):
    # The scripts use boto3, which is beside this interpreter.
    settings = {"MASTIC_ENGINES_ALLOW": "python", "MASTIC_ENGINES_PYTHON": sys.executable}

    def test_a_job_is_made_run_and_waited_for(self):
        shell = self.in_shell(f"{PUT}put('{self.kind}/args', ' '.join(sys.argv[1:]))")
        operator = self.operator(**shell, script_args={"--day": "2024-05-31"}, job_desc="a day", s3_bucket="lake")
        run = self.execute(operator)
        self.assertEqual(self.kept, {"glue_job_run_id": run}, "Airflow keeps it in case this try dies")
        self.assertEqual(self.read(f"{self.kind}/args"), "--day 2024-05-31")
        job = self.glue.get_job(JobName=self.job)["Job"]
        said = {name: job[name] for name in ("Description", "Role", "LogUri", "MaxCapacity")}
        logs = f"s3://lake/logs/glue-logs/{self.job}"
        self.assertEqual(said, {"Description": "a day", "Role": ROLE, "LogUri": logs, "MaxCapacity": 0.0625})

        again = self.execute(self.operator(script_args={"--day": "2024-06-01"}), 2)
        self.assertEqual(again, run, "it went well, so another try has nothing to do")
        self.kept.clear()
        again = self.execute(self.operator(script_args={"--day": "2024-06-01"}))
        self.assertEqual(self.read(f"{self.kind}/args"), "--day 2024-06-01")
        self.assertEqual([(each["Id"], each["JobRunState"]) for each in self.runs()], [(run, "SUCCEEDED"), (again, "SUCCEEDED")])

    def test_a_script_that_fails_fails_its_task_and_each_try_is_a_run(self):
        operator = self.operator(**self.in_shell("raise ValueError('no such day')"))
        for number in (1, 2):
            with self.assertRaises(AirflowException) as caught:
                self.execute(operator, number)
            run = self.runs()[-1]
            self.assertEqual(str(caught.exception), f"Exiting Job {run['Id']} Run State: FAILED")
            words = "the script ended with status 1: ValueError: no such day (its last lines are in the run's log)"
            self.assertEqual(run["ErrorMessage"], words)
        self.assertEqual(len(self.runs()), 2)

    def test_retries_of_the_job_are_runs_of_their_own(self):
        once = f"{PUT}\nimport botocore\ntry: boto3.client('s3').head_object(Bucket='lake', Key='{self.kind}/tried')"
        once += f"\nexcept botocore.exceptions.ClientError: put('{self.kind}/tried', ''); sys.exit('not yet')"
        with self.assertRaises(AirflowException):
            self.execute(self.operator(**self.in_shell(once, retry_limit=1)))
        first = self.runs()[0]
        self.until(lambda: len(self.runs()) == 2)
        second = self.runs()[1]
        # A sensor waits for the one that follows, as it does for any.
        sensor = GlueJobSensor(task_id="wait", job_name=self.job, run_id=second["Id"], poke_interval=0.05, aws_conn_id=CONNECTION)
        sensor.execute({"ti": TaskInstance("wait", 1)})
        second = self.runs()[1]
        found = (second["PreviousRunId"], second["Attempt"], second["JobRunState"])
        self.assertEqual(found, (first["Id"], 1, "SUCCEEDED"))

    def test_a_sensor_tells_how_a_run_stands(self):
        script = f"{PUT}import time\nput('{self.kind}/began', '')\nwhile True: time.sleep(0.1)"
        run = self.execute(self.operator(**self.in_shell(script), wait_for_completion=False))
        sensor = GlueJobSensor(task_id="wait", job_name=self.job, run_id=run, aws_conn_id=CONNECTION)
        self.assertFalse(sensor.poke({}))
        self.until(lambda: self.runs()[0]["JobRunState"] == "RUNNING")
        self.assertFalse(sensor.poke({}))
        self.glue.batch_stop_job_run(JobName=self.job, JobRunIds=[run])
        self.until(lambda: self.runs()[0]["JobRunState"] == "STOPPED")
        with self.assertRaises(AirflowException):
            sensor.poke({})

    def test_a_task_that_is_killed_stops_its_run(self):
        operator = self.operator(**self.in_shell("import time\nwhile True: time.sleep(0.1)"), stop_job_run_on_kill=True)
        ended = []

        def wait():
            try:
                self.execute(operator)
            except AirflowException as error:
                ended.append(error)

        task = threading.Thread(target=wait)
        task.start()
        self.until(lambda: self.kept)
        self.until(lambda: self.runs()[0]["JobRunState"] == "RUNNING")
        operator.on_kill()
        task.join(PATIENCE)
        self.assertIsInstance(ended[0], GlueJobRunStoppedError)
        self.assertEqual(self.runs()[0]["JobRunState"], "STOPPED")

    def test_a_task_whose_worker_died_goes_on_with_its_run(self):
        script = f"{PUT}import time\nwhile 'Contents' not in boto3.client('s3').list_objects_v2(Bucket='lake', Prefix='{self.kind}/go'): "
        script += "time.sleep(0.1)"
        operator = self.operator(**self.in_shell(script))

        def dies(*_, **__):
            raise KeyboardInterrupt

        operator.poll_until_complete = dies
        with self.assertRaises(KeyboardInterrupt):
            self.execute(operator)
        self.s3.put_object(Bucket="lake", Key=f"{self.kind}/go", Body=b"")
        self.execute(self.operator(), 2)
        self.assertEqual([run["JobRunState"] for run in self.runs()], ["SUCCEEDED"], "there is one run, and no other")
        self.assertEqual(self.kept, {"glue_job_run_id": self.runs()[0]["Id"]})
        # A run that is no more isn't waited for.
        self.kept["glue_job_run_id"] = "gone"
        self.assertEqual(self.execute(self.operator(), 3), self.runs()[1]["Id"])

    def test_a_trigger_waits_in_the_place_of_a_worker(self):
        well = self.deferred(self.operator(**self.in_shell("print('well')"), deferrable=True, waiter_delay=1))
        self.assertEqual(well, self.runs()[0]["Id"])
        arguments = self.runs()[0]["Arguments"]
        self.assertEqual(arguments, {"--airflow_task_uuid": "dag:run_it:manual:-1"}, "Airflow finds its run by it")

        self.job += " badly"
        with self.assertRaises(AirflowException) as caught:
            self.deferred(self.operator(**self.in_shell("import sys; sys.exit('no such day')"), deferrable=True, waiter_delay=1))
        self.assertIn("the script ended with status 1: no such day", str(caught.exception))

    def deferred(self, operator):
        """Goes through the trigger as Airflow does: what is handed to it is written down and read back."""
        context = self.context(operator)
        with self.assertRaises(TaskDeferred) as caught:
            operator.execute(context)
        _, settings = caught.exception.trigger.serialize()
        trigger = type(caught.exception.trigger)(**json.loads(json.dumps(settings)))

        async def event():
            async for event in trigger.run():
                return event.payload

        return getattr(operator, caught.exception.method_name)(context, event=asyncio.run(event()))

    def test_a_hook_makes_a_job_and_makes_it_anew(self):
        settings = {"desc": "first", **self.in_shell("print()"), "s3_bucket": "lake", "concurrent_run_limit": 3}
        # The hook takes the command out of what it is given.
        anew = lambda **more: self.hook(**json.loads(json.dumps({**settings, **more})))  # noqa: E731
        self.assertFalse(anew().has_job(self.job))
        self.assertEqual(anew().create_or_update_glue_job(), self.job)
        made = self.glue.get_job(JobName=self.job)["Job"]
        self.assertEqual((made["ExecutionProperty"], made["Description"]), ({"MaxConcurrentRuns": 3}, "first"))
        self.assertFalse(anew().update_job(**anew().create_glue_job_config()), "what is so already isn't sent again")
        self.assertEqual(anew(desc="second", update_config=True).initialize_job()["JobRunId"], self.runs()[0]["Id"])
        self.assertEqual(self.glue.get_job(JobName=self.job)["Job"]["Description"], "second")
        done = self.hook().job_completion(self.job, self.runs()[0]["Id"])
        self.assertEqual(done, {"JobRunState": "SUCCEEDED", "JobRunId": self.runs()[0]["Id"]})
        self.assertIn(self.job, [job["Name"] for job in self.hook().describe_jobs()["Jobs"]])

        arn = f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{self.job}"
        for tags in ({"team": "sales", "of": "airflow"}, {"team": "finance"}):
            tagged = {**settings["create_job_kwargs"], "Tags": tags}
            anew(desc="second", create_job_kwargs=tagged).create_or_update_glue_job()
            self.assertEqual(self.glue.get_tags(ResourceArn=arn)["Tags"], tags)

    def test_what_other_services_would_do_is_refused(self):
        run = self.execute(self.operator(**self.in_shell("print()")))
        with self.assertRaisesRegex(ClientError, "calling the FilterLogEvents operation"):
            self.hook().print_job_logs(self.job, run, GlueJobHook.LogContinuationTokens())
        with self.assertRaisesRegex(ClientError, "calling the GetRole operation"):
            self.hook(job_name="new", iam_role_arn=None, iam_role_name="glue").get_or_create_glue_job()


class Spark(Airflow, unittest.TestCase):
    kind = "sqlite"
    settings = {"MASTIC_ENGINES_ALLOW": "pyspark", "MASTIC_ENGINES_FOLDER": os.environ.get("MASTIC_TEST_ENGINES", "")}

    @classmethod
    def setUpClass(cls):
        if not cls.settings["MASTIC_ENGINES_FOLDER"]:
            raise unittest.SkipTest("MASTIC_TEST_ENGINES names no folder with the engine pyspark")
        super().setUpClass()

    def test_a_local_script_is_uploaded_and_run_on_spark(self):
        self.s3.put_object(Bucket="lake", Key="raw/a.csv", Body=b"id,price\n1,1.5\n2,2.5\n")
        script = """
import argparse
from pyspark.sql import SparkSession
parser = argparse.ArgumentParser()
parser.add_argument("--from")
parser.add_argument("--to")
args = vars(parser.parse_args())
spark = SparkSession.builder.getOrCreate()
prices = spark.read.csv(args["from"], header=True, inferSchema=True)
prices.selectExpr("sum(price) AS total").coalesce(1).write.mode("overwrite").json(args["to"])
"""
        places = {"--from": "s3://lake/raw/", "--to": "s3://lake/out/"}
        run = self.execute(self.operator(script_location=self.script(script), s3_bucket="lake", script_args=places))
        self.assertEqual(self.runs()[0]["Id"], run)
        keys = [item["Key"] for item in self.s3.list_objects_v2(Bucket="lake", Prefix="out/")["Contents"]]
        written = [key for key in keys if key.endswith(".json")]
        self.assertEqual([json.loads(self.read(key)) for key in written], [{"total": 4.0}])
        place = "s3://lake/artifacts/glue-scripts/test_a_local_script_is_uploaded_and_run_on_spark.py"
        command = self.glue.get_job(JobName=self.job)["Job"]["Command"]
        self.assertEqual(command, {"Name": "glueetl", "ScriptLocation": place})

        # The script as it is now, in the place of the one that was.
        changed = script.replace("sum(price)", "max(price)")
        operator = self.operator(
            script_location=self.script(changed), s3_bucket="lake", script_args=places, replace_script_file=True
        )
        self.kept.clear()
        self.execute(operator)
        keys = [item["Key"] for item in self.s3.list_objects_v2(Bucket="lake", Prefix="out/")["Contents"]]
        self.assertEqual([json.loads(self.read(key)) for key in keys if key.endswith(".json")], [{"total": 2.5}])
