"""Every member of every catalog operation: what is sent is kept, and what comes back is of AWS's model."""

import time
from collections import defaultdict

from server import ACCOUNT, PATIENCE, REGION, Case, on_both_databases
from shapes import FIRST, MODEL, SECOND, LeftOut, filled, is_of_type, reachable, read, shape_of

OPERATIONS = {
    "databases": "CreateDatabase GetDatabase GetDatabases UpdateDatabase DeleteDatabase",
    "tables": "CreateTable GetTable GetTables UpdateTable DeleteTable BatchDeleteTable",
    "versions": "GetTableVersion GetTableVersions DeleteTableVersion BatchDeleteTableVersion",
    "partitions": "CreatePartition GetPartition GetPartitions UpdatePartition DeletePartition BatchCreatePartition"
    " BatchUpdatePartition BatchDeletePartition BatchGetPartition",
    "indexes": "CreatePartitionIndex GetPartitionIndexes DeletePartitionIndex",
    "statistics": "GetColumnStatisticsForTable UpdateColumnStatisticsForTable DeleteColumnStatisticsForTable"
    " GetColumnStatisticsForPartition UpdateColumnStatisticsForPartition DeleteColumnStatisticsForPartition",
    "functions": "CreateUserDefinedFunction GetUserDefinedFunction GetUserDefinedFunctions"
    " UpdateUserDefinedFunction DeleteUserDefinedFunction",
    "tags": "TagResource UntagResource GetTags",
    "search": "SearchTables",
    "connections": "CreateConnection GetConnection GetConnections UpdateConnection DeleteConnection"
    " BatchDeleteConnection TestConnection",
}

# Members of requests that are not sent, each with the reason.
NOT_SENT = {
    "CreateTableRequest.Name": "names the table where there is no TableInput",
    "CreateTableRequest.OpenTableFormatInput": "takes the place of TableInput; PyIceberg's tests send it",
    "UpdateTableRequest.Name": "names the table where there is no TableInput",
    "UpdateTableRequest.UpdateOpenTableFormatInput": "takes the place of TableInput, for Iceberg's tables",
    "GetPartitionIndexesRequest.NextToken": "a table's indexes fit a page",
}

# Members of responses that may be absent, each with the reason.
MAY_BE_ABSENT = {
    "Table.Status": "an asynchronous change of a view, and nothing is changed later than it is answered",
    "Table.IsMaterializedView": "materialised views are not kept up here",
    "Table.IcebergTableMetadata": "only where LATEST_ICEBERG_METADATA is asked for",
    "Table.RLSProperties": "row-level security of Lake Formation",
    "ViewRepresentation.IsStale": "nothing validates a view's dialects here",
    "Connection.StatusReason": "only of a connection that failed",
    "Connection.LastConnectionValidationTime": "only of a connection that was tested",
    "BatchGetPartitionResponse.UnprocessedKeys": "all that may be asked for at once is answered at once",
    "PartitionIndexDescriptor.BackfillErrors": "only of an index that failed",
    "GetPartitionIndexesResponse.NextToken": "a table's indexes fit a page",
}

# Names that are lower-case from then on.
FOLDED = {"DatabaseInput.Name", "TableInput.Name", "Column.Name", "UserDefinedFunctionInput.FunctionName"}

PARTITION_KEYS = [
    {"Name": "Day", "Type": "string", "Comment": "é", "Parameters": {"a": "b"}},
    {"Name": "hour", "Type": "int", "Comment": "", "Parameters": {"c": ""}},
]
COLUMN_TYPES = ["boolean", "date", "decimal(10,2)", "double", "bigint", "string", "binary"]


