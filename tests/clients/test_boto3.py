"""What boto3's users rely on: messages, pages, batches, versions, search, and what is said of all the rest."""

import datetime
import gzip
import http.client
import json
import time
import uuid

from server import ACCOUNT, PATIENCE, REGION, Case, glue_headers, on_both_databases
from shapes import MODEL, read, shape_of


@on_both_databases
class Names(Case):
    """Databases and tables by their names, and the messages that clients compare."""

    def test_what_is_there_already(self):
        database = self.fresh_database()
        message = "Database already exists."
        self.refused(
            "AlreadyExistsException", self.glue.create_database, message, DatabaseInput={"Name": database.upper()}
        )
        table = {"DatabaseName": database, "TableInput": {"Name": "t"}}
        self.glue.create_table(**table)
        self.refused("AlreadyExistsException", self.glue.create_table, "Table already exists.", **table)
        keyed = {"Name": "keyed", "PartitionKeys": [{"Name": "k", "Type": "string"}]}
        self.glue.create_table(DatabaseName=database, TableInput=keyed)
        partition = {"DatabaseName": database, "TableName": "keyed", "PartitionInput": {"Values": ["v"]}}
        self.glue.create_partition(**partition)
        message = "Partition already exists."
        self.refused("AlreadyExistsException", self.glue.create_partition, message, **partition)

    def test_what_is_not_there(self):
        database = self.fresh_database()
        glue, missing = self.glue, "EntityNotFoundException"
        nowhere = "Database nowhere not found."
        self.refused(missing, glue.get_database, nowhere, Name="nowhere")
        self.refused(missing, glue.delete_database, nowhere, Name="nowhere")
        self.refused(missing, glue.update_database, nowhere, Name="nowhere", DatabaseInput={"Name": "nowhere"})
        self.refused(missing, glue.get_tables, nowhere, DatabaseName="nowhere")
        self.refused(missing, glue.create_table, nowhere, DatabaseName="nowhere", TableInput={"Name": "t"})
        no_table = "Table t not found."
        self.refused(missing, glue.get_table, no_table, DatabaseName=database, Name="t")
        self.refused(missing, glue.delete_table, no_table, DatabaseName=database, Name="t")
        self.refused(missing, glue.update_table, no_table, DatabaseName=database, TableInput={"Name": "t"})
        for ask in (glue.get_partitions, glue.get_table_versions, glue.get_partition_indexes):
            self.refused(missing, ask, no_table, DatabaseName=database, TableName="t")
        table = {"Name": "keyed", "PartitionKeys": [{"Name": "k", "Type": "string"}]}
        glue.create_table(DatabaseName=database, TableInput=table)
        named = {"DatabaseName": database, "TableName": "keyed"}
        no_partition = "Cannot find partition."
        self.refused(missing, glue.get_partition, no_partition, **named, PartitionValues=["v"])
        self.refused(missing, glue.delete_partition, no_partition, **named, PartitionValues=["v"])
        update = {"PartitionValueList": ["v"], "PartitionInput": {"Values": ["v"]}}
        self.refused(missing, glue.update_partition, no_partition, **named, **update)

    def test_names_are_found_in_any_case(self):
        name = f"Mixed_{uuid.uuid4().hex}"
        self.glue.create_database(DatabaseInput={"Name": name})
        columns = [{"Name": "OrderId", "Type": "int"}]
        table = {"Name": "Sales_EU", "StorageDescriptor": {"Columns": columns}}
        self.glue.create_table(DatabaseName=name.upper(), TableInput=table)
        found = self.glue.get_table(DatabaseName=name.lower(), Name="SALES_eu")["Table"]
        self.assertEqual((found["DatabaseName"], found["Name"]), (name.lower(), "sales_eu"))
        self.assertEqual(found["StorageDescriptor"]["Columns"], [{"Name": "orderid", "Type": "int"}])

    def test_a_database_goes_with_all_that_is_in_it(self):
        database = self.fresh_database()
        self.glue.create_table(DatabaseName=database, TableInput={"Name": "t"})
        function = {"FunctionName": "f", "ClassName": "c"}
        self.glue.create_user_defined_function(DatabaseName=database, FunctionInput=function)
        self.glue.delete_database(Name=database)
        self.glue.create_database(DatabaseInput={"Name": database})
        self.assertEqual(self.glue.get_tables(DatabaseName=database)["TableList"], [])
        functions = self.glue.get_user_defined_functions(DatabaseName=database, Pattern="*")
        self.assertEqual(functions["UserDefinedFunctions"], [])

    def test_another_accounts_catalog_is_not_here(self):
        with self.assertRaises(self.glue.exceptions.ClientError) as caught:
            self.glue.get_databases(CatalogId="999999999999")
        code = caught.exception.response["Error"]["Code"]
        self.assertIn(code, ("AccessDeniedException", "EntityNotFoundException"))
        self.glue.get_databases(CatalogId=ACCOUNT)

    def test_the_limits_are_those_of_the_model(self):
        database = self.fresh_database()

        def create(**table):
            return {"DatabaseName": database, "TableInput": table}

        self.glue.create_table(**create(Name="n" * 255, Description="d" * 2048))
        self.refused("ValidationException", self.glue.create_table, **create(Name="n" * 256))
        self.refused("ValidationException", self.glue.create_table, **create(Name="t", Description="d" * 2049))
        self.refused("ValidationException", self.glue.create_table, **create(Name="t", Parameters={"p" * 256: ""}))
        self.refused("ValidationException", self.glue.create_table, **create(Name="t", Parameters={"p": "v" * 512_001}))
        column = {"Name": "c", "Comment": "c" * 256}
        descriptor = {"Columns": [column]}
        self.refused("ValidationException", self.glue.create_table, **create(Name="t", StorageDescriptor=descriptor))
        message = self.refused("ValidationException", self.glue.get_table, DatabaseName=database)
        wanted = (
            "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
        )
        self.assertEqual(message, wanted)


