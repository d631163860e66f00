"""Jobs and runs as boto3 and the aws CLI make and watch them: the same calls go to moto's server, and what differs is named."""

import logging
import time
import unittest

import boto3
import botocore.exceptions
from cli import Cli
from moto.server import ThreadedMotoServer
from server import ACCOUNT, PATIENCE, REGION, Case, on_both_databases
from shapes import read, shape_of

JOB = {
    "Role": "arn:aws:iam::123456789012:role/Glue",
    "Command": {"Name": "glueetl", "ScriptLocation": "s3://lake/scripts/load.py", "PythonVersion": "3"},
    "Description": "loads what came",
    "LogUri": "s3://lake/logs/",
    "ExecutionProperty": {"MaxConcurrentRuns": 5},
    "DefaultArguments": {"--TempDir": "s3://lake/tmp/", "--day": "today"},
    "NonOverridableArguments": {"--stage": "prod"},
    "Connections": {"Connections": ["shop"]},
    "MaxRetries": 0,
    "Timeout": 90,
    "SecurityConfiguration": "secure",
    "NotificationProperty": {"NotifyDelayAfter": 3},
    "GlueVersion": "4.0",
    "NumberOfWorkers": 4,
    "WorkerType": "G.2X",
    "ExecutionClass": "FLEX",
    "SourceControlDetails": {"Provider": "GITHUB", "Repository": "jobs"},
}
RUN = {
    "Arguments": {"--day": "2024-05-31", "--stage": "dev"},
    "Timeout": 7,
    "NumberOfWorkers": 2,
    "WorkerType": "G.1X",
    "NotificationProperty": {"NotifyDelayAfter": 1},
}

# Members that moto's answers have not, each with the reason.
MORE = {
    "Job.AllocatedCapacity": "said as AWS says it of workers; moto repeats what was sent",
    "Job.MaxCapacity": "the same",
    "Job.JobMode": "AWS's default, which moto doesn't know",
    "JobRun.AllocatedCapacity": "as of the job",
    "JobRun.MaxCapacity": "as of the job",
    "JobRun.JobMode": "as of the job",
    "JobRun.ExecutionClass": "the job's, which moto leaves out of runs",
    "JobRun.DPUSeconds": "AWS says it of flexible runs, moto never",
    "JobRun.ErrorMessage": "there is no script, so the run fails; moto runs nothing",
}
# Members with another value than moto's, each with the reason.
OTHER = {
    "Job.CreatedOn": "a time",
    "Job.LastModifiedOn": "a time",
    "JobRun.Id": "made for the run",
    "JobRun.StartedOn": "a time",
    "JobRun.LastModifiedOn": "a time",
    "JobRun.CompletedOn": "a time",
    "JobRun.JobRunState": "there is no script, so the run fails; moto runs nothing",
    "JobRun.ExecutionTime": "moto always says 123",
    "JobRun.LogGroupName": "AWS's is /aws-glue/jobs, moto's is test/log",
    "JobRun.GlueVersion": "the job's; moto always says 0.9",
}
# Calls that are answered in another way than moto answers them, each with the reason.
ANSWERS = {
    "a second run": "a job has one run at a time unless it says otherwise; moto counts none",
    "both capacities of a job": "AWS allows MaxCapacity or workers; moto takes both",
    "a command without a name": "AWS has no default; moto takes any",
    "a token of nobody": "AWS has InvalidInputException for it, and none that is called InvalidToken",
}
# A script that says when it is at work, and ends when it is told to, well or not.
SCRIPT = """
import os, sys, time, urllib.error, urllib.request
at = os.environ["AWS_ENDPOINT_URL_S3"] + "/lake/" + sys.argv[sys.argv.index("--place") + 1] + "/"
urllib.request.urlopen(urllib.request.Request(at + "began", data=b"", method="PUT"))
while True:
    for word in ("well", "badly"):
        try:
            urllib.request.urlopen(at + word)
            sys.exit("as it was told" if word == "badly" else 0)
        except urllib.error.HTTPError:
            time.sleep(0.05)
"""


