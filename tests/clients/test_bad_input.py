"""Requests that are wrong: each is refused in AWS's form, and none of them changes anything."""

import copy
import json

from server import ACCOUNT, REGION, Case, glue_headers, on_both_databases, signed
from shapes import MODEL, LeftOut, filled, shape_of
from test_expressions import KEYS, PARTITIONS, REFUSED, UNSUPPORTED
from test_shapes import NOT_SENT

KNOWN = {shape.name for name in MODEL.operation_names for shape in MODEL.operation_model(name).error_shapes}
# Those that AWS has for all its services.
KNOWN |= {
    "AccessDeniedException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "OperationNotSupportedException",
    "RequestEntityTooLargeException",
    "SerializationException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}
MIB = 1 << 20
DATABASE_ARN = f"arn:aws:glue:{REGION}:{ACCOUNT}:database/d"
TABLE = {"DatabaseName": "d", "TableName": "t"}
VALUES = list(PARTITIONS["a"])
SECRETS = ("AKIAMASTICCLIENTS", "a/secret+that=nobody guesses")

# What takes away what a request should not have made.
UNDO = {
    "DeleteDatabase": {"Name": "wanted"},
    "DeleteTable": {"DatabaseName": "d", "Name": "wanted"},
    "DeletePartitionIndex": {**TABLE, "IndexName": "wanted"},
    "DeleteUserDefinedFunction": {"DatabaseName": "d", "FunctionName": "wanted"},
    "DeleteConnection": {"ConnectionName": "wanted"},
}

# What makes a request of each operation a good one, so that one change makes it a bad one.
GOOD = {
    "CreateDatabase": {"DatabaseInput.Name": "wanted"},
    "UpdateDatabase": {"Name": "d", "DatabaseInput.Name": "d", "DatabaseInput.TargetDatabase": LeftOut},
    "CreateTable": {"DatabaseName": "d", "TableInput.Name": "wanted", "PartitionIndexes": []},
    "CreatePartition": {**TABLE, "PartitionInput.Values": ["2030-01-01", "1", "x", "2030-01-01 00:00:00", "1", "1"]},
    "UpdatePartition": {**TABLE, "PartitionValueList": VALUES, "PartitionInput.Values": VALUES},
    "BatchCreatePartition": {**TABLE, "PartitionInputList": [{"Values": ["2031-01-01", *VALUES[1:]]}]},
    "GetPartitions": {**TABLE, "Expression": "hour = 1", "Segment": {"SegmentNumber": 0, "TotalSegments": 1}},
    "DeletePartition": {**TABLE, "PartitionValues": VALUES},
    "BatchDeletePartition": {**TABLE, "PartitionsToDelete": [{"Values": list(PARTITIONS["b"])}]},
    "CreatePartitionIndex": {**TABLE, "PartitionIndex": {"IndexName": "wanted", "Keys": ["city"]}},
    "DeletePartitionIndex": {**TABLE, "IndexName": "by_hour"},
    "DeleteColumnStatisticsForTable": {**TABLE, "ColumnName": "a"},
    "UpdateTable": {"DatabaseName": "d", "TableInput.Name": "t", "VersionId": "1", "SkipArchive": False},
    "DeleteTableVersion": {**TABLE, "VersionId": "0"},
    "BatchDeleteTableVersion": {**TABLE, "VersionIds": ["1"]},
    "CreateUserDefinedFunction": {"DatabaseName": "d", "FunctionInput.FunctionName": "wanted"},
    "UpdateUserDefinedFunction": {"DatabaseName": "d", "FunctionName": "f", "FunctionInput.FunctionName": "f"},
    "DeleteUserDefinedFunction": {"DatabaseName": "d", "FunctionName": "f"},
    "CreateConnection": {"ConnectionInput.Name": "wanted"},
    "UpdateConnection": {"Name": "c", "ConnectionInput.Name": "c"},
    "DeleteConnection": {"ConnectionName": "wanted"},
    "BatchDeleteConnection": {"ConnectionNameList": ["c"]},
    "TagResource": {"ResourceArn": DATABASE_ARN},
    "UntagResource": {"ResourceArn": DATABASE_ARN, "TagsToRemove": ["team"]},
    "SearchTables": {"SortCriteria": [{"FieldName": "Name", "Sort": "ASC"}]},
    "DeleteTable": {"DatabaseName": "d", "Name": "t"},
    "BatchDeleteTable": {"DatabaseName": "d", "TablesToDelete": ["wanted"]},
    "DeleteDatabase": {"Name": "d"},
}


def good(operation):
    without = {name.split(".")[1]: LeftOut for name in NOT_SENT if name.startswith(f"{operation}Request.")}
    without |= {"NextToken": LeftOut, "MaxResults": LeftOut}
    return filled(shape_of(operation), {**without, **GOOD[operation]})


def places(shape, value, path=()):
    """Every value in a request, by the path to it, with its shape."""
    yield path, shape
    match shape.type_name:
        case "structure":
            for member, inner in value.items():
                yield from places(shape.members[member], inner, (*path, member))
        case "list":
            # The others are like the first.
            if value:
                yield from places(shape.member, value[0], (*path, 0))
        case "map":
            for key in list(value)[:1]:
                yield from places(shape.value, value[key], (*path, key))


def changed(request, path, value):
    """A copy of a request with another value at a place; without it where that is LeftOut."""
    request = copy.deepcopy(request)
    inside = request
    for step in path[:-1]:
        inside = inside[step]
    if value is LeftOut:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return request


def wrong_types():
    other = {"string": 5, "structure": "x", "list": {"a": "b"}, "map": ["x"], "integer": "abc", "long": [1]}
    other |= {"boolean": "yes", "timestamp": {}, "double": "x"}
    for operation in ("CreateTable", "CreateDatabase", "CreatePartition", "CreateConnection", "GetPartitions"):
        request = good(operation)
        for path, shape in places(shape_of(operation), request):
            # Deeper members are read as those above them.
            if 0 < len(path) <= 3:
                yield operation, changed(request, path, other[shape.type_name])


def missing_members():
    for operation in GOOD:
        request = good(operation)
        for path, shape in places(shape_of(operation), request):
            for member in shape.required_members if shape.type_name == "structure" else ():
                yield operation, changed(request, (*path, member), LeftOut)
                yield operation, changed(request, (*path, member), None)


def out_of_bounds():
    seen = set()
    for operation in GOOD:
        request = good(operation)
        for path, shape in places(shape_of(operation), request):
            # Each kind of limit once for an operation's group.
            if (shape.name, operation[:6]) in seen:
                continue
            seen.add((shape.name, operation[:6]))
            least, most = shape.metadata.get("min"), shape.metadata.get("max")
            match shape.type_name:
                case "string":
                    if "enum" in shape.metadata:
                        yield operation, changed(request, path, "NO_SUCH_WORD")
                        continue
                    if most and most < MIB:
                        yield operation, changed(request, path, "x" * (most + 1))
                    if least:
                        yield operation, changed(request, path, "")
                    if "uD7FF" in shape.metadata.get("pattern", ""):
                        yield operation, changed(request, path, "a\u0000b")
                        yield operation, changed(request, path, "a\u0001b")
                case "list":
                    if most and most <= 1000:
                        item = filled(shape.member)
                        yield operation, changed(request, path, [item] * (most + 1))
                case "map":
                    if most:
                        value = filled(shape.value)
                        yield operation, changed(request, path, {f"k{n}": value for n in range(most + 1)})
                case "integer" | "long":
                    if least is not None:
                        yield operation, changed(request, path, least - 1)
                    if most is not None:
                        yield operation, changed(request, path, most + 1)


def numbers():
    for operation, request in (
        ("GetDatabases", {}),
        ("GetTables", {"DatabaseName": "d"}),
        ("GetTableVersions", TABLE),
        ("GetPartitions", TABLE),
        ("SearchTables", {}),
        ("GetConnections", {}),
        ("GetUserDefinedFunctions", {"DatabaseName": "d", "Pattern": "*"}),
    ):
        for value in (-1, 0, 1001, 2**31, 2**63, 10**30, -(10**30), 1e308, "1", True, [1]):
            yield operation, {**request, "MaxResults": value}
        for token in ("made up", "{}", "é", "x" * 10_000):
            yield operation, {**request, "NextToken": token}
    table = {"Name": "wanted"}
    for member in ("Retention", "LastAccessTime", "LastAnalyzedTime"):
        for value in (10**30, 1e308, "soon", [], True):
            yield "CreateTable", {"DatabaseName": "d", "TableInput": {**table, member: value}}
    for number, total in ((-1, 1), (0, 0), (0, 11), (1, 1), (10, 10), (2**63, 10), (0, 2**63)):
        yield "GetPartitions", {**TABLE, "Segment": {"SegmentNumber": number, "TotalSegments": total}}


def expressions():
    for expression in (*UNSUPPORTED, *REFUSED, "hour = 1".ljust(2049), "hour = 1 OR " * 170 + "hour"):
        yield "GetPartitions", {**TABLE, "Expression": expression}
    for expression in ("(" * 1000 + "hour = 1" + ")" * 999, "NOT " * 500, "hour = \u0000"):
        yield "GetPartitions", {**TABLE, "Expression": expression}


def against_the_catalog():
    """Requests in good form that ask for what can't be."""
    yield "CreateDatabase", {"DatabaseInput": {"Name": "D"}}
    yield "CreateDatabase", {"DatabaseInput": {"Name": "wanted"}, "CatalogId": "999999999999"}
    yield "CreateTable", {"DatabaseName": "d", "TableInput": {"Name": "T"}}
    yield "CreateTable", {"DatabaseName": "nowhere", "TableInput": {"Name": "wanted"}}
    yield "CreateTable", {"DatabaseName": "d"}
    keys = [{"Name": "k", "Type": "string"}]
    table = {"Name": "wanted", "PartitionKeys": keys}
    yield (
        "CreateTable",
        {
            "DatabaseName": "d",
            "TableInput": table,
            "PartitionIndexes": [{"IndexName": "i", "Keys": ["nowhere"]}],
        },
    )
    indexes = [{"IndexName": f"i{number}", "Keys": ["k"]} for number in range(4)]
    yield "CreateTable", {"DatabaseName": "d", "TableInput": table, "PartitionIndexes": indexes}
    yield "UpdateTable", {"DatabaseName": "d", "TableInput": {"Name": "t"}, "VersionId": "0"}
    for version in ("99999999999999999999999999", "-1", "x", "1.0"):
        yield "UpdateTable", {"DatabaseName": "d", "TableInput": {"Name": "t"}, "VersionId": version}
        yield "GetTableVersion", {**TABLE, "VersionId": version}
        yield "DeleteTableVersion", {**TABLE, "VersionId": version}
    yield "DeleteTableVersion", {**TABLE, "VersionId": "1"}
    for values in ([], ["2024-01-01"], [*VALUES, "more"]):
        yield "CreatePartition", {**TABLE, "PartitionInput": {"Values": values}}
        yield "GetPartition", {**TABLE, "PartitionValues": values}
        yield "DeletePartition", {**TABLE, "PartitionValues": values}
    yield "CreatePartition", {**TABLE, "PartitionInput": {"Values": VALUES}}
    yield "CreatePartition", {**TABLE, "PartitionInput": {}}
    other = {"Values": list(PARTITIONS["b"])}
    yield "UpdatePartition", {**TABLE, "PartitionValueList": VALUES, "PartitionInput": other}
    for keys in (["nowhere"], ["a"], ["city", "city"]):
        yield "CreatePartitionIndex", {**TABLE, "PartitionIndex": {"IndexName": "wanted", "Keys": keys}}
    yield "CreatePartitionIndex", {**TABLE, "PartitionIndex": {"IndexName": "by_hour", "Keys": ["hour"]}}
    for arn in (
        "arn:aws:glue:x",
        f"{DATABASE_ARN}s",
        "arn:aws:s3:::lake",
        DATABASE_ARN.replace("database/d", "database"),
    ):
        yield "TagResource", {"ResourceArn": arn, "TagsToAdd": {"a": "b"}}
    yield "TagResource", {"ResourceArn": DATABASE_ARN, "TagsToAdd": {f"k{number}": "" for number in range(50)}}
    yield "CreateUserDefinedFunction", {"DatabaseName": "d", "FunctionInput": {"FunctionName": "F"}}
    yield (
        "UpdateConnection",
        {
            "Name": "nowhere",
            "ConnectionInput": {"Name": "nowhere", "ConnectionType": "NETWORK", "ConnectionProperties": {}},
        },
    )


BROKEN = [
    b"{",
    b"}",
    b"[]",
    b"null",
    b'"x"',
    b"5",
    b"{'DatabaseInput': {'Name': 'wanted'}}",
    b'{"DatabaseInput": {"Name": "wanted"}',
    b'{"DatabaseInput": {"Name": "wanted"}} x',
    b'{"DatabaseInput": {"Name": "wanted"},}',
    b'{"DatabaseInput": {"Name": wanted}}',
    b'{"DatabaseInput": {"Name": "wan\nted"}}',
    b'{"DatabaseInput": {"Name": "\xff\xfe"}}',
    rb'{"DatabaseInput": {"Name": "\ud800"}}',
    rb'{"DatabaseInput": {"Name": "\x00"}}',
    b'{"DatabaseInput": {"Name": NaN}}',
    b"<DatabaseInput><Name>wanted</Name></DatabaseInput>",
    b"Action=CreateDatabase&Name=wanted",
    '{"DatabaseInput": {"Name": "wanted"}}'.encode("utf-16"),
    b"",
    b" ",
    b'{"databaseinput": {"name": "wanted"}}',
    b'{"DatabaseInput": {"Name": "wanted", "Parameters": ' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}}",
    b'{"DatabaseInput": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"DatabaseInput": ' + b'{"Name":' * 100_000,
    # Ten megabytes, and more.
    b'{"DatabaseInput": {"Name": "' + b"x" * (10 * MIB) + b'"}}',
    b"[" * (10 * MIB),
    b" " * (10 * MIB),
    b"\x00" * (10 * MIB),
    b"x" * (10 * MIB + 1),
    b'{"DatabaseInput": {"Name": "wanted"}}' + b" " * (11 * MIB),
]
TARGETS = [
    "",
    "AWSGlue",
    "AWSGlue.",
    "AWSGlue.createDatabase",
    "AWSGlue.CreateDatabase.More",
    "AWSGlue.Create Database",
    "AWSGlue/CreateDatabase",
    "awsglue.CreateDatabase",
    "CreateDatabase",
    "DynamoDB_20120810.CreateTable",
    "AWSGlue.DropEverything",
    "AWSGlue.CreateDatabase\u00e9",
    "AWSGlue." + "x" * 5000,
]
OTHER_CONTENT = {
    "text": {"Content-Type": "text/plain"},
    "a page": {"Content-Type": "text/html"},
    "a form": {"Content-Type": "application/x-www-form-urlencoded"},
    "parts": {"Content-Type": "multipart/form-data; boundary=x"},
    "xml": {"Content-Type": "application/xml"},
    "no gzip": {"Content-Encoding": "gzip"},
}
CREATE = json.dumps({"DatabaseInput": {"Name": "wanted"}}).encode()