@on_both_databases
class Listings(Case):
    """Pages, tokens and patterns."""

    def names(self, database, **more):
        tables, pages = self.all_pages(self.glue.get_tables, "TableList", DatabaseName=database, **more)
        return [table["Name"] for table in tables], pages

    def test_tables_come_in_pages_of_100(self):
        database = self.fresh_database()
        wanted = [f"t_{number:03}" for number in range(203)]
        for name in reversed(wanted):
            self.glue.create_table(DatabaseName=database, TableInput={"Name": name})
        self.assertEqual(self.names(database), (wanted, 3))
        self.assertEqual(self.names(database, MaxResults=100), (wanted, 3))
        self.assertEqual(self.names(database, MaxResults=7), (wanted, 29))

    def test_a_page_is_of_one_at_least_and_has_a_limit(self):
        database = self.fresh_database()
        self.glue.create_table(DatabaseName=database, TableInput={"Name": "t"})
        table = {"DatabaseName": database, "TableName": "t"}
        limits = {
            self.glue.get_databases: (100, {}),
            self.glue.get_tables: (100, {"DatabaseName": database}),
            self.glue.get_table_versions: (100, table),
            self.glue.get_user_defined_functions: (100, {"DatabaseName": database, "Pattern": "*"}),
            self.glue.get_partitions: (1000, table),
            self.glue.search_tables: (1000, {}),
            self.glue.get_connections: (1000, {}),
        }
        for ask, (most, request) in limits.items():
            with self.subTest(ask.__name__):
                ask(**request, MaxResults=most)
                ask(**request, MaxResults=1)
                message = self.refused("ValidationException", ask, **request, MaxResults=most + 1)
                wanted = f"Value '{most + 1}' at 'maxResults' failed to satisfy constraint: "
                self.assertIn(wanted + f"Member must have value less than or equal to {most}", message)
                message = self.refused("ValidationException", ask, **request, MaxResults=0)
                self.assertIn("Member must have value greater than or equal to 1", message)

    def test_a_token_that_was_never_given(self):
        database = self.fresh_database()
        self.refused("InvalidInputException", self.glue.get_databases, NextToken="made up")
        self.refused("InvalidInputException", self.glue.get_tables, DatabaseName=database, NextToken="made up")

    def test_tables_that_come_and_go_do_not_move_the_others(self):
        database = self.fresh_database()
        wanted = [f"m_{number:02}" for number in range(40)]
        for name in wanted:
            self.glue.create_table(DatabaseName=database, TableInput={"Name": name})
        found, token = [], {}
        for page in range(100):
            answer = self.glue.get_tables(DatabaseName=database, MaxResults=5, **token)
            found += [table["Name"] for table in answer["TableList"]]
            if "NextToken" not in answer:
                break
            token = {"NextToken": answer["NextToken"]}
            for prefix in ("a", "z"):
                self.glue.create_table(DatabaseName=database, TableInput={"Name": f"{prefix}_{page:02}"})
            # The last one that was seen goes.
            self.glue.delete_table(DatabaseName=database, Name=found[-1])
        self.assertEqual([name for name in found if name.startswith("m_")], wanted)
        self.assertEqual(len(found), len(set(found)))

    def test_databases_in_pages(self):
        wanted = {self.fresh_database() for _ in range(5)}
        found, pages = self.all_pages(self.glue.get_databases, "DatabaseList", MaxResults=2)
        names = [database["Name"] for database in found]
        self.assertLessEqual(wanted, set(names))
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(pages, (len(names) + 1) // 2)

    def test_patterns_of_names_are_globs_or_regular_expressions(self):
        database = self.fresh_database()
        for name in ("sales_2023", "sales_2024", "old_sales", "returns", "a.b"):
            self.glue.create_table(DatabaseName=database, TableInput={"Name": name})
        wanted = {
            "sales*": ["sales_2023", "sales_2024"],
            "*sales": ["old_sales"],
            "*sales*": ["old_sales", "sales_2023", "sales_2024"],
            "*": ["a.b", "old_sales", "returns", "sales_2023", "sales_2024"],
            "": ["a.b", "old_sales", "returns", "sales_2023", "sales_2024"],
            "sales": [],
            "sales_202[34]": ["sales_2023", "sales_2024"],
            "sales_.*": ["sales_2023", "sales_2024"],
            "old.*|returns": ["old_sales", "returns"],
            "returns|sales*": ["returns", "sales_2023", "sales_2024"],
            "SALES_2023": ["sales_2023"],
            "^sales_2023$": ["sales_2023"],
            r"a\.b": ["a.b"],
        }
        for pattern, names in wanted.items():
            with self.subTest(pattern):
                self.assertEqual(self.names(database, Expression=pattern)[0], names)
        self.assertEqual(self.names(database, Expression="*sales*", MaxResults=1)[0], wanted["*sales*"])

    def test_only_the_attributes_that_are_asked_for(self):
        database = self.fresh_database()
        table = {"Name": "t", "TableType": "EXTERNAL_TABLE", "Parameters": {"a": "b"}, "Description": "d"}
        self.glue.create_table(DatabaseName=database, TableInput=table)
        (found,) = self.glue.get_tables(DatabaseName=database, AttributesToGet=["NAME"])["TableList"]
        self.assertLessEqual(set(found), {"Name", "DatabaseName", "CatalogId"})
        self.assertEqual(found["Name"], "t")
        attributes = ["NAME", "TABLE_TYPE"]
        (found,) = self.glue.get_tables(DatabaseName=database, AttributesToGet=attributes)["TableList"]
        self.assertEqual((found["Name"], found["TableType"]), ("t", "EXTERNAL_TABLE"))
        self.assertNotIn("Parameters", found)


@on_both_databases
class Partitions(Case):
    """Many partitions: segments, pages and batches."""

    @classmethod
    def prepare(cls):
        cls.named = {"DatabaseName": "partitions", "TableName": "many"}
        cls.glue.create_database(DatabaseInput={"Name": "partitions"})
        cls.keyed_table("many")
        cls.values = [
            [f"2024-{day // 28 + 1:02}-{day % 28 + 1:02}", str(hour)] for day in range(84) for hour in range(12)
        ]
        for start in range(0, len(cls.values), 100):
            batch = [cls.input(values) for values in cls.values[start : start + 100]]
            assert not cls.glue.batch_create_partition(**cls.named, PartitionInputList=batch).get("Errors")

    @classmethod
    def keyed_table(cls, name):
        keys = [{"Name": "day", "Type": "date"}, {"Name": "hour", "Type": "int"}]
        table = {"Name": name, "PartitionKeys": keys, "StorageDescriptor": {"Columns": [{"Name": "c", "Type": "int"}]}}
        cls.glue.create_table(DatabaseName="partitions", TableInput=table)
        return {"DatabaseName": "partitions", "TableName": name}

    @staticmethod
    def input(values):
        location = f"s3://lake/many/day={values[0]}/hour={values[1]}/"
        return {
            "Values": values,
            "StorageDescriptor": {"Columns": [{"Name": "c", "Type": "int"}], "Location": location},
        }

    def found(self, **request):
        partitions, pages = self.all_pages(self.glue.get_partitions, "Partitions", **{**self.named, **request})
        return [partition["Values"] for partition in partitions], pages

    def test_pages_hold_1000_and_each_partition_is_in_one(self):
        found, pages = self.found()
        self.assertEqual(sorted(found), sorted(self.values))
        self.assertEqual(pages, 2)
        self.assertEqual(self.found(MaxResults=37)[0], found)

    def test_segments_share_all_partitions(self):
        for total in (1, 2, 5, 10):
            segments = [
                self.found(Segment={"SegmentNumber": number, "TotalSegments": total}, MaxResults=50)[0]
                for number in range(total)
            ]
            together = [values for segment in segments for values in segment]
            with self.subTest(total):
                self.assertEqual(sorted(together), sorted(self.values))
                # A segment that holds nearly everything helps nobody.
                self.assertLess(max(map(len, segments)), 2 * len(self.values) / total + 1)

    def test_segments_of_an_expression(self):
        expression = "day BETWEEN '2024-02-01' AND '2024-02-03' AND hour IN (3, 4)"
        segments = [
            self.found(Segment={"SegmentNumber": number, "TotalSegments": 4}, Expression=expression)[0]
            for number in range(4)
        ]
        together = sorted(values for segment in segments for values in segment)
        self.assertEqual(together, [[f"2024-02-0{day}", str(hour)] for day in (1, 2, 3) for hour in (3, 4)])

    def test_segments_that_there_can_not_be(self):
        for number, total in ((0, 11), (0, 0), (-1, 2)):
            segment = {"SegmentNumber": number, "TotalSegments": total}
            with self.subTest(segment):
                self.refused("ValidationException", self.glue.get_partitions, **self.named, Segment=segment)
        segment = {"SegmentNumber": 2, "TotalSegments": 2}
        self.refused("InvalidInputException", self.glue.get_partitions, **self.named, Segment=segment)

    def test_without_columns(self):
        request = {**self.named, "Expression": "day = '2024-01-01' AND hour = 0"}
        (whole,) = self.glue.get_partitions(**request)["Partitions"]
        (lean,) = self.glue.get_partitions(**request, ExcludeColumnSchema=True)["Partitions"]
        self.assertEqual(whole["StorageDescriptor"]["Columns"], [{"Name": "c", "Type": "int"}])
        self.assertFalse(lean["StorageDescriptor"].get("Columns"))
        self.assertEqual(lean["StorageDescriptor"]["Location"], whole["StorageDescriptor"]["Location"])

    def test_partitions_that_come_and_go_do_not_move_the_others(self):
        named = self.keyed_table("moving")
        wanted = [["2024-06-15", str(hour)] for hour in range(60)]
        batch = [self.input(values) for values in wanted]
        self.glue.batch_create_partition(**named, PartitionInputList=batch)
        found, token = [], {}
        for page in range(100):
            answer = self.glue.get_partitions(**named, MaxResults=7, **token)
            found += [partition["Values"] for partition in answer["Partitions"]]
            if "NextToken" not in answer:
                break
            token = {"NextToken": answer["NextToken"]}
            for day in ("2020-01-01", "2028-01-01"):
                self.glue.create_partition(**named, PartitionInput=self.input([day, str(page)]))
            # The last one that was seen goes.
            self.glue.delete_partition(**named, PartitionValues=found[-1])
        self.assertEqual(sorted(values for values in found if values[0] == "2024-06-15"), sorted(wanted))
        self.assertEqual(len(found), len({tuple(values) for values in found}))

    def test_batches_have_limits(self):
        named = self.keyed_table("batches")
        values = [["2024-01-01", str(hour)] for hour in range(1001)]
        inputs = [self.input(one) for one in values]
        keys = [{"Values": one} for one in values]
        entries = [{"PartitionValueList": one, "PartitionInput": self.input(one)} for one in values]
        glue = self.glue
        limits = [
            (glue.batch_create_partition, "PartitionInputList", inputs, 100),
            (glue.batch_update_partition, "Entries", entries, 100),
            (glue.batch_get_partition, "PartitionsToGet", keys, 1000),
            (glue.batch_delete_partition, "PartitionsToDelete", keys, 25),
        ]
        for ask, member, items, most in limits:
            with self.subTest(member):
                message = self.refused("ValidationException", ask, **named, **{member: items[: most + 1]})
                self.assertIn(f"at '{member[0].lower()}{member[1:]}' failed to satisfy constraint: ", message)
                self.assertIn(f"Member must have length less than or equal to {most}", message)
                ask(**named, **{member: items[:most]})
        self.refused("ValidationException", glue.batch_update_partition, **named, Entries=[])
        tables = {"DatabaseName": "partitions", "TablesToDelete": [f"t{number}" for number in range(101)]}
        self.refused("ValidationException", glue.batch_delete_table, **tables)
        versions = {**named, "VersionIds": [str(number) for number in range(1, 102)]}
        self.refused("ValidationException", glue.batch_delete_table_version, **versions)

    def test_a_batch_does_what_it_can_and_says_what_it_could_not(self):
        named = self.keyed_table("partly")
        one, two, three = (["2024-01-01", str(hour)] for hour in (1, 2, 3))
        create = self.glue.batch_create_partition
        self.assertFalse(create(**named, PartitionInputList=[self.input(one)]).get("Errors"))
        errors = create(**named, PartitionInputList=[self.input(one), self.input(two)])["Errors"]
        detail = {"ErrorCode": "AlreadyExistsException", "ErrorMessage": "Partition already exists."}
        self.assertEqual(errors, [{"PartitionValues": one, "ErrorDetail": detail}])

        entries = [{"PartitionValueList": values, "PartitionInput": self.input(values)} for values in (three, two)]
        entries[1]["PartitionInput"]["Parameters"] = {"updated": "yes"}
        errors = self.glue.batch_update_partition(**named, Entries=entries)["Errors"]
        missing = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Cannot find partition."}
        self.assertEqual(errors, [{"PartitionValueList": three, "ErrorDetail": missing}])
        updated = self.glue.get_partition(**named, PartitionValues=two)["Partition"]
        self.assertEqual(updated["Parameters"], {"updated": "yes"})

        keys = [{"Values": values} for values in (one, three, two)]
        answer = self.glue.batch_get_partition(**named, PartitionsToGet=keys)
        self.assertEqual(sorted(partition["Values"] for partition in answer["Partitions"]), [one, two])
        self.assertFalse(answer.get("UnprocessedKeys"))

        errors = self.glue.batch_delete_partition(**named, PartitionsToDelete=[{"Values": three}, {"Values": one}])[
            "Errors"
        ]
        self.assertEqual(errors, [{"PartitionValues": three, "ErrorDetail": missing}])
        self.assertEqual(self.found(**named)[0], [two])

        tables = ["partly", "nowhere"]
        errors = self.glue.batch_delete_table(DatabaseName="partitions", TablesToDelete=tables)["Errors"]
        missing = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Table nowhere not found."}
        self.assertEqual(errors, [{"TableName": "nowhere", "ErrorDetail": missing}])
        self.refused("EntityNotFoundException", self.glue.get_table, DatabaseName="partitions", Name="partly")

    def test_values_must_be_as_many_as_keys(self):
        named = self.keyed_table("counted")
        for values in ([], ["2024-01-01"], ["2024-01-01", "1", "2"]):
            with self.subTest(values):
                partition = {"Values": values}
                self.refused("InvalidInputException", self.glue.create_partition, **named, PartitionInput=partition)

    def test_a_partition_can_get_other_values(self):
        named = self.keyed_table("renamed")
        one, other, third = (["2024-01-01", str(hour)] for hour in (1, 2, 3))
        for values in (one, third):
            self.glue.create_partition(**named, PartitionInput=self.input(values))
        self.glue.update_partition(**named, PartitionValueList=one, PartitionInput=self.input(other))
        self.assertEqual(sorted(self.found(**named)[0]), [other, third])
        update = {"PartitionValueList": other, "PartitionInput": self.input(third)}
        self.refused("AlreadyExistsException", self.glue.update_partition, **named, **update)
        self.assertEqual(sorted(self.found(**named)[0]), [other, third])

    def test_three_indexes_a_table(self):
        columns = [{"Name": "day", "Type": "string"}, {"Name": "hour", "Type": "int"}]
        self.glue.create_table(DatabaseName="partitions", TableInput={"Name": "indexed", "PartitionKeys": columns})
        named = {"DatabaseName": "partitions", "TableName": "indexed"}
        keys = {"one": ["day"], "two": ["hour"], "three": ["day", "hour"]}
        create = self.glue.create_partition_index
        for name, columns in keys.items():
            create(**named, PartitionIndex={"IndexName": name, "Keys": columns})
            if name == "one":
                again = {"IndexName": "one", "Keys": ["hour"]}
                self.refused("AlreadyExistsException", create, **named, PartitionIndex=again)
        fourth = {"IndexName": "four", "Keys": ["hour", "day"]}
        self.refused("ResourceNumberLimitExceededException", create, **named, PartitionIndex=fourth)
        self.glue.delete_partition_index(**named, IndexName="two")
        nowhere = {"IndexName": "nowhere", "Keys": ["c"]}
        self.refused("InvalidInputException", create, **named, PartitionIndex=nowhere)
        self.refused("EntityNotFoundException", self.glue.delete_partition_index, **named, IndexName="two")
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.glue.get_partition_indexes(**named)["PartitionIndexDescriptorList"]
            states = {index["IndexName"]: index["IndexStatus"] for index in found}
            if states == {"one": "ACTIVE", "three": "ACTIVE"}:
                break
            self.assertLess(time.monotonic(), deadline, states)
            time.sleep(0.05)


@on_both_databases
class Versions(Case):
    """What makes concurrent updates of a table safe."""

    def setUp(self):
        self.database = self.fresh_database()
        self.glue.create_table(DatabaseName=self.database, TableInput=self.input("0"))

    @staticmethod
    def input(step, **parameters):
        return {"Name": "t", "Parameters": {"step": step, **parameters}}

    def update(self, step, **more):
        return self.glue.update_table(DatabaseName=self.database, TableInput=self.input(step), **more)

    def table(self):
        """The table's version and the step that it is at."""
        table = self.glue.get_table(DatabaseName=self.database, Name="t")["Table"]
        return table["VersionId"], table["Parameters"]["step"]

    def versions(self, **more):
        versions, _ = self.all_pages(
            self.glue.get_table_versions, "TableVersions", DatabaseName=self.database, TableName="t", **more
        )
        return [(version["VersionId"], version["Table"]["Parameters"]["step"]) for version in versions]

    def conflict(self, ask, **request):
        message = "Update table failed due to concurrent modifications."
        self.refused("ConcurrentModificationException", ask, message, **request)

    def test_versions_count_from_0_and_come_newest_first(self):
        self.assertEqual(self.table(), ("0", "0"))
        for step in range(1, 13):
            self.update(str(step))
        self.assertEqual(self.table(), ("12", "12"))
        wanted = [(str(step), str(step)) for step in reversed(range(13))]
        self.assertEqual(self.versions(), wanted)
        self.assertEqual(self.versions(MaxResults=5), wanted)

    def test_an_update_of_an_old_version_is_a_conflict(self):
        self.update("1", VersionId="0")
        self.conflict(self.update, step="2", VersionId="0")
        self.conflict(self.update, step="2", VersionId="7")
        self.assertEqual(self.table(), ("1", "1"))
        self.update("2", VersionId="1")
        self.update("3")
        self.assertEqual(self.versions(), [("3", "3"), ("2", "2"), ("1", "1"), ("0", "0")])

    def test_an_update_that_won_may_be_sent_again(self):
        self.update("1", VersionId="0")
        self.update("1", VersionId="0")
        self.assertEqual(self.versions(), [("1", "1"), ("0", "0")])
        self.update("2", VersionId="1")
        self.update("2", VersionId="1")
        self.assertEqual(self.versions(), [("2", "2"), ("1", "1"), ("0", "0")])
        # It won once, and something else came after it.
        self.conflict(self.update, step="1", VersionId="0")
        # The same content from another version is another update.
        self.update("2", VersionId="2")
        self.assertEqual(self.table(), ("3", "2"))

    def test_what_is_not_archived_is_gone(self):
        self.update("1", SkipArchive=True)
        self.assertEqual(self.table(), ("1", "1"))
        self.assertEqual(self.versions(), [("1", "1")])
        self.update("2", SkipArchive=False)
        self.assertEqual(self.versions(), [("2", "2"), ("1", "1")])
        gone = {"DatabaseName": self.database, "TableName": "t", "VersionId": "0"}
        self.refused("EntityNotFoundException", self.glue.get_table_version, **gone)

    def test_a_table_says_how_many_former_versions_are_kept(self):
        for step in range(1, 7):
            table = self.input(str(step), **{"mastic.version-retention": "2"})
            self.glue.update_table(DatabaseName=self.database, TableInput=table)
        self.assertEqual(self.versions(), [("6", "6"), ("5", "5"), ("4", "4")])

    def test_one_version(self):
        self.update("1")
        named = {"DatabaseName": self.database, "TableName": "t"}
        old = self.glue.get_table_version(**named, VersionId="0")["TableVersion"]
        self.assertEqual((old["VersionId"], old["Table"]["Parameters"]), ("0", {"step": "0"}))
        newest = self.glue.get_table_version(**named)["TableVersion"]
        self.assertEqual((newest["VersionId"], newest["Table"]["Parameters"]), ("1", {"step": "1"}))
        self.refused("EntityNotFoundException", self.glue.get_table_version, **named, VersionId="2")

    def test_versions_can_be_removed_but_not_the_current_one(self):
        for step in "1234":
            self.update(step)
        named = {"DatabaseName": self.database, "TableName": "t"}
        self.glue.delete_table_version(**named, VersionId="1")
        self.refused("EntityNotFoundException", self.glue.delete_table_version, **named, VersionId="1")
        self.refused("InvalidInputException", self.glue.delete_table_version, **named, VersionId="4")
        errors = self.glue.batch_delete_table_version(**named, VersionIds=["0", "1", "2"])["Errors"]
        self.assertEqual([(error["TableName"], error["VersionId"]) for error in errors], [("t", "1")])
        self.assertEqual(errors[0]["ErrorDetail"]["ErrorCode"], "EntityNotFoundException")
        self.assertEqual(self.versions(), [("4", "4"), ("3", "3")])
        # A number is never given twice.
        self.update("5")
        self.assertEqual(self.table(), ("5", "5"))

    def test_metadata_moves_only_from_where_it_is(self):
        def move(location, previous):
            table = self.input("0", metadata_location=location)
            if previous is not None:
                table["Parameters"]["previous_metadata_location"] = previous
            return {"DatabaseName": self.database, "TableInput": table}

        self.glue.update_table(**move("s3://lake/t/0.json", None))
        self.glue.update_table(**move("s3://lake/t/1.json", "s3://lake/t/0.json"))
        self.conflict(self.glue.update_table, **move("s3://lake/t/2.json", "s3://lake/t/0.json"))
        table = self.glue.get_table(DatabaseName=self.database, Name="t")["Table"]
        self.assertEqual(table["Parameters"]["metadata_location"], "s3://lake/t/1.json")
        self.assertEqual(table["VersionId"], "2")
        # Where it stays, nothing was overtaken.
        self.glue.update_table(**move("s3://lake/t/1.json", "s3://lake/t/0.json"))
        self.glue.update_table(**move("s3://lake/t/2.json", "s3://lake/t/1.json"))

    def test_times_move_with_updates(self):
        before = self.glue.get_table(DatabaseName=self.database, Name="t")["Table"]
        self.update("1")
        after = self.glue.get_table(DatabaseName=self.database, Name="t")["Table"]
        self.assertEqual(after["CreateTime"], before["CreateTime"])
        self.assertGreater(after["UpdateTime"], before["UpdateTime"])
        age = datetime.datetime.now(datetime.UTC) - after["UpdateTime"]
        self.assertLess(abs(age.total_seconds()), PATIENCE)


@on_both_databases
class Search(Case):
    @classmethod
    def prepare(cls):
        cls.glue.create_database(DatabaseInput={"Name": "shop"})
        cls.glue.create_database(DatabaseInput={"Name": "archive"})
        cls.table("shop", "customer-orders", "Every order of a customer, by day", "alice", order_id="Key of an order")
        cls.table("shop", "returns", "Goods that came back", "bob", reason="Why the customer sent it back")
        cls.table("archive", "old-orders", "Orders by day of a customer", "alice", order_id="Key", owner_zip="Postcode")
        cls.table("archive", "weather", "Rain", "carol", station="Where")
        cls.everything = ["customer-orders", "old-orders", "returns", "weather"]

    @classmethod
    def table(cls, database, name, description, owner, **columns):
        columns = [{"Name": column, "Type": "string", "Comment": comment} for column, comment in columns.items()]
        table = {"Name": name, "Description": description, "Owner": owner, "TableType": "EXTERNAL_TABLE"}
        table |= {"StorageDescriptor": {"Columns": columns}, "Parameters": {"team": f"team_of_{owner}"}}
        cls.glue.create_table(DatabaseName=database, TableInput=table)

    def found(self, **request):
        tables, _ = self.all_pages(self.glue.search_tables, "TableList", **request)
        return [table["Name"] for table in tables]

    def check(self, wanted, **request):
        with self.subTest(**request):
            self.assertEqual(sorted(self.found(**request)), wanted)

    def test_nothing_asked_is_everything(self):
        self.check(self.everything)

    def test_words_are_found_in_names_comments_columns_and_parameters(self):
        self.check(["customer-orders", "old-orders", "returns"], SearchText="customer")
        self.check(["customer-orders", "old-orders"], SearchText="orders")
        self.check(["weather"], SearchText="station")
        self.check(["returns"], SearchText="sent")
        self.check(["returns"], SearchText="team_of_bob")
        self.check(["weather"], SearchText="RAIN")
        self.check([], SearchText="snow")

    def test_a_phrase_in_quotes_is_exact(self):
        self.check(["customer-orders"], SearchText='"order of a customer"')
        self.check(["old-orders"], SearchText='"day of a customer"')
        self.check([], SearchText='"customer a of day"')

    def test_text_that_means_something_to_a_database(self):
        for text in (
            "'",
            '"',
            '""',
            "%",
            "*",
            "NEAR(",
            "a AND",
            "order_id:*",
            "(",
            "--",
            "\\",
            "&|!",
            "^",
            "team_of_bob OR",
        ):
            with self.subTest(text):
                self.assertLess(len(self.found(SearchText=text)), len(self.everything) + 1)

    def test_filters_narrow(self):
        def only(key, value):
            return [{"Key": key, "Value": value}]

        self.check(["customer-orders", "returns"], Filters=only("DatabaseName", "shop"))
        self.check(["returns"], Filters=only("Name", "returns"))
        # A name is split at its hyphens.
        self.check(["customer-orders", "old-orders"], Filters=only("Name", "orders"))
        self.check([], Filters=only("Name", "order"))
        self.check(["customer-orders", "old-orders"], Filters=only("Owner", "alice"))
        both = only("DatabaseName", "shop") + only("Owner", "alice")
        self.check(["customer-orders"], Filters=both)
        self.check(["customer-orders"], Filters=both, SearchText="customer")
        self.check([], Filters=both, SearchText="rain")

    def test_filters_compare_times(self):
        past, future = "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
        for comparator, value, wanted in (
            ("GREATER_THAN", past, self.everything),
            ("GREATER_THAN_EQUALS", future, []),
            ("LESS_THAN", future, self.everything),
            ("LESS_THAN_EQUALS", past, []),
            ("EQUALS", past, []),
        ):
            for key in ("CreateTime", "UpdateTime"):
                self.check(wanted, Filters=[{"Key": key, "Value": value, "Comparator": comparator}])

    def test_sorting(self):
        up = self.found(SortCriteria=[{"FieldName": "Name", "Sort": "ASC"}])
        self.assertEqual(up, self.everything)
        down = self.found(SortCriteria=[{"FieldName": "Name", "Sort": "DESC"}])
        self.assertEqual(down, self.everything[::-1])
        created = self.found(SortCriteria=[{"FieldName": "CreateTime", "Sort": "DESC"}])
        self.assertEqual(created, ["weather", "old-orders", "returns", "customer-orders"])
        two = [{"FieldName": "Name", "Sort": "ASC"}, {"FieldName": "Owner", "Sort": "ASC"}]
        self.refused("ValidationException", self.glue.search_tables, SortCriteria=two)

    def test_pages(self):
        for sort in ("ASC", "DESC"):
            criteria = [{"FieldName": "Name", "Sort": sort}]
            whole = self.found(SortCriteria=criteria)
            tables, pages = self.all_pages(
                self.glue.search_tables, "TableList", SortCriteria=criteria, SearchText="customer", MaxResults=1
            )
            self.assertEqual([table["Name"] for table in tables], [name for name in whole if name != "weather"])
            self.assertEqual(pages, 3)

    def test_tables_that_come_do_not_move_the_others(self):
        name = self.fresh_database()
        self.addCleanup(self.glue.delete_database, Name=name)
        for letter in "fghijk":
            self.glue.create_table(DatabaseName=name, TableInput={"Name": f"{letter}_1", "Description": "okapi"})
        request = {"SearchText": "okapi", "SortCriteria": [{"FieldName": "Name", "Sort": "ASC"}], "MaxResults": 2}
        found = []
        while True:
            answer = self.glue.search_tables(**request)
            found += [table["Name"] for table in answer["TableList"]]
            if "NextToken" not in answer:
                break
            request["NextToken"] = answer["NextToken"]
            self.glue.create_table(DatabaseName=name, TableInput={"Name": f"a_{len(found)}", "Description": "okapi"})
        self.assertEqual([name for name in found if name.endswith("_1")], [f"{letter}_1" for letter in "fghijk"])
        self.assertEqual(len(found), len(set(found)))

    def test_a_search_knows_what_changed(self):
        name = self.fresh_database()
        self.glue.create_table(DatabaseName=name, TableInput={"Name": "fleeting", "Description": "zebra"})
        self.check(["fleeting"], SearchText="zebra")
        self.glue.update_table(DatabaseName=name, TableInput={"Name": "fleeting", "Description": "giraffe"})
        self.check([], SearchText="zebra")
        self.check(["fleeting"], SearchText="giraffe")
        self.glue.delete_database(Name=name)
        self.check([], SearchText="giraffe")


@on_both_databases
class Attachments(Case):
    """What hangs on tables and databases: statistics, functions, tags, connections."""

    def test_column_statistics_are_replaced_and_removed(self):
        database = self.fresh_database()
        columns = [{"Name": "a", "Type": "bigint"}, {"Name": "b", "Type": "string"}]
        table = {"Name": "t", "StorageDescriptor": {"Columns": columns}}
        self.glue.create_table(DatabaseName=database, TableInput=table)
        named = {"DatabaseName": database, "TableName": "t"}
        analysed = datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)

        def statistics(column, nulls):
            long = {
                "MinimumValue": -(2**63),
                "MaximumValue": 2**63 - 1,
                "NumberOfNulls": nulls,
                "NumberOfDistinctValues": 4,
            }
            data = {"Type": "LONG", "LongColumnStatisticsData": long}
            return {"ColumnName": column, "ColumnType": "bigint", "AnalyzedTime": analysed, "StatisticsData": data}

        def get(*names):
            answer = self.glue.get_column_statistics_for_table(**named, ColumnNames=list(names))
            found = sorted(answer["ColumnStatisticsList"], key=lambda one: one["ColumnName"])
            return found, [error["ColumnName"] for error in answer.get("Errors", [])]

        update = self.glue.update_column_statistics_for_table
        self.assertFalse(update(**named, ColumnStatisticsList=[statistics("a", 1), statistics("b", 2)]).get("Errors"))
        self.assertEqual(get("a", "b"), ([statistics("a", 1), statistics("b", 2)], []))
        update(**named, ColumnStatisticsList=[statistics("a", 3)])
        self.assertEqual(get("A"), ([statistics("a", 3)], []))
        self.glue.delete_column_statistics_for_table(**named, ColumnName="a")
        self.assertEqual(get("a", "b"), ([statistics("b", 2)], ["a"]))
        delete = self.glue.delete_column_statistics_for_table
        delete(**named, ColumnName="a")
        many = [statistics(f"c{number}", 0) for number in range(26)]
        self.refused("ValidationException", update, **named, ColumnStatisticsList=many)
        names = [f"c{number}" for number in range(101)]
        self.refused("ValidationException", self.glue.get_column_statistics_for_table, **named, ColumnNames=names)

    def test_a_partitions_statistics_go_with_it(self):
        database = self.fresh_database()
        table = {"Name": "t", "PartitionKeys": [{"Name": "k", "Type": "string"}]}
        table["StorageDescriptor"] = {"Columns": [{"Name": "a", "Type": "boolean"}]}
        self.glue.create_table(DatabaseName=database, TableInput=table)
        named = {"DatabaseName": database, "TableName": "t"}
        boolean = {"NumberOfTrues": 1, "NumberOfFalses": 2, "NumberOfNulls": 3}
        data = {"Type": "BOOLEAN", "BooleanColumnStatisticsData": boolean}
        one = {"ColumnName": "a", "ColumnType": "boolean", "AnalyzedTime": 1_700_000_000, "StatisticsData": data}
        partition = {**named, "PartitionValues": ["v"]}
        update = {**partition, "ColumnStatisticsList": [one]}
        missing = "EntityNotFoundException"
        self.refused(missing, self.glue.update_column_statistics_for_partition, "Cannot find partition.", **update)
        for _ in range(2):
            self.glue.create_partition(**named, PartitionInput={"Values": ["v"]})
            found = self.glue.get_column_statistics_for_partition(**partition, ColumnNames=["a"])
            self.assertEqual(found["ColumnStatisticsList"], [])
            self.glue.update_column_statistics_for_partition(**update)
            found = self.glue.get_column_statistics_for_partition(**partition, ColumnNames=["a"])
            self.assertEqual(found["ColumnStatisticsList"][0]["StatisticsData"], data)
            self.glue.delete_partition(**partition)

    def test_functions_by_pattern(self):
        database = self.fresh_database()
        create = self.glue.create_user_defined_function
        for name in ("trino__one", "trino__two", "plain"):
            create(DatabaseName=database, FunctionInput={"FunctionName": name, "ClassName": f"class.{name}"})
        function = {"FunctionName": "PLAIN", "ClassName": "c"}
        self.refused("AlreadyExistsException", create, DatabaseName=database, FunctionInput=function)

        def found(pattern, **more):
            functions, _ = self.all_pages(
                self.glue.get_user_defined_functions, "UserDefinedFunctions", Pattern=pattern, **more
            )
            return [function["FunctionName"] for function in functions]

        wanted = {
            "trino__.*": ["trino__one", "trino__two"],
            "trino__*": ["trino__one", "trino__two"],
            "*": ["plain", "trino__one", "trino__two"],
            ".*": ["plain", "trino__one", "trino__two"],
            "plain": ["plain"],
            "trino__one|plain": ["plain", "trino__one"],
            "nothing": [],
        }
        for pattern, names in wanted.items():
            with self.subTest(pattern):
                self.assertEqual(found(pattern, DatabaseName=database), names)
        self.assertEqual(found("*", DatabaseName=database, MaxResults=1), wanted["*"])
        # Without a database, those of all of them.
        other = self.fresh_database()
        create(DatabaseName=other, FunctionInput={"FunctionName": "trino__three", "ClassName": "c"})
        self.assertEqual(set(found("trino__t.*")), {"trino__two", "trino__three"})
        nowhere = {"DatabaseName": database, "FunctionName": "nowhere"}
        self.refused("EntityNotFoundException", self.glue.get_user_defined_function, **nowhere)
        self.refused("EntityNotFoundException", self.glue.delete_user_defined_function, **nowhere)

    def test_tags_by_arn(self):
        database = self.fresh_database()
        prefix = f"arn:aws:glue:{REGION}:{ACCOUNT}"
        connection = f"tagged {database}"
        self.glue.create_connection(
            ConnectionInput={"Name": connection, "ConnectionType": "NETWORK", "ConnectionProperties": {}},
            Tags={"from": "the beginning"},
        )
        self.assertEqual(
            self.glue.get_tags(ResourceArn=f"{prefix}:connection/{connection}")["Tags"], {"from": "the beginning"}
        )
        for arn in (f"{prefix}:database/{database}", f"{prefix}:connection/{connection}"):
            with self.subTest(arn):
                self.glue.tag_resource(ResourceArn=arn, TagsToAdd={"team": "a", "cost": ""})
                self.glue.tag_resource(ResourceArn=arn, TagsToAdd={"team": "b"})
                tags = self.glue.get_tags(ResourceArn=arn)["Tags"]
                self.assertEqual((tags["team"], tags["cost"]), ("b", ""))
                self.glue.untag_resource(ResourceArn=arn, TagsToRemove=["cost", "never there"])
                self.assertNotIn("cost", self.glue.get_tags(ResourceArn=arn)["Tags"])
                many = {f"k{number}": "" for number in range(50)}
                self.assertRaises(
                    self.glue.exceptions.ClientError, self.glue.tag_resource, ResourceArn=arn, TagsToAdd=many
                )
        nowhere = f"{prefix}:database/nowhere"
        self.refused("EntityNotFoundException", self.glue.get_tags, ResourceArn=nowhere)
        self.refused("EntityNotFoundException", self.glue.tag_resource, ResourceArn=nowhere, TagsToAdd={"a": "b"})

    def test_a_databases_tags_go_with_it(self):
        name = f"db_{uuid.uuid4().hex}"
        arn = f"arn:aws:glue:{REGION}:{ACCOUNT}:database/{name}"
        self.glue.create_database(DatabaseInput={"Name": name}, Tags={"a": "b"})
        self.assertEqual(self.glue.get_tags(ResourceArn=arn)["Tags"], {"a": "b"})
        self.glue.delete_database(Name=name)
        self.glue.create_database(DatabaseInput={"Name": name})
        self.assertEqual(self.glue.get_tags(ResourceArn=arn)["Tags"], {})

    def test_connections_keep_their_passwords_to_themselves(self):
        name = f"Warehouse {uuid.uuid4().hex}"
        properties = {"JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/x", "USERNAME": "u", "PASSWORD": "hush"}
        connection = {"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": properties}
        self.glue.create_connection(ConnectionInput=connection)
        self.refused("AlreadyExistsException", self.glue.create_connection, ConnectionInput=connection)
        found = self.glue.get_connection(Name=name)["Connection"]
        self.assertEqual(found["ConnectionProperties"], properties)
        hidden = self.glue.get_connection(Name=name, HidePassword=True)["Connection"]
        del properties["PASSWORD"]
        self.assertEqual(hidden["ConnectionProperties"], properties)
        listed = self.glue.get_connections(HidePassword=True, Filter={"ConnectionType": "JDBC"})["ConnectionList"]
        self.assertEqual([one["ConnectionProperties"] for one in listed if one["Name"] == name], [properties])
        listed = self.glue.get_connections(Filter={"ConnectionType": "KAFKA"})["ConnectionList"]
        self.assertEqual(listed, [])
        self.glue.update_connection(Name=name, ConnectionInput={**connection, "ConnectionProperties": {"HOST": "h"}})
        found = self.glue.get_connection(Name=name)["Connection"]
        self.assertEqual(found["ConnectionProperties"], {"HOST": "h"})
        answer = self.glue.batch_delete_connection(ConnectionNameList=[name, "nowhere"])
        self.assertEqual((answer["Succeeded"], list(answer["Errors"])), ([name], ["nowhere"]))
        self.assertEqual(answer["Errors"]["nowhere"]["ErrorCode"], "EntityNotFoundException")
        missing = "EntityNotFoundException"
        self.refused(missing, self.glue.get_connection, Name=name)
        self.refused(missing, self.glue.delete_connection, ConnectionName=name)
        self.refused(missing, self.glue.update_connection, Name=name, ConnectionInput=connection)