class Told(Case):
    """A server with a script that is told how to end."""

    # Scripts run with Python alone, so they ask the lake without a signature, which it takes where it has no keys.
    settings = {"MASTIC_ENGINES_ALLOW": "python"}

    @classmethod
    def prepare(cls):
        cls.s3 = cls.server.client("s3")
        cls.s3.put_object(Bucket="lake", Key="scripts/told.py", Body=SCRIPT.encode())
        cls.number = 0

    def name(self):
        type(self).number += 1
        return f"{self.kind} job {self.number}"

    def in_form(self, operation, **request):
        """An answer, which is of AWS's model."""
        answer = self.server.ask(operation, request)
        self.assertEqual(answer.status, 200, answer.body)
        _, wrong = read(shape_of(operation, output=True), answer.json)
        self.assertEqual(wrong, [])
        return answer.json

    def told(self, place, word):
        """Tells the run of this place how to end."""
        self.s3.put_object(Bucket="lake", Key=f"{place}/{word}", Body=b"")

    def until(self, job, run, *states):
        """Waits until a run is in one of these states; the states that it was seen in, and how it is then."""
        deadline, seen = time.monotonic() + PATIENCE, []
        while time.monotonic() < deadline:
            found = self.in_form("GetJobRun", JobName=job, RunId=run)["JobRun"]
            if found["JobRunState"] not in seen:
                seen.append(found["JobRunState"])
            if found["JobRunState"] in states:
                return seen, self.glue.get_job_run(JobName=job, RunId=run)["JobRun"]
            time.sleep(0.02)
        self.fail(f"run {run} is never {states}: {seen}")

    def told_job(self, **more):
        """A job of the script that waits until it is told how to end, and what is said of it."""
        name = self.name()
        command = {"Name": "pythonshell", "ScriptLocation": "s3://lake/scripts/told.py", "PythonVersion": "3.9"}
        place = f"told/{name.replace(' ', '-')}"
        return name, place, {"Role": "glue", "Command": command, "DefaultArguments": {"--place": place}, **more}