class BadInput(Case):
    @classmethod
    def prepare(cls):
        glue = cls.glue
        glue.create_database(DatabaseInput={"Name": "d", "Description": "as it was"}, Tags={"team": "a"})
        columns = [{"Name": "a", "Type": "bigint"}]
        keys = [{"Name": name, "Type": kind} for name, kind in KEYS.items()]
        table = {"Name": "t", "PartitionKeys": keys, "StorageDescriptor": {"Columns": columns}}
        indexes = [{"IndexName": "by_hour", "Keys": ["hour"]}]
        glue.create_table(DatabaseName="d", TableInput=table, PartitionIndexes=indexes)
        glue.update_table(DatabaseName="d", TableInput={**table, "Description": "changed once"})
        inputs = [{"Values": list(values), "Parameters": {"id": one}} for one, values in PARTITIONS.items()]
        assert not glue.batch_create_partition(**TABLE, PartitionInputList=inputs).get("Errors")
        long = {"MinimumValue": 1, "MaximumValue": 2, "NumberOfNulls": 3, "NumberOfDistinctValues": 4}
        data = {"Type": "LONG", "LongColumnStatisticsData": long}
        statistics = {"ColumnName": "a", "ColumnType": "bigint", "AnalyzedTime": 5, "StatisticsData": data}
        glue.update_column_statistics_for_table(**TABLE, ColumnStatisticsList=[statistics])
        glue.create_user_defined_function(DatabaseName="d", FunctionInput={"FunctionName": "f", "ClassName": "c"})
        connection = {"Name": "c", "ConnectionType": "NETWORK", "ConnectionProperties": {"HOST": "h"}}
        glue.create_connection(ConnectionInput=connection, Tags={"team": "b"})

    def whole_catalog(self):
        """Everything that there is, as boto3 shows it."""
        glue, found = self.glue, {}

        def add(name, ask, member, **request):
            found[name], _ = self.all_pages(ask, member, **request)
            return found[name]

        add("connections", glue.get_connections, "ConnectionList")
        add("crawlers", glue.get_crawlers, "Crawlers")
        add("jobs", glue.get_jobs, "Jobs")
        for one in add("databases", glue.get_databases, "DatabaseList"):
            database = {"DatabaseName": one["Name"]}
            name = one["Name"]
            found[f"{name} tags"] = glue.get_tags(ResourceArn=DATABASE_ARN[:-1] + name)["Tags"]
            add(f"{name} functions", glue.get_user_defined_functions, "UserDefinedFunctions", Pattern="*", **database)
            for table in add(f"{name} tables", glue.get_tables, "TableList", **database):
                name = f"{name}.{table['Name']}"
                named = {**database, "TableName": table["Name"]}
                add(f"{name} versions", glue.get_table_versions, "TableVersions", **named)
                add(f"{name} partitions", glue.get_partitions, "Partitions", **named)
                add(f"{name} indexes", glue.get_partition_indexes, "PartitionIndexDescriptorList", **named)
                columns = [column["Name"] for column in table.get("StorageDescriptor", {}).get("Columns", [])]
                statistics = glue.get_column_statistics_for_table(**named, ColumnNames=columns)
                found[f"{name} statistics"] = statistics["ColumnStatisticsList"]
        found["tags"] = glue.get_tags(ResourceArn=f"arn:aws:glue:{REGION}:{ACCOUNT}:connection/c")["Tags"]
        return found

    def setUp(self):
        self.before = self.whole_catalog()
        self.assertEqual(len(self.before["d.t partitions"]), len(PARTITIONS))
        self.refusals = 0

    def check_refused(self, name, answer):
        if answer.status == 200:
            # So that the next request doesn't fail for this one's sake.
            for operation, request in UNDO.items():
                self.server.ask(operation, request)
        with self.subTest(name):
            self.assertIn(answer.status, range(400, 500), answer.body[:500])
            self.assertIn("x-amzn-requestid", answer.headers)
            self.assertTrue(answer.headers["content-type"].startswith("application/x-amz-json"), answer.headers)
            error = answer.json
            self.assertIn(error["__type"], KNOWN)
            message = error.get("Message") or error.get("message")
            self.assertIsInstance(message, str)
            # A message that repeats ten megabytes helps nobody.
            self.assertLess(len(message), 10_000)
            self.refusals += 1

    def check_unchanged(self, at_least):
        self.assertGreaterEqual(self.refusals, at_least)
        self.assertEqual(self.whole_catalog(), self.before)

    def check_all(self, requests, at_least):
        """Sends each request: all are refused, there are so many at least, and the catalog stays as it is."""
        for number, (operation, request) in enumerate(requests):
            body = json.dumps(request)
            self.check_refused(f"{number} {operation} {body[:300]}", self.server.ask(operation, request))
        self.check_unchanged(at_least)


