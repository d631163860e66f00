"""The aws CLI: what it prints, and what it prints of a failure."""

import json

from cli import Cli
from server import ACCOUNT, on_both_databases


@on_both_databases
class AwsCli(Cli):
    def test_databases_and_tables(self):
        self.aws("create-database", database_input={"Name": "Cli", "Description": "by the CLI"})
        self.assertEqual(self.aws("get-database", name="cli")["Database"]["Description"], "by the CLI")
        self.aws("update-database", name="cli", database_input={"Name": "cli", "Description": "changed"})
        names = {database["Name"]: database for database in self.aws("get-databases")["DatabaseList"]}
        self.assertEqual(names["cli"]["Description"], "changed")
        words = "An error occurred (AlreadyExistsException) when calling the CreateDatabase operation: "
        self.fails("create-database", words + "Database already exists.", database_input={"Name": "cli"})

        columns = [{"Name": "a", "Type": "int", "Comment": "grün"}]
        table = {"Name": "orders", "StorageDescriptor": {"Columns": columns}, "Parameters": {"step": "0"}}
        self.aws("create-table", database_name="cli", table_input=table)
        found = self.aws("get-table", database_name="cli", name="orders")["Table"]
        self.assertEqual(found["StorageDescriptor"]["Columns"], columns)
        table["Parameters"]["step"] = "1"
        self.aws("update-table", database_name="cli", table_input=table, version_id="0")
        words = "An error occurred (ConcurrentModificationException) when calling the UpdateTable operation: "
        words += "Update table failed due to concurrent modifications."
        table["Parameters"]["step"] = "2"
        self.fails("update-table", words, database_name="cli", table_input=table, version_id="0")
        versions = self.aws("get-table-versions", database_name="cli", table_name="orders")["TableVersions"]
        steps = [(version["VersionId"], version["Table"]["Parameters"]["step"]) for version in versions]
        self.assertEqual(steps, [("1", "1"), ("0", "0")])
        tables = self.aws("search-tables", search_text="orders")["TableList"]
        self.assertEqual([(table["DatabaseName"], table["Name"]) for table in tables], [("cli", "orders")])

        self.aws("delete-table", database_name="cli", name="orders")
        words = "An error occurred (EntityNotFoundException) when calling the GetTable operation: "
        self.fails("get-table", words + "Table orders not found.", database_name="cli", name="orders")
        self.aws("delete-database", name="cli")
        words = "An error occurred (EntityNotFoundException) when calling the GetDatabase operation: "
        self.fails("get-database", words + "Database cli not found.", name="cli")

    def test_partitions(self):
        database = self.fresh_database()
        keys = [{"Name": "day", "Type": "date"}, {"Name": "n", "Type": "int"}]
        self.glue.create_table(DatabaseName=database, TableInput={"Name": "t", "PartitionKeys": keys})
        named = {"database_name": database, "table_name": "t"}
        inputs = [{"Values": ["2024-01-01", str(n)]} for n in range(12)]
        answer = self.aws("batch-create-partition", **named, partition_input_list=inputs)
        self.assertFalse(answer.get("Errors"))
        answer = self.aws("batch-create-partition", **named, partition_input_list=inputs[:1])
        self.assertEqual(answer["Errors"][0]["ErrorDetail"]["ErrorCode"], "AlreadyExistsException")
        found = self.aws("get-partitions", **named, expression="day = '2024-01-01' AND n >= 9")["Partitions"]
        self.assertEqual(sorted(int(partition["Values"][1]) for partition in found), [9, 10, 11])
        # The CLI follows the tokens itself.
        found = self.aws("get-partitions", **named, page_size="5")["Partitions"]
        self.assertEqual(sorted(int(partition["Values"][1]) for partition in found), list(range(12)))
        words = "An error occurred (InvalidInputException) when calling the GetPartitions operation: "
        self.fails("get-partitions", words + "Unsupported expression 'n ='", **named, expression="n =")
        words = "An error occurred (EntityNotFoundException) when calling the GetPartition operation: "
        values = ["2024-01-01", "99"]
        self.fails("get-partition", words + "Cannot find partition.", **named, partition_values=values)

    def test_what_is_not_served(self):
        self.assertEqual(self.aws("list-workflows")["Workflows"], [])
        words = (
            "An error occurred (OperationNotSupportedException) when calling the StartMLEvaluationTaskRun operation: "
        )
        self.fails("start-ml-evaluation-task-run", words, transform_id="t")

    def test_who_am_i(self):
        done = self.run_aws("sts", "get-caller-identity")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["Account"], ACCOUNT)