# What only looks finds nothing there.
LOOKS = {
    "GetCatalogs": "CatalogList",
    "GetDevEndpoints": "DevEndpoints",
    "GetMLTransforms": "Transforms",
    "GetSecurityConfigurations": "SecurityConfigurations",
    "GetTriggers": "Triggers",
    "ListBlueprints": "Blueprints",
    "ListCustomEntityTypes": "CustomEntityTypes",
    "ListDataQualityRulesets": "Rulesets",
    "ListDevEndpoints": "DevEndpointNames",
    "ListMLTransforms": "TransformIds",
    "ListRegistries": "Registries",
    "ListSchemas": "Schemas",
    "ListSessions": "Ids",
    "ListTriggers": "TriggerNames",
    "ListUsageProfiles": "Profiles",
    "ListWorkflows": "Workflows",
}


@on_both_databases
class TheRest(Case):
    """The wire itself, and operations that aren't the catalog's."""

    def test_every_other_operation_is_answered_in_form(self):
        refusals = {"OperationNotSupportedException", "ValidationException", "InvalidInputException"}
        refusals |= {"EntityNotFoundException", "SerializationException"}
        self.assertGreater(len(MODEL.operation_names), 300)
        for operation in MODEL.operation_names:
            with self.subTest(operation):
                answer = self.server.ask(operation, {})
                self.assertIn("x-amzn-requestid", answer.headers)
                self.assertEqual(answer.headers["content-type"], "application/x-amz-json-1.1")
                if answer.status == 200:
                    _, wrong = read(shape_of(operation, output=True), answer.json)
                    self.assertEqual(wrong, [])
                else:
                    self.assertEqual(answer.status, 400, answer.body)
                    self.assertIn(answer.json["__type"], refusals)
                    self.assertTrue(answer.json["Message"])

    def test_who_only_looks_finds_nothing(self):
        for operation, member in LOOKS.items():
            with self.subTest(operation):
                answer = self.server.ask(operation, {})
                self.assertEqual(answer.status, 200, answer.body)
                self.assertFalse(answer.json[member])

    def test_what_is_not_served_says_so(self):
        glue, exception = self.glue, "OperationNotSupportedException"
        self.refused(exception, glue.start_ml_evaluation_task_run, TransformId="t")
        self.refused(exception, glue.create_ml_transform, Name="n", InputRecordTables=[], Parameters={}, Role="r")
        self.refused(exception, glue.create_dev_endpoint, EndpointName="e", RoleArn="arn:aws:iam::123456789012:role/r")
        self.refused(exception, glue.create_blueprint, Name="b", BlueprintLocation="s3://lake/b")

    def test_an_operation_that_nobody_has(self):
        for target in ("AWSGlue.MakeCoffee", "AWSGlue.", "AWSGlue", "DynamoDB_20120810.ListTables", "", "getdatabases"):
            with self.subTest(target):
                answer = self.server.send(b"{}", {**glue_headers(""), "X-Amz-Target": target})
                self.assertEqual((answer.status, answer.json["__type"]), (400, "UnknownOperationException"))

    def test_who_am_i(self):
        identity = self.server.client("sts").get_caller_identity()
        self.assertEqual(identity["Account"], ACCOUNT)
        self.assertTrue(identity["Arn"].startswith(f"arn:aws:iam::{ACCOUNT}:"), identity["Arn"])
        self.assertTrue(identity["UserId"])
        # What else is asked in this protocol, of this service or of another, is refused in it.
        words = "Of the services that are asked in this way, such as STS and IAM, GetCallerIdentity alone is answered here."
        self.refused("UnknownOperationException", self.server.client("sts").get_session_token, words)
        self.refused("UnknownOperationException", self.server.client("iam").get_role, words, RoleName="glue")

    def test_long_answers_are_compressed_for_who_asks(self):
        database = self.fresh_database()
        columns = [{"Name": f"column_{number}", "Type": "string", "Comment": "c" * 100} for number in range(100)]
        table = {"Name": "t", "StorageDescriptor": {"Columns": columns}}
        self.glue.create_table(DatabaseName=database, TableInput=table)
        body = json.dumps({"DatabaseName": database, "Name": "t"}).encode()
        answers = {}
        for encoding in ("gzip", "identity"):
            connection = http.client.HTTPConnection(self.server.addresses[0], timeout=PATIENCE)
            headers = {**glue_headers("GetTable"), "Accept-Encoding": encoding}
            connection.request("POST", "/", body=body, headers=headers)
            answer = connection.getresponse()
            answers[encoding] = answer.headers.get("content-encoding"), answer.read()
            connection.close()
        (encoding, compressed), (none, plain) = answers["gzip"], answers["identity"]
        self.assertEqual((encoding, none), ("gzip", None))
        self.assertLess(len(compressed), len(plain) // 4)
        self.assertEqual(json.loads(gzip.decompress(compressed)), json.loads(plain))

    def test_each_request_has_an_id_of_its_own(self):
        ids = {self.server.ask("GetDatabases", {}).headers["x-amzn-requestid"] for _ in range(5)}
        self.assertEqual(len(ids), 5)
        answer = self.glue.get_databases()
        self.assertTrue(answer["ResponseMetadata"]["RequestId"])

    def test_times_are_seconds(self):
        name = self.fresh_database()
        created = self.server.ask("GetDatabase", {"Name": name}).json["Database"]["CreateTime"]
        self.assertLess(abs(created - time.time()), PATIENCE)