@on_both_databases
class GoodRequests(BadInput):
    def test_each_is_good_until_something_in_it_is_changed(self):
        for operation in GOOD:
            with self.subTest(operation):
                answer = self.server.ask(operation, good(operation))
                self.assertEqual(answer.status, 200, answer.body)
                self.assertFalse(answer.json.get("Errors"), answer.body)


@on_both_databases
class Requests(BadInput):
    def test_wrong_types(self):
        self.check_all(wrong_types(), 140)

    def test_missing_members(self):
        self.check_all(missing_members(), 170)

    def test_values_out_of_bounds(self):
        self.check_all(out_of_bounds(), 280)

    def test_numbers_and_tokens(self):
        self.check_all(numbers(), 125)

    def test_expressions(self):
        self.check_all(expressions(), len(UNSUPPORTED) + len(REFUSED) + 5)

    def test_what_cannot_be(self):
        self.check_all(against_the_catalog(), 40)

    def test_broken_bodies(self):
        for number, body in enumerate(BROKEN):
            answer = self.server.send(body, glue_headers("CreateDatabase"))
            self.check_refused(f"{number} {body[:100]!r}", answer)
        self.check_unchanged(len(BROKEN))

    def test_wrong_targets(self):
        for target in TARGETS:
            headers = {**glue_headers(""), "X-Amz-Target": target.encode()}
            self.check_refused(target[:100], self.server.send(CREATE, headers))
        self.check_refused("none", self.server.send(CREATE, {"Content-Type": "application/x-amz-json-1.1"}))
        self.check_unchanged(len(TARGETS) + 1)

    def test_other_content(self):
        for name, headers in OTHER_CONTENT.items():
            answer = self.server.send(CREATE, {**glue_headers("CreateDatabase"), **headers})
            self.check_refused(name, answer)
        for method in ("PUT", "DELETE", "PATCH"):
            answer = self.server.send(CREATE, glue_headers("CreateDatabase"), method=method)
            self.check_refused(method, answer)
        self.check_unchanged(len(OTHER_CONTENT) + 3)

    def test_nul_is_kept_or_refused(self):
        database = self.fresh_database()
        for number, text in enumerate(("\u0000", "a\u0000b", "\u0001\u0002\u001f")):
            for member in ("ViewOriginalText", "Parameters"):
                with self.subTest(text=text, member=member):
                    name = f"t{number}_{member}".lower()
                    table = {"Name": name, member: {"k": text} if member == "Parameters" else text}
                    answer = self.server.ask("CreateTable", {"DatabaseName": database, "TableInput": table})
                    if answer.status != 200:
                        self.check_refused(member, answer)
                        continue
                    found = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
                    self.assertEqual(found[member], table[member])
        self.glue.delete_database(Name=database)


