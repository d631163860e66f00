"""Jobs and runs as boto3 makes and watches them: the same calls go to moto's server, and what differs is named."""

import logging
import time

import boto3
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


@on_both_databases
class Jobs(Case):
    @classmethod
    def prepare(cls):
        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        moto.start()
        cls.addClassCleanup(moto.stop)
        host, port = moto.get_host_and_port()
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any-secret"}
        cls.moto = boto3.client("glue", endpoint_url=f"http://{host}:{port}", region_name=REGION, **keys)
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
