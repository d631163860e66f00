"""AWS's own clients against a told demo: boto3 and the aws CLI on the Glue API and the S3 endpoint, DuckDB on the output."""

import json
import os
import subprocess
import tempfile
import time
import unittest
import urllib.request

import boto3
import duckdb
from botocore.exceptions import ClientError

API = os.environ["MASTIC_URL"]
LAKE = os.environ["MASTIC_LAKE_URL"]


def aws(*arguments, endpoint=API):
    """Runs the aws CLI and gives back its exit code, stdout and stderr."""
    done = subprocess.run(["aws", "--endpoint-url", endpoint, *arguments], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


class GlueClients(unittest.TestCase):
    glue = boto3.client("glue", endpoint_url=API)

    def test_boto3_sees_the_catalog(self):
        names = [database["Name"] for database in self.glue.get_databases()["DatabaseList"]]
        self.assertTrue({"raw", "curated"} <= set(names), names)
        table = self.glue.get_table(DatabaseName="raw", Name="yellow")["Table"]
        self.assertEqual(table["Parameters"]["classification"], "parquet")
        columns = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
        self.assertEqual(columns["tpep_pickup_datetime"], "timestamp")
        self.assertEqual(columns["vendorid"], "bigint")
        partitions = self.glue.get_partitions(DatabaseName="curated", TableName="yellow_green")["Partitions"]
        self.assertIn(["2022-03"], [partition["Values"] for partition in partitions])
        one = self.glue.get_partition(DatabaseName="curated", TableName="yellow_green", PartitionValues=["2022-03"])
        self.assertTrue(one["Partition"]["StorageDescriptor"]["Location"].endswith("/ym=2022-03/"))

    def test_boto3_makes_a_database_a_crawler_and_a_run(self):
        self.glue.create_database(DatabaseInput={"Name": "Mine", "Description": "made by boto3"})
        self.assertEqual(self.glue.get_database(Name="mine")["Database"]["Description"], "made by boto3")
        self.glue.create_crawler(
            Name="trips", Role="any", DatabaseName="mine", Targets={"S3Targets": [{"Path": "s3://lake/raw/green/"}]}
        )
        self.glue.start_crawler(Name="trips")
        crawler = self.wait(lambda: self.glue.get_crawler(Name="trips")["Crawler"], lambda c: c["State"] == "READY")
        self.assertEqual(crawler["LastCrawl"]["Status"], "SUCCEEDED")
        tables = [table["Name"] for table in self.glue.get_tables(DatabaseName="mine")["TableList"]]
        self.assertEqual(tables, ["green"])
        run = self.glue.start_job_run(JobName="monthly-union", Arguments={"--ym": "2022-01"})["JobRunId"]
        done = self.wait(
            lambda: self.glue.get_job_run(JobName="monthly-union", RunId=run)["JobRun"],
            lambda r: r["JobRunState"] not in ("WAITING", "STARTING", "RUNNING"),
        )
        self.assertEqual(done["JobRunState"], "SUCCEEDED", done.get("ErrorMessage"))
        runs = self.glue.get_job_runs(JobName="monthly-union")["JobRuns"]
        self.assertIn(run, [r["Id"] for r in runs])

    def test_failures_are_aws_own(self):
        with self.assertRaises(ClientError) as caught:
            self.glue.get_database(Name="nowhere")
        self.assertEqual(caught.exception.response["Error"]["Code"], "EntityNotFoundException")
        with self.assertRaises(self.glue.exceptions.AlreadyExistsException):
            self.glue.create_database(DatabaseInput={"Name": "raw"})
        with self.assertRaises(ClientError) as caught:
            self.glue.create_blueprint(Name="plan", BlueprintLocation="s3://lake/plan.zip")
        self.assertEqual(caught.exception.response["Error"]["Code"], "OperationNotSupportedException")
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        # A client that only looks finds nothing of what isn't kept here.
        self.assertEqual(self.glue.list_ml_transforms()["TransformIds"], [])

    def test_the_aws_cli_sees_the_catalog(self):
        code, out, err = aws("glue", "get-tables", "--database-name", "raw", "--output", "json")
        self.assertEqual(code, 0, err)
        self.assertTrue({"green", "yellow"} <= {table["Name"] for table in json.loads(out)["TableList"]})
        code, _, err = aws("glue", "get-table", "--database-name", "raw", "--name", "nowhere")
        self.assertNotEqual(code, 0)
        self.assertIn("EntityNotFoundException", err)

    def wait(self, ask, is_done):
        deadline = time.monotonic() + 60
        while not is_done(answer := ask()):
            self.assertLess(time.monotonic(), deadline, answer)
            time.sleep(0.1)
        return answer


class TheWholeStory(unittest.TestCase):
    def test_files_copied_by_the_aws_cli_become_a_month_that_duckdb_reads(self):
        with tempfile.TemporaryDirectory() as folder:
            for color in ("yellow", "green"):
                name = f"{color}_tripdata_2022-03.parquet"
                code, _, err = aws("s3", "cp", f"s3://lake/raw/{color}/{name}", folder, endpoint=LAKE)
                self.assertEqual(code, 0, err)
                target = f"s3://lake/raw/{color}/{color}_tripdata_2031-07.parquet"
                code, _, err = aws("s3", "cp", f"{folder}/{name}", target, endpoint=LAKE)
                self.assertEqual(code, 0, err)
            wanted = duckdb.sql(
                f"SELECT sum(n), sum(t) FROM (SELECT count(*) n, sum(total_amount) t FROM '{folder}/yellow*.parquet' "
                f"UNION ALL SELECT count(*), sum(total_amount) FROM '{folder}/green*.parquet')"
            ).fetchall()[0]
            self.wait_for_month("2031-07")
            code, _, err = aws("s3", "sync", "s3://lake/curated/yellow_green/ym=2031-07/", f"{folder}/out", endpoint=LAKE)
            self.assertEqual(code, 0, err)
            self.assertEqual(os.listdir(f"{folder}/out"), ["part-00000.csv"])
            found = duckdb.sql(f"SELECT count(*), sum(total_amount) FROM '{folder}/out/part-00000.csv'").fetchall()[0]
            self.assertEqual(found[0], wanted[0])
            self.assertAlmostEqual(found[1], wanted[1], places=2)

    def wait_for_month(self, month):
        deadline = time.monotonic() + 60
        while True:
            with urllib.request.urlopen(f"{API}/api/v1/runs?job=monthly-union") as answer:
                runs = [run for run in json.load(answer)["items"] if run["parameters"]["ym"] == month]
            if runs and runs[0]["state"] == "SUCCEEDED":
                return
            self.assertFalse(runs and runs[0]["state"] == "FAILED", runs)
            self.assertLess(time.monotonic(), deadline, runs)
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