@on_both_databases
class Jobs(Told):
    @classmethod
    def prepare(cls):
        super().prepare()
        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        moto.start()
        cls.addClassCleanup(moto.stop)
        host, port = moto.get_host_and_port()
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any-secret"}
        cls.moto = boto3.client("glue", endpoint_url=f"http://{host}:{port}", region_name=REGION, **keys)

    def compare(self, shape, ours, theirs):
        """Each member of moto's is in ours, and all that differs is named above."""
        self.assertEqual({f"{shape}.{member}" for member in theirs.keys() - ours.keys()}, set())
        more = {f"{shape}.{member}" for member in ours.keys() - theirs.keys()}
        self.assertEqual(more - MORE.keys(), set())
        other = {f"{shape}.{member}" for member in theirs.keys() & ours.keys() if ours[member] != theirs[member]}
        self.assertEqual(other - OTHER.keys(), set())

    def over(self, job, run):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self.in_form("GetJobRun", JobName=job, RunId=run)["JobRun"]
            if found["JobRunState"] not in ("STARTING", "RUNNING", "STOPPING", "WAITING"):
                return self.glue.get_job_run(JobName=job, RunId=run)["JobRun"]
            time.sleep(0.05)
        self.fail(f"run {run} isn't over")

    def test_a_job_is_as_motos(self):
        name = self.name()
        for glue in (self.glue, self.moto):
            made = glue.create_job(Name=name, **JOB, Tags={"team": "sales"})
            self.assertEqual(made["Name"], name)
        self.compare("Job", self.glue.get_job(JobName=name)["Job"], self.moto.get_job(JobName=name)["Job"])
        kept = self.in_form("GetJob", JobName=name)["Job"]
        self.assertEqual({member: kept[member] for member in JOB}, JOB, "what was sent is given back")
        many = self.in_form("BatchGetJobs", JobNames=[name, "nobody"])
        self.assertEqual(many, {"Jobs": [kept], "JobsNotFound": ["nobody"]})
        self.assertIn(kept, self.in_form("GetJobs")["Jobs"])
        self.assertIn(name, self.in_form("ListJobs", Tags={"team": "sales"})["JobNames"])
        for glue in (self.glue, self.moto):
            arn = f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{name}"
            self.assertEqual(glue.get_tags(ResourceArn=arn)["Tags"], {"team": "sales"})
            for _ in range(2):
                self.assertEqual(glue.delete_job(JobName=name)["JobName"], name)
            with self.assertRaises(glue.exceptions.EntityNotFoundException) as caught:
                glue.get_job(JobName=name)
            self.assertEqual(caught.exception.response["Error"]["Message"], f"Job {name} not found.")

    def test_pages_hold_each_job_once(self):
        names = {self.name() for _ in range(5)}
        for name in names:
            self.glue.create_job(Name=name, Tags={"of": "pages"}, **JOB)
        found, pages = self.all_pages(self.glue.list_jobs, "JobNames", MaxResults=2, Tags={"of": "pages"})
        self.assertEqual((set(found), len(found), pages), (names, 5, 3))
        found, _ = self.all_pages(self.glue.get_jobs, "Jobs", MaxResults=2)
        self.assertEqual(len([job for job in found if job["Name"] in names]), 5)

    def test_an_update_is_the_whole_job(self):
        name = self.name()
        self.glue.create_job(Name=name, **JOB)
        update = {"Role": "other", "Command": {"Name": "pythonshell", "ScriptLocation": "s3://lake/shell.py"}}
        self.assertEqual(self.in_form("UpdateJob", JobName=name, JobUpdate=update)["JobName"], name)
        job = self.in_form("GetJob", JobName=name)["Job"]
        self.assertEqual({member: job[member] for member in update}, update)
        self.assertEqual((job["Timeout"], job["MaxCapacity"], job["DefaultArguments"]), (2880, 0.0625, {}))
        self.assertNotIn("Description", job)
        self.refused("EntityNotFoundException", self.glue.update_job, JobName="nobody", JobUpdate=update)

    def test_a_job_of_this_name_is_the_same_or_another(self):
        name = self.name()
        # moto puts the second in the place of the first; AWS's model has an exception for that.
        for _ in range(2):
            self.glue.create_job(Name=name, **JOB)
        other = {**JOB, "Timeout": 91}
        self.refused("IdempotentParameterMismatchException", self.glue.create_job, Name=name, **other)

    def test_a_run_is_as_motos(self):
        name = self.name()
        runs = []
        for glue in (self.glue, self.moto):
            glue.create_job(Name=name, **JOB)
            runs.append(glue.start_job_run(JobName=name, **RUN)["JobRunId"])
        ours = self.over(name, runs[0])
        # moto lets a run go on with each look at it.
        for _ in range(3):
            theirs = self.moto.get_job_run(JobName=name, RunId=runs[1])["JobRun"]
        self.compare("JobRun", ours, theirs)
        self.assertEqual(ours["Arguments"]["--stage"], "prod", "what is made fast stays")
        self.assertEqual(ours["JobRunState"], "FAILED")

        again = self.glue.start_job_run(JobName=name, JobRunId=runs[0])["JobRunId"]
        again = self.over(name, again)
        self.assertEqual((again["PreviousRunId"], again["Attempt"]), (runs[0], 1))
        listed = self.in_form("GetJobRuns", JobName=name)["JobRuns"]
        self.assertEqual([run["Id"] for run in listed], [again["Id"], runs[0]])
        stopped = self.in_form("BatchStopJobRun", JobName=name, JobRunIds=[runs[0], "none"])
        codes = [error["ErrorDetail"]["ErrorCode"] for error in stopped["Errors"]]
        self.assertEqual(codes, ["InvalidInputException", "EntityNotFoundException"])
        for glue in (self.glue, self.moto):
            with self.assertRaises(glue.exceptions.EntityNotFoundException):
                glue.get_job_run(JobName=name, RunId="none")

    def test_a_run_is_watched_until_it_went_well(self):
        name, place, job = self.told_job()
        self.glue.create_job(Name=name, **job)
        run = self.glue.start_job_run(JobName=name, Arguments={"--day": "today"})["JobRunId"]
        seen, running = self.until(name, run, "RUNNING")
        self.assertLessEqual(set(seen), {"STARTING", "RUNNING"})
        self.assertNotIn("CompletedOn", running)
        self.told(place, "well")
        _, over = self.until(name, run, "SUCCEEDED")
        self.assertEqual(over["Arguments"], {"--day": "today", "--place": place})
        self.assertLessEqual(over["StartedOn"], over["CompletedOn"])
        self.assertEqual(over["CompletedOn"], over["LastModifiedOn"])
        self.assertEqual(over["ExecutionTime"], int((over["CompletedOn"] - over["StartedOn"]).total_seconds()))
        self.assertNotIn("ErrorMessage", over)
        self.assertEqual(self.glue.get_job_runs(JobName=name)["JobRuns"], [over])
        refused = self.glue.batch_stop_job_run(JobName=name, JobRunIds=[run])
        self.assertEqual(refused["Errors"][0]["ErrorDetail"]["ErrorCode"], "InvalidInputException")
        self.refused("InvalidInputException", self.glue.start_job_run, JobName=name, JobRunId=run)

    def test_a_run_is_stopped(self):
        name, _, job = self.told_job(MaxRetries=3)
        self.glue.create_job(Name=name, **job)
        run = self.glue.start_job_run(JobName=name)["JobRunId"]
        self.until(name, run, "RUNNING")
        stopped = self.glue.batch_stop_job_run(JobName=name, JobRunIds=[run])
        self.assertEqual(stopped["SuccessfulSubmissions"], [{"JobName": name, "JobRunId": run}])
        seen, over = self.until(name, run, "STOPPED")
        self.assertLessEqual(set(seen), {"STOPPING", "STOPPED"})
        self.assertIn("CompletedOn", over)
        self.assertEqual(len(self.glue.get_job_runs(JobName=name)["JobRuns"]), 1, "nothing follows it")

    def test_what_fails_is_tried_again_as_often_as_the_job_says(self):
        name, place, job = self.told_job(MaxRetries=1)
        self.glue.create_job(Name=name, **job)
        first = self.glue.start_job_run(JobName=name)["JobRunId"]
        self.told(place, "badly")
        _, failed = self.until(name, first, "FAILED")
        words = "the script ended with status 1: as it was told (its last lines are in the run's log)"
        self.assertEqual((failed["ErrorMessage"], failed["Attempt"]), (words, 0))
        second = self.glue.get_job_runs(JobName=name)["JobRuns"][0]
        self.assertEqual((second["PreviousRunId"], second["Attempt"]), (first, 1))
        # It would begin in ten seconds. One that waits can be stopped, too, and another takes its place at once.
        self.glue.batch_stop_job_run(JobName=name, JobRunIds=[second["Id"]])
        self.until(name, second["Id"], "STOPPED")
        self.s3.delete_object(Bucket="lake", Key=f"{place}/badly")
        self.told(place, "well")
        third = self.glue.start_job_run(JobName=name, JobRunId=second["Id"])["JobRunId"]
        _, over = self.until(name, third, "SUCCEEDED")
        self.assertEqual((over["PreviousRunId"], over["Attempt"]), (second["Id"], 2))
        self.assertEqual(len(self.glue.get_job_runs(JobName=name)["JobRuns"]), 3)

    def test_every_call_is_answered_as_moto_answers_it(self):
        name, place, job = self.told_job()
        runs = {}

        def answered(glue, ask):
            """The members of an answer, or the name of a refusal."""
            try:
                answer = ask(glue)
            except botocore.exceptions.ClientError as error:
                return error.response["Error"]["Code"]
            answer.pop("ResponseMetadata")
            return sorted(answer)

        def started(glue):
            answer = glue.start_job_run(JobName=name)
            runs[glue] = answer["JobRunId"]
            return answer

        both = {"AllocatedCapacity": 2, "MaxCapacity": 2.0}
        workers = {"MaxCapacity": 2.0, "WorkerType": "G.1X", "NumberOfWorkers": 2}
        no_name = {**job, "Command": {"ScriptLocation": "s3://lake/scripts/told.py"}}
        tagged = f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{name}"
        calls = {
            "a job is made": lambda glue: glue.create_job(Name=name, **job, Tags={"of": name}),
            "a command without a name": lambda glue: glue.create_job(Name=f"{name} other", **no_name),
            "both capacities of a job": lambda glue: glue.create_job(Name=f"{name} other", **job, **workers),
            "a job": lambda glue: glue.get_job(JobName=name),
            "a job of nobody": lambda glue: glue.get_job(JobName="nobody's"),
            "all jobs": lambda glue: glue.get_jobs(),
            "jobs by name": lambda glue: glue.batch_get_jobs(JobNames=[name, "nobody's"]),
            "names of jobs": lambda glue: glue.list_jobs(Tags={"of": name}),
            "a token of nobody": lambda glue: glue.get_jobs(NextToken="nobody's"),
            "a job's tags": lambda glue: glue.get_tags(ResourceArn=tagged),
            "a run of nobody": lambda glue: glue.start_job_run(JobName="nobody's"),
            "both capacities of a run": lambda glue: glue.start_job_run(JobName=name, **both),
            "a run": started,
            "a second run": lambda glue: glue.start_job_run(JobName=name),
            "how a run is": lambda glue: glue.get_job_run(JobName=name, RunId=runs[glue]),
            "how a run of another job is": lambda glue: glue.get_job_run(JobName="nobody's", RunId=runs[glue]),
            "how no run is": lambda glue: glue.get_job_run(JobName=name, RunId="none"),
            "runs": lambda glue: glue.get_job_runs(JobName=name),
            "runs of nobody": lambda glue: glue.get_job_runs(JobName="nobody's"),
            "a job is removed": lambda glue: glue.delete_job(JobName=name),
            "a job is removed again": lambda glue: glue.delete_job(JobName=name),
        }
        different = set()
        for what, ask in calls.items():
            ours, theirs = (answered(glue, ask) for glue in (self.glue, self.moto))
            if ours != theirs:
                different.add(what)
        self.assertEqual(different, ANSWERS.keys())
        self.told(place, "well")