@on_both_databases
class Shapes(Case):
    def setUp(self):
        self.sent = defaultdict(set)
        self.seen = defaultdict(set)

    def ask(self, operation, given=None, variant=FIRST):
        """Sends a request with every member, checks the answer's shape, and gives back both."""
        request = filled(shape_of(operation), given, variant)
        there, wrong = read(shape_of(operation), request)
        self.assertEqual(wrong, [], "the request is wrong")
        self.sent[operation] |= there
        answer = self.server.ask(operation, request)
        self.assertEqual(answer.status, 200, f"{operation}: {answer.body.decode()}")
        self.assertEqual(answer.headers["content-type"], "application/x-amz-json-1.1")
        there, wrong = read(shape_of(operation, output=True), answer.json)
        self.assertEqual(wrong, [], operation)
        self.seen[operation] |= there
        return request, answer.json

    def ask_pages(self, operation, member, given):
        """Lists one item a page, and gives back all of them by name or values."""
        given = {"MaxResults": 1, "NextToken": LeftOut, **given}
        found = []
        while True:
            _, answer = self.ask(operation, given)
            self.assertLessEqual(len(answer[member]), 1)
            found += answer[member]
            if "NextToken" not in answer:
                return found
            given["NextToken"] = answer["NextToken"]

    def check_members(self, noun):
        """Each of a noun's operations was asked, with every member, and answered with every member."""
        operations = OPERATIONS[noun].split()
        self.assertEqual(set(self.sent), set(operations))
        for operation in operations:
            with self.subTest(operation):
                wanted = reachable(shape_of(operation), NOT_SENT)
                self.assertEqual(wanted - self.sent[operation], set(), "not sent")
                wanted = reachable(shape_of(operation, output=True), MAY_BE_ABSENT)
                self.assertEqual(wanted - self.seen[operation], set(), "not answered")

    def check_kept(self, sent_shape, sent, found_shape, found, path=""):
        """What was sent is in what was found, as it was sent."""
        match sent_shape.type_name:
            case "structure":
                for member, inner in sent.items():
                    if member not in found_shape.members:
                        continue
                    place = f"{path}.{member}"
                    self.assertIn(member, found, place)
                    if f"{sent_shape.name}.{member}" in FOLDED:
                        inner = inner.lower()
                    shapes = sent_shape.members[member], found_shape.members[member]
                    self.check_kept(shapes[0], inner, shapes[1], found[member], place)
            case "list":
                self.assertEqual(len(sent), len(found), path)
                for index, (one, other) in enumerate(zip(sent, found, strict=True)):
                    self.check_kept(sent_shape.member, one, found_shape.member, other, f"{path}.{index}")
            case _:
                self.assertEqual(sent, found, path)

    def check_kept_in(self, operation, member, request, answer_operation, answer_member, found):
        """As `check_kept`, for a member of a request and one of an answer (or of what its list holds)."""
        found_shape = shape_of(answer_operation, answer_member, output=True)
        if found_shape.type_name == "list":
            found_shape = found_shape.member
        self.check_kept(shape_of(operation, member), request[member], found_shape, found, member)

    def plain_table(self, **more):
        """A partitioned table with a column of each type of statistics, in a database of its own."""
        database = self.fresh_database()
        columns = [{"Name": f"c_{index}", "Type": name} for index, name in enumerate(COLUMN_TYPES)]
        keys = [{"Name": key["Name"].lower(), "Type": key["Type"]} for key in PARTITION_KEYS]
        descriptor = {"Columns": columns, "Location": "s3://lake/plain/"}
        table = {"Name": "plain", "PartitionKeys": keys, "StorageDescriptor": descriptor, **more}
        self.glue.create_table(DatabaseName=database, TableInput=table)
        return database

    def test_the_generator_makes_what_the_model_allows(self):
        operations = [name for names in OPERATIONS.values() for name in names.split()]
        self.assertEqual(len(operations), 49)
        self.assertEqual(set(operations) - set(MODEL.operation_names), set())
        self.assertFalse(is_of_type(MODEL.shape_for("Long"), 1.0))
        self.assertFalse(is_of_type(MODEL.shape_for("Timestamp"), "2024-01-01"))
        for member in ("Nmae", "name"):
            _, wrong = read(MODEL.shape_for("Database"), {"Name": "a", member: "b"})
            self.assertEqual(wrong, [f"Database.{member} is not in Database"])
        one, other = (filled(MODEL.shape_for("TableInput"), None, variant) for variant in (FIRST, SECOND))
        self.assertEqual(read(MODEL.shape_for("TableInput"), one)[0], reachable(MODEL.shape_for("TableInput")))
        same = [name for name in one if one[name] == other[name]]
        self.assertEqual(same, [])

    def test_databases(self):
        name = {"DatabaseInput.Name": "Walked_Database"}
        everything = {"ResourceShareType": "ALL", "AttributesToGet": LeftOut}
        sent, _ = self.ask("CreateDatabase", name)
        _, got = self.ask("GetDatabase", {"Name": "walked_dataBASE"})
        self.check_kept_in("CreateDatabase", "DatabaseInput", sent, "GetDatabase", "Database", got["Database"])
        sent, _ = self.ask("UpdateDatabase", {"Name": "Walked_Database", **name}, SECOND)
        _, got = self.ask("GetDatabase", {"Name": "walked_database"})
        self.check_kept_in("UpdateDatabase", "DatabaseInput", sent, "GetDatabase", "Database", got["Database"])
        self.fresh_database()
        listed = {database["Name"]: database for database in self.ask_pages("GetDatabases", "DatabaseList", everything)}
        self.assertEqual(listed["walked_database"], got["Database"])
        reduced = {"MaxResults": 100, "NextToken": LeftOut, "ResourceShareType": "ALL"}
        _, answer = self.ask("GetDatabases", {**reduced, "AttributesToGet": ["NAME", "TARGET_DATABASE"]})
        one = next(database for database in answer["DatabaseList"] if database["Name"] == "walked_database")
        self.assertEqual(one["TargetDatabase"], sent["DatabaseInput"]["TargetDatabase"])
        self.assertNotIn("Description", one)
        self.ask("DeleteDatabase", {"Name": "WALKED_DATABASE"})
        self.refused("EntityNotFoundException", self.glue.get_database, Name="walked_database")
        self.check_members("databases")

    def test_tables(self):
        database = self.fresh_database()
        given = {"DatabaseName": database.upper(), "TableInput.Name": "Walked_Table"}
        given["TableInput.PartitionKeys"] = PARTITION_KEYS
        indexes = [{"Keys": ["day", "hour"], "IndexName": "both"}, {"Keys": ["day"], "IndexName": "one"}]
        not_iceberg = {"Name": LeftOut, "OpenTableFormatInput": LeftOut}
        sent, _ = self.ask("CreateTable", {**given, **not_iceberg, "PartitionIndexes": indexes})
        named = {"DatabaseName": database, "Name": "WALKED_TABLE", "AttributesToGet": ["DEFAULT"]}
        _, got = self.ask("GetTable", named)
        self.check_kept_in("CreateTable", "TableInput", sent, "GetTable", "Table", got["Table"])
        self.assertEqual((got["Table"]["DatabaseName"], got["Table"]["VersionId"]), (database, "0"))
        answer = self.glue.get_partition_indexes(DatabaseName=database, TableName="walked_table")
        found = {
            index["IndexName"]: [key["Name"] for key in index["Keys"]]
            for index in answer["PartitionIndexDescriptorList"]
        }
        self.assertEqual(found, {"both": ["day", "hour"], "one": ["day"]})

        not_iceberg = {"Name": LeftOut, "UpdateOpenTableFormatInput": LeftOut, "ViewUpdateAction": "REPLACE"}
        sent, _ = self.ask("UpdateTable", {**given, **not_iceberg, "VersionId": "0"}, SECOND)
        _, got = self.ask("GetTable", named)
        self.check_kept_in("UpdateTable", "TableInput", sent, "GetTable", "Table", got["Table"])
        self.assertEqual(got["Table"]["VersionId"], "1")

        self.glue.create_table(DatabaseName=database, TableInput={"Name": "walked_too"})
        every = {"DatabaseName": database, "Expression": "walked.*", "ResourceShareType": "ALL"}
        tables = self.ask_pages("GetTables", "TableList", {**every, "AttributesToGet": ["DEFAULT"]})
        self.assertEqual([table["Name"] for table in tables], ["walked_table", "walked_too"])
        self.assertEqual(tables[0], got["Table"])

        self.ask("BatchDeleteTable", {"DatabaseName": database, "TablesToDelete": ["walked_too", "nowhere"]})
        self.ask("DeleteTable", {"DatabaseName": database, "Name": "walked_TABLE"})
        self.assertEqual(self.glue.get_tables(DatabaseName=database)["TableList"], [])
        self.check_members("tables")

    def test_versions(self):
        database = self.fresh_database()
        inputs = []
        for variant in (FIRST, SECOND, FIRST, SECOND):
            given = {"Name": "walked", "PartitionKeys": PARTITION_KEYS}
            table = filled(MODEL.shape_for("TableInput"), given, variant)
            operation = "UpdateTable" if inputs else "CreateTable"
            request = {"DatabaseName": database, "TableInput": table}
            answer = self.server.ask(operation, request)
            self.assertEqual(answer.status, 200, answer.body)
            inputs.append({"TableInput": table})
        named = {"DatabaseName": database, "TableName": "WALKED"}
        _, got = self.ask("GetTableVersion", {**named, "VersionId": "0"})
        version = got["TableVersion"]
        self.assertEqual((version["VersionId"], version["Table"]["VersionId"]), ("0", "0"))
        table = shape_of("GetTable", "Table", output=True)
        self.check_kept(shape_of("CreateTable", "TableInput"), inputs[0]["TableInput"], table, version["Table"])
        listed = self.ask_pages("GetTableVersions", "TableVersions", named)
        self.assertEqual([version["VersionId"] for version in listed], ["3", "2", "1", "0"])
        for version, sent in zip(listed, reversed(inputs), strict=True):
            self.check_kept(shape_of("CreateTable", "TableInput"), sent["TableInput"], table, version["Table"])
        self.ask("DeleteTableVersion", {**named, "VersionId": "1"})
        self.ask("BatchDeleteTableVersion", {**named, "VersionIds": ["0", "77"]})
        left = self.glue.get_table_versions(DatabaseName=database, TableName="walked")["TableVersions"]
        self.assertEqual([version["VersionId"] for version in left], ["3", "2"])
        self.check_members("versions")

    def test_partitions(self):
        named = {"DatabaseName": self.plain_table(), "TableName": "PLAIN"}
        first, second, missing = ["2024-01-01", "7"], ["2024-01-02", "8"], ["2024-01-03", "9"]
        kept = "GetPartition", "Partition"
        sent, _ = self.ask("CreatePartition", {**named, "PartitionInput.Values": first})
        _, got = self.ask("GetPartition", {**named, "PartitionValues": first})
        self.check_kept_in("CreatePartition", "PartitionInput", sent, *kept, got["Partition"])
        given = {**named, "PartitionValueList": first, "PartitionInput.Values": first}
        sent, _ = self.ask("UpdatePartition", given, SECOND)
        _, got = self.ask("GetPartition", {**named, "PartitionValues": first})
        self.check_kept_in("UpdatePartition", "PartitionInput", sent, *kept, got["Partition"])

        # The first one is there already.
        values = {"PartitionInputList.0.Values": first, "PartitionInputList.1.Values": second}
        sent, answer = self.ask("BatchCreatePartition", {**named, **values})
        self.assertEqual([error["PartitionValues"] for error in answer["Errors"]], [first])
        _, got = self.ask("GetPartition", {**named, "PartitionValues": second})
        shapes = shape_of("BatchCreatePartition", "PartitionInputList").member, shape_of(*kept, output=True)
        self.check_kept(shapes[0], sent["PartitionInputList"][1], shapes[1], got["Partition"])
        values = {f"Entries.{n}.PartitionValueList": v for n, v in enumerate((missing, second))}
        values |= {f"Entries.{n}.PartitionInput.Values": v for n, v in enumerate((missing, second))}
        sent, answer = self.ask("BatchUpdatePartition", {**named, **values}, SECOND)
        self.assertEqual([error["PartitionValueList"] for error in answer["Errors"]], [missing])
        _, got = self.ask("GetPartition", {**named, "PartitionValues": second})
        self.check_kept(shapes[0], sent["Entries"][1]["PartitionInput"], shapes[1], got["Partition"])

        segment = {"SegmentNumber": 0, "TotalSegments": 1}
        every = {**named, "Expression": "hour >= 7 AND day < '2024-02-01'", "Segment": segment}
        listed = self.ask_pages("GetPartitions", "Partitions", {**every, "ExcludeColumnSchema": False})
        self.assertEqual([partition["Values"] for partition in listed], [first, second])
        self.assertEqual(listed[1], got["Partition"])
        keys = [{"Values": first}, {"Values": second}]
        _, answer = self.ask("BatchGetPartition", {**named, "PartitionsToGet": keys})
        by_values = {tuple(partition["Values"]): partition for partition in answer["Partitions"]}
        self.assertEqual(by_values, {tuple(partition["Values"]): partition for partition in listed})

        keys = [{"Values": second}, {"Values": missing}]
        _, answer = self.ask("BatchDeletePartition", {**named, "PartitionsToDelete": keys})
        self.assertEqual([error["PartitionValues"] for error in answer["Errors"]], [missing])
        self.ask("DeletePartition", {**named, "PartitionValues": first})
        answer = self.glue.get_partitions(DatabaseName=named["DatabaseName"], TableName="plain")
        self.assertEqual(answer["Partitions"], [])
        self.check_members("partitions")

    def test_partition_indexes(self):
        named = {"DatabaseName": self.plain_table(), "TableName": "Plain"}
        self.ask("CreatePartitionIndex", {**named, "PartitionIndex": {"Keys": ["Day", "hour"], "IndexName": "both"}})
        deadline = time.monotonic() + PATIENCE
        wanted = {"IndexName": "both", "IndexStatus": "ACTIVE"}
        wanted["Keys"] = [{"Name": "day", "Type": "string"}, {"Name": "hour", "Type": "int"}]
        while True:
            _, answer = self.ask("GetPartitionIndexes", {**named, "NextToken": LeftOut})
            (index,) = answer["PartitionIndexDescriptorList"]
            if index["IndexStatus"] != "CREATING":
                break
            self.assertLess(time.monotonic(), deadline, index)
            time.sleep(0.05)
        self.assertEqual({name: index[name] for name in wanted}, wanted)
        self.ask("DeletePartitionIndex", {**named, "IndexName": "both"})
        self.check_members("indexes")

    def statistics(self, variant):
        """Statistics of every type, one for each column."""
        kinds = MODEL.shape_for("ColumnStatisticsData").members
        found = []
        for index, kind in enumerate(MODEL.shape_for("ColumnStatisticsType").enum):
            member = f"{kind.capitalize()}ColumnStatisticsData"
            data = {"Type": kind, member: filled(kinds[member], None, variant)}
            given = {"ColumnName": f"c_{index}", "ColumnType": COLUMN_TYPES[index], "StatisticsData": data}
            found.append(filled(MODEL.shape_for("ColumnStatistics"), given, variant))
        return found

    def walk_statistics(self, noun, named):
        names = [f"c_{index}" for index in range(len(COLUMN_TYPES))]
        for variant in (FIRST, SECOND):
            sent = self.statistics(variant)
            nowhere = [{**one, "ColumnName": f"nowhere_{one['ColumnName']}"} for one in sent]
            _, answer = self.ask(f"UpdateColumnStatisticsFor{noun}", {**named, "ColumnStatisticsList": sent + nowhere})
            self.assertEqual([error["ColumnStatistics"] for error in answer["Errors"]], nowhere)
            _, answer = self.ask(f"GetColumnStatisticsFor{noun}", {**named, "ColumnNames": [*names, "nowhere"]})
            found = sorted(answer["ColumnStatisticsList"], key=lambda column: column["ColumnName"])
            self.assertEqual(found, sent)
            self.assertEqual([error["ColumnName"] for error in answer["Errors"]], ["nowhere"])
        self.ask(f"DeleteColumnStatisticsFor{noun}", {**named, "ColumnName": "c_0"})
        _, answer = self.ask(f"GetColumnStatisticsFor{noun}", {**named, "ColumnNames": names})
        self.assertEqual({column["ColumnName"] for column in answer["ColumnStatisticsList"]}, set(names[1:]))

    def test_column_statistics(self):
        named = {"DatabaseName": self.plain_table(), "TableName": "plain"}
        self.glue.create_partition(**named, PartitionInput={"Values": ["2024-01-01", "7"]})
        self.walk_statistics("Table", named)
        self.walk_statistics("Partition", {**named, "PartitionValues": ["2024-01-01", "7"]})
        self.check_members("statistics")

    def test_functions(self):
        database = self.fresh_database()
        given = {"DatabaseName": database, "FunctionInput.FunctionName": "Walked_Function"}
        named = {"DatabaseName": database, "FunctionName": "walked_FUNCTION"}
        kept = "GetUserDefinedFunction", "UserDefinedFunction"
        sent, _ = self.ask("CreateUserDefinedFunction", given)
        _, got = self.ask("GetUserDefinedFunction", named)
        self.check_kept_in("CreateUserDefinedFunction", "FunctionInput", sent, *kept, got["UserDefinedFunction"])
        sent, _ = self.ask("UpdateUserDefinedFunction", {**given, **named}, SECOND)
        _, got = self.ask("GetUserDefinedFunction", named)
        self.check_kept_in("UpdateUserDefinedFunction", "FunctionInput", sent, *kept, got["UserDefinedFunction"])
        kind = sent["FunctionInput"]["FunctionType"]
        too = {"FunctionName": "walked_too", "FunctionType": kind}
        self.glue.create_user_defined_function(DatabaseName=database, FunctionInput=too)
        every = {"DatabaseName": database, "Pattern": "walked.*", "FunctionType": kind}
        listed = self.ask_pages("GetUserDefinedFunctions", "UserDefinedFunctions", every)
        self.assertEqual([function["FunctionName"] for function in listed], ["walked_function", "walked_too"])
        self.assertEqual(listed[0], got["UserDefinedFunction"])
        self.ask("DeleteUserDefinedFunction", named)
        self.refused("EntityNotFoundException", self.glue.get_user_defined_function, **named)
        self.check_members("functions")

    def test_tags(self):
        arn = {"ResourceArn": f"arn:aws:glue:{REGION}:{ACCOUNT}:database/{self.fresh_database()}"}
        sent, _ = self.ask("TagResource", arn)
        _, answer = self.ask("GetTags", arn)
        self.assertEqual(answer["Tags"], sent["TagsToAdd"])
        one, other = sent["TagsToAdd"]
        self.ask("UntagResource", {**arn, "TagsToRemove": [one]})
        _, answer = self.ask("GetTags", arn)
        self.assertEqual(answer["Tags"], {other: sent["TagsToAdd"][other]})
        self.check_members("tags")

    def test_search(self):
        database = self.fresh_database()
        inputs = {}
        for name in ("found_one", "found_two"):
            given = {"Name": name, "PartitionKeys": PARTITION_KEYS, "Description": "An unmistakable description"}
            inputs[name] = filled(MODEL.shape_for("TableInput"), given)
            answer = self.server.ask("CreateTable", {"DatabaseName": database, "TableInput": inputs[name]})
            self.assertEqual(answer.status, 200, answer.body)
        given = {"SearchText": "unmistakable", "ResourceShareType": "ALL"}
        given["Filters"] = [{"Key": "DatabaseName", "Value": database, "Comparator": "EQUALS"}]
        given["SortCriteria"] = [{"FieldName": "Name", "Sort": "DESC"}]
        found = self.ask_pages("SearchTables", "TableList", given)
        self.assertEqual([table["Name"] for table in found], ["found_two", "found_one"])
        table = shape_of("GetTable", "Table", output=True)
        for one in found:
            self.check_kept(shape_of("CreateTable", "TableInput"), inputs[one["Name"]], table, one)
        self.check_members("search")

    def test_connections(self):
        # Something listens there, should the test of a connection look.
        properties = {"HOST": "127.0.0.1", "PORT": self.server.addresses[1].rsplit(":")[-1]}
        given = {"ConnectionInput.Name": "Walked", "ConnectionInput.ConnectionType": "NETWORK"}
        given["ConnectionInput.ConnectionProperties"] = properties
        shown = {"Name": "Walked", "HidePassword": False}
        sent, answer = self.ask("CreateConnection", given)
        self.assertEqual(answer, {"CreateConnectionStatus": "READY"})
        _, got = self.ask("GetConnection", shown)
        self.check_kept_in(
            "CreateConnection", "ConnectionInput", sent, "GetConnection", "Connection", got["Connection"]
        )
        sent, _ = self.ask("UpdateConnection", {**given, "Name": "Walked"}, SECOND)
        _, got = self.ask("GetConnection", shown)
        self.check_kept_in(
            "UpdateConnection", "ConnectionInput", sent, "GetConnection", "Connection", got["Connection"]
        )
        too = {**sent["ConnectionInput"], "Name": "Walked too"}
        self.glue.create_connection(ConnectionInput=too)
        every = {
            "Filter.MatchCriteria": too["MatchCriteria"],
            "Filter.ConnectionType": "NETWORK",
            "HidePassword": False,
        }
        every["Filter.ConnectionSchemaVersion"] = got["Connection"]["ConnectionSchemaVersion"]
        listed = self.ask_pages("GetConnections", "ConnectionList", every)
        self.assertEqual([connection["Name"] for connection in listed], ["Walked", "Walked too"])
        self.assertEqual(listed[0], got["Connection"])
        self.ask("TestConnection", {"ConnectionName": "Walked", "TestConnectionInput": LeftOut})
        kind = {"TestConnectionInput.ConnectionType": "NETWORK"}
        kind["TestConnectionInput.ConnectionProperties"] = properties
        self.ask("TestConnection", {"ConnectionName": LeftOut, **kind})
        _, answer = self.ask("BatchDeleteConnection", {"ConnectionNameList": ["Walked too", "nowhere"]})
        self.assertEqual(answer["Succeeded"], ["Walked too"])
        self.assertEqual(list(answer["Errors"]), ["nowhere"])
        self.ask("DeleteConnection", {"ConnectionName": "Walked"})
        self.refused("EntityNotFoundException", self.glue.get_connection, Name="Walked")
        self.check_members("connections")