@on_both_databases
class Signatures(BadInput):
    keys = SECRETS

    def test_tampered_signatures(self):
        headers = signed(self.server.url, CREATE, glue_headers("CreateDatabase"), self.keys)
        credential, names, signature = headers["Authorization"].split(", ")
        tampered = {
            "none": {"Authorization": ""},
            "another algorithm": {"Authorization": headers["Authorization"].replace("SHA256", "SHA1")},
            "no signature": {"Authorization": f"{credential}, {names}"},
            "no headers": {"Authorization": f"{credential}, {signature}"},
            "no credential": {"Authorization": f"AWS4-HMAC-SHA256 {names}, {signature}"},
            "half a signature": {"Authorization": headers["Authorization"][:-32]},
            "no hex": {"Authorization": f"{credential}, {names}, Signature={'z' * 64}"},
            "zeros": {"Authorization": f"{credential}, {names}, Signature={'0' * 64}"},
            "another key": {"Authorization": headers["Authorization"].replace(self.keys[0], "AKIASOMEBODYELSE")},
            "another region": {"Authorization": headers["Authorization"].replace(REGION, "eu-west-1")},
            "another service": {"Authorization": headers["Authorization"].replace("/glue/", "/s3/")},
            "another day": {"X-Amz-Date": "20200101T000000Z"},
            "no date": {"X-Amz-Date": ""},
            "a date in words": {"X-Amz-Date": "today"},
            "fewer headers": {"Authorization": headers["Authorization"].replace(";x-amz-target", "")},
            "a scope in pieces": {"Authorization": headers["Authorization"].replace("/aws4_request", "")},
            "basic": {"Authorization": "Basic YWJjOmRlZg=="},
            "bearer": {"Authorization": f"Bearer {self.keys[1]}"},
            "long": {"Authorization": headers["Authorization"] + "0" * 5000},
        }
        for name, change in tampered.items():
            self.assertNotEqual({**headers, **change}, headers, name)
            self.check_refused(name, self.server.send(CREATE, {**headers, **change}))
        self.check_refused("another body", self.server.send(CREATE.replace(b"wanted", b"wantex"), headers))
        other = {**headers, **glue_headers("DeleteDatabase")}
        self.check_refused("another operation", self.server.send(CREATE, other))
        self.check_refused("another path", self.server.send(CREATE, headers, path="/?X-Amz-Expires=60"))
        self.check_unchanged(len(tampered) + 3)
        self.assertEqual(self.server.send(CREATE, headers).status, 200)
        self.glue.delete_database(Name="wanted")