class ByCli(Told, Cli, unittest.TestCase):
    kind = "sqlite"

    def test_the_cli_makes_runs_watches_stops_and_tries_again(self):
        name, place, job = self.told_job(ExecutionProperty={"MaxConcurrentRuns": 2})
        given = {"role": job["Role"], "command": job["Command"], "execution_property": job["ExecutionProperty"]}
        made = self.aws("create-job", name=name, default_arguments=job["DefaultArguments"], tags={"by": name}, **given)
        self.assertEqual(made, {"Name": name})
        update = {**job, "Description": "by the CLI"}
        self.assertEqual(self.aws("update-job", job_name=name, job_update=update), {"JobName": name})
        found = self.aws("get-job", job_name=name)["Job"]
        self.assertEqual({member: found[member] for member in update}, update)
        self.assertEqual(self.aws("list-jobs", tags={"by": name}), {"JobNames": [name]})
        self.assertEqual(self.aws("batch-get-jobs", job_names=name), {"Jobs": [found], "JobsNotFound": []})
        self.assertIn(found, self.aws("get-jobs")["Jobs"])

        run = self.aws("start-job-run", job_name=name, arguments={"--day": "today"})["JobRunId"]
        self.until(name, run, "RUNNING")
        self.assertEqual(self.aws("get-job-run", job_name=name, run_id=run)["JobRun"]["JobRunState"], "RUNNING")
        stopped = self.aws("batch-stop-job-run", job_name=name, job_run_ids=run)
        self.assertEqual(stopped, {"SuccessfulSubmissions": [{"JobName": name, "JobRunId": run}], "Errors": []})
        self.until(name, run, "STOPPED")
        self.told(place, "well")
        again = self.aws("start-job-run", job_name=name, job_run_id=run)["JobRunId"]
        self.until(name, again, "SUCCEEDED")
        listed = self.aws("get-job-runs", job_name=name, max_items="10")["JobRuns"]
        wanted = [(again, "SUCCEEDED", {"--day": "today", "--place": place}), (run, "STOPPED", listed[0]["Arguments"])]
        self.assertEqual([(run["Id"], run["JobRunState"], run["Arguments"]) for run in listed], wanted)
        self.assertEqual(listed[0]["PreviousRunId"], run)

        words = "An error occurred (EntityNotFoundException) when calling the StartJobRun operation: Job nobody not found."
        self.fails("start-job-run", words, job_name="nobody")
        self.assertEqual(self.aws("delete-job", job_name=name), {"JobName": name})
        words = f"An error occurred (EntityNotFoundException) when calling the GetJob operation: Job {name} not found."
        self.fails("get-job", words, job_name=name)
