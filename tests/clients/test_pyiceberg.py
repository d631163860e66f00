"""PyIceberg's Glue catalog: tables, their schemas, and commits that meet each other."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import botocore.exceptions
import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import ListType, LongType, NestedField, StringType, StructType, TimestampType
from server import ANY_KEY, REGION, Case, on_both_databases

ROWS = pa.schema([pa.field("id", pa.int64()), pa.field("name", pa.string())])
COMMITTERS = 20
DEADLINE = 120
# Commits try again until they win.
PATIENT = {
    "commit.retry.num-retries": "1000",
    "commit.retry.min-wait-ms": "200",
    "commit.retry.max-wait-ms": "1500",
    "commit.retry.total-timeout-ms": str(DEADLINE * 1000),
}


def rows(*ids):
    return pa.table({"id": list(ids), "name": [f"row {one}" for one in ids]}, schema=ROWS)


def ids(table):
    return sorted(table.scan().to_arrow()["id"].to_pylist())


class IcebergCase(Case):
    def setUp(self):
        self.catalog = self.catalog_of_its_own()
        self.namespace = f"{self.id().rsplit('.')[-1][:60]}"
        self.catalog.create_namespace(self.namespace, {"location": f"s3://lake/{self.namespace}"})

    def catalog_of_its_own(self, client=None):
        key, secret = ANY_KEY
        return GlueCatalog(
            "mastic",
            client=client,
            **{
                "glue.endpoint": self.server.url,
                "glue.region": REGION,
                "glue.access-key-id": key,
                "glue.secret-access-key": secret,
                "s3.endpoint": self.server.lake_url,
                "s3.region": REGION,
                "s3.access-key-id": key,
                "s3.secret-access-key": secret,
            },
        )

    def table(self, name="t", **properties):
        return self.catalog.create_table(f"{self.namespace}.{name}", ROWS, properties=properties)

    def glue_table(self, name="t"):
        return self.glue.get_table(DatabaseName=self.namespace, Name=name)["Table"]


@on_both_databases
class Tables(IcebergCase):
    def test_namespaces(self):
        catalog = self.catalog
        self.assertIn((self.namespace,), catalog.list_namespaces())
        with self.assertRaises(NamespaceAlreadyExistsError):
            catalog.create_namespace(self.namespace)
        catalog.update_namespace_properties(self.namespace, updates={"owner": "me", "comment": "words"})
        properties = catalog.load_namespace_properties(self.namespace)
        self.assertEqual((properties["owner"], properties["comment"]), ("me", "words"))
        self.table()
        with self.assertRaises(NamespaceNotEmptyError):
            catalog.drop_namespace(self.namespace)
        catalog.drop_table(f"{self.namespace}.t")
        catalog.drop_namespace(self.namespace)
        self.assertNotIn((self.namespace,), catalog.list_namespaces())
        with self.assertRaises(NoSuchNamespaceError):
            catalog.load_namespace_properties(self.namespace)
        with self.assertRaises(NoSuchNamespaceError):
            self.table()

    def test_what_is_appended_is_read_back(self):
        table = self.table()
        table.append(rows(1, 2))
        table.append(rows(3))
        again = self.catalog_of_its_own().load_table(f"{self.namespace}.t")
        self.assertEqual(ids(again), [1, 2, 3])
        self.assertEqual(len(again.metadata.snapshots), 2)
        again.delete("id = 2")
        again.overwrite(rows(9))
        table.refresh()
        self.assertEqual(ids(table), [9])
        found = self.glue_table()
        self.assertEqual(found["Parameters"]["table_type"], "ICEBERG")
        self.assertEqual(found["Parameters"]["metadata_location"], table.metadata_location)
        self.assertIn("previous_metadata_location", found["Parameters"])
        self.assertEqual(found["TableType"], "EXTERNAL_TABLE")
        columns = [(column["Name"], column["Type"]) for column in found["StorageDescriptor"]["Columns"]]
        self.assertEqual(columns, [("id", "bigint"), ("name", "string")])

    def test_a_schema_changes(self):
        table = self.table()
        table.append(rows(1))
        with table.update_schema() as update:
            update.add_column("note", StringType(), doc="what else")
            update.rename_column("name", "label")
        more = pa.table({"id": [2], "label": ["row 2"], "note": ["new"]}, schema=table.schema().as_arrow())
        table.append(more)
        again = self.catalog.load_table(f"{self.namespace}.t")
        found = again.scan().to_arrow().sort_by("id").to_pydict()
        self.assertEqual(found, {"id": [1, 2], "label": ["row 1", "row 2"], "note": [None, "new"]})
        columns = self.glue_table()["StorageDescriptor"]["Columns"]
        current = {
            column["Name"]: (column["Type"], column.get("Comment"), column["Parameters"]["iceberg.field.id"])
            for column in columns
            if column["Parameters"]["iceberg.field.current"] == "true"
        }
        wanted = {"id": ("bigint", None, "1"), "label": ("string", None, "2"), "note": ("string", "what else", "3")}
        self.assertEqual(current, wanted)
        with again.transaction() as transaction:
            transaction.set_properties(reviewed="yes")
        self.assertEqual(self.catalog.load_table(f"{self.namespace}.t").properties["reviewed"], "yes")

    def test_rename_list_and_drop(self):
        catalog, here = self.catalog, self.namespace
        self.table().append(rows(1))
        self.table("other")
        # A table of another kind is nothing to Iceberg.
        self.glue.create_table(DatabaseName=here, TableInput={"Name": "plain", "TableType": "EXTERNAL_TABLE"})
        self.assertEqual(sorted(catalog.list_tables(here)), [(here, "other"), (here, "t")])
        with self.assertRaises(TableAlreadyExistsError):
            self.table()
        with self.assertRaises(TableAlreadyExistsError):
            catalog.rename_table(f"{here}.t", f"{here}.other")
        catalog.rename_table(f"{here}.t", f"{here}.renamed")
        self.assertEqual(ids(catalog.load_table(f"{here}.renamed")), [1])
        with self.assertRaises(NoSuchTableError):
            catalog.load_table(f"{here}.t")
        self.assertEqual(sorted(catalog.list_tables(here)), [(here, "other"), (here, "renamed")])
        catalog.drop_table(f"{here}.renamed")
        self.assertFalse(catalog.table_exists(f"{here}.renamed"))
        with self.assertRaises(NoSuchTableError):
            catalog.drop_table(f"{here}.renamed")

    def test_a_table_is_registered_where_its_metadata_is(self):
        table = self.table()
        table.append(rows(1, 2))
        self.catalog.drop_table(f"{self.namespace}.t")
        again = self.catalog.register_table(f"{self.namespace}.back", table.metadata_location)
        self.assertEqual(ids(again), [1, 2])

    def test_the_server_makes_an_iceberg_table(self):
        fields = [
            {"Id": 1, "Name": "id", "Type": "long", "Required": True, "Doc": "the key"},
            {"Id": 2, "Name": "at", "Type": "timestamp", "Required": False},
            {"Id": 3, "Name": "city", "Type": "string", "Required": False},
            {
                "Id": 4,
                "Name": "tags",
                "Type": {"type": "list", "element-id": 5, "element": "string", "element-required": False},
                "Required": False,
            },
            {
                "Id": 6,
                "Name": "place",
                "Type": {"type": "struct", "fields": [{"id": 7, "name": "x", "type": "long", "required": True}]},
                "Required": False,
            },
        ]
        location = f"s3://lake/{self.namespace}/made"
        create = {
            "Location": location,
            "Schema": {"SchemaId": 0, "Type": "struct", "IdentifierFieldIds": [1], "Fields": fields},
            "PartitionSpec": {
                "SpecId": 0,
                "Fields": [
                    {"SourceId": 2, "Transform": "day", "Name": "at_day", "FieldId": 1000},
                    {"SourceId": 3, "Transform": "identity", "Name": "city", "FieldId": 1001},
                ],
            },
            "WriteOrder": {
                "OrderId": 1,
                "Fields": [{"SourceId": 1, "Transform": "identity", "Direction": "desc", "NullOrder": "nulls-last"}],
            },
            "Properties": {"made": "by the server"},
        }
        iceberg = {"MetadataOperation": "CREATE", "Version": "2", "CreateIcebergTableInput": create}
        request = {"DatabaseName": self.namespace, "Name": "Made", "OpenTableFormatInput": {"IcebergInput": iceberg}}
        self.glue.create_table(**request)
        self.refused("AlreadyExistsException", self.glue.create_table, "Table already exists.", **request)
        found = self.glue_table("made")
        self.assertEqual(found["Parameters"]["table_type"], "ICEBERG")
        self.assertTrue(found["Parameters"]["metadata_location"].startswith(f"{location}/metadata/"))
        self.assertEqual(found["StorageDescriptor"]["Location"], location)
        columns = {column["Name"]: column["Type"] for column in found["StorageDescriptor"]["Columns"]}
        wanted = {
            "id": "bigint",
            "at": "timestamp",
            "city": "string",
            "tags": "array<string>",
            "place": "struct<x:bigint>",
        }
        self.assertEqual(columns, wanted)

        table = self.catalog.load_table(f"{self.namespace}.made")
        self.assertEqual((table.format_version, table.location()), (2, location))
        place = StructType(NestedField(7, "x", LongType(), required=True))
        schema = Schema(
            NestedField(1, "id", LongType(), required=True, doc="the key"),
            NestedField(2, "at", TimestampType(), required=False),
            NestedField(3, "city", StringType(), required=False),
            NestedField(4, "tags", ListType(5, StringType(), element_required=False), required=False),
            NestedField(6, "place", place, required=False),
            schema_id=0,
            identifier_field_ids=[1],
        )
        self.assertEqual(table.schema(), schema)
        self.assertEqual(table.schema().identifier_field_ids, [1])
        spec = [(field.name, field.source_id, field.field_id, field.transform) for field in table.spec().fields]
        self.assertEqual(spec, [("at_day", 2, 1000, DayTransform()), ("city", 3, 1001, IdentityTransform())])
        (order,) = table.sort_order().fields
        self.assertEqual((order.source_id, order.direction.value, order.null_order.value), (1, "desc", "nulls-last"))
        self.assertEqual(table.properties["made"], "by the server")
        self.assertEqual((table.metadata.last_column_id, table.metadata.last_partition_id), (7, 1001))
        self.assertEqual(table.metadata.snapshots, [])

        # Without what may be left out, and written to.
        del create["PartitionSpec"], create["WriteOrder"], create["Properties"]
        create["Location"] = f"s3://lake/{self.namespace}/lean"
        self.glue.create_table(**{**request, "Name": "lean"})
        table = self.catalog.load_table(f"{self.namespace}.lean")
        self.assertTrue(table.spec().is_unpartitioned() and table.sort_order().is_unsorted)
        row = {"id": [1], "at": [0], "city": ["Oslo"], "tags": [["a", "b"]], "place": [{"x": 5}]}
        table.append(pa.table(row, schema=table.schema().as_arrow()))
        found = self.catalog.load_table(f"{self.namespace}.lean").scan().to_arrow().to_pydict()
        self.assertEqual({**found, "at": [0]}, row)

    def test_glue_shows_the_latest_metadata(self):
        table = self.table(flavour="vanilla")
        table.append(rows(1))
        named = {"DatabaseName": self.namespace, "Name": "t"}
        found = self.glue.get_table(**named, AttributesToGet=["LATEST_ICEBERG_METADATA"])["Table"][
            "IcebergTableMetadata"
        ]
        self.assertEqual(found["FormatVersion"], "2")
        self.assertEqual(found["TableUuid"], str(table.metadata.table_uuid))
        self.assertEqual(found["Location"], table.location())
        self.assertEqual(found["Properties"]["flavour"], "vanilla")
        (schema,) = found["Schemas"]
        self.assertEqual([field["Name"] for field in schema["Fields"]], ["id", "name"])
        self.assertEqual((found["CurrentSchemaId"], found["LastColumnId"]), (0, 2))


@on_both_databases
class Commits(IcebergCase):
    def identifier(self):
        return f"{self.namespace}.t"

    def test_the_second_of_two_writers_has_to_look_again(self):
        self.table(**{"commit.retry.num-retries": "0"})
        one, other = (self.catalog_of_its_own().load_table(self.identifier()) for _ in range(2))
        one.append(rows(1))
        with self.assertRaises(CommitFailedException):
            other.append(rows(2))
        self.assertEqual(ids(self.catalog.load_table(self.identifier())), [1])
        other.refresh()
        other.append(rows(2))
        self.assertEqual(ids(self.catalog.load_table(self.identifier())), [1, 2])

    def check_history(self, wanted):
        """One snapshot for each row, each after the one before it, and all of them can be read."""
        table = self.catalog_of_its_own().load_table(self.identifier())
        snapshots = table.metadata.snapshots
        self.assertEqual(len(snapshots), len(wanted))
        self.assertEqual(len({snapshot.snapshot_id for snapshot in snapshots}), len(wanted))
        parents = [snapshot.parent_snapshot_id for snapshot in snapshots]
        self.assertEqual(parents, [None, *(snapshot.snapshot_id for snapshot in snapshots[:-1])])
        self.assertEqual(sorted(int(snapshot.summary["row"]) for snapshot in snapshots), wanted)
        self.assertEqual(ids(table), wanted)
        for snapshot in snapshots[:: len(snapshots) // 4]:
            read = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
            self.assertEqual(len(read), snapshots.index(snapshot) + 1)

    def test_20_committers_end_with_20_snapshots(self):
        self.table(**PATIENT)
        together = threading.Barrier(COMMITTERS)

        def commit(row):
            table = self.catalog_of_its_own().load_table(self.identifier())
            together.wait(DEADLINE)
            table.append(rows(row), snapshot_properties={"row": str(row)})

        with self.assertLogs("pyiceberg.table", "WARNING") as log, ThreadPoolExecutor(COMMITTERS) as pool:
            list(pool.map(commit, range(COMMITTERS)))
        self.check_history(list(range(COMMITTERS)))
        # All had seen the same table, so all but one had to look again.
        again = [record for record in log.records if record.msg.startswith("Commit failed due to a concurrent update")]
        self.assertGreaterEqual(len(again), COMMITTERS - 1)

    def test_nothing_is_lost_when_the_server_is_killed(self):
        self.table(**PATIENT)
        deadline = time.monotonic() + DEADLINE
        acknowledged = []

        def commit(row):
            """Appends a row. When nobody knows whether that worked, the table does."""
            # A request is sent once: a second one might be told of a conflict with the first.
            catalog = self.catalog_of_its_own(self.server.client("glue"))
            doubtful = False
            while True:
                try:
                    table = catalog.load_table(self.identifier())
                    if doubtful and any(snapshot.summary["row"] == str(row) for snapshot in table.metadata.snapshots):
                        break
                    table.append(rows(row), snapshot_properties={"row": str(row)})
                    break
                except (CommitFailedException, botocore.exceptions.BotoCoreError, OSError) as cause:
                    if time.monotonic() > deadline:
                        raise
                    if not isinstance(cause, CommitFailedException):
                        doubtful = True
                        time.sleep(0.05)
            acknowledged.append(row)

        # What PyIceberg has to say of each failed commit is not shown.
        with self.assertLogs("pyiceberg.table", "WARNING"), ThreadPoolExecutor(COMMITTERS) as pool:
            committers = [pool.submit(commit, row) for row in range(COMMITTERS)]
            for so_many in (COMMITTERS // 5, COMMITTERS // 2):
                while len(acknowledged) < so_many and not all(committer.done() for committer in committers):
                    self.assertLess(time.monotonic(), deadline, acknowledged)
                    time.sleep(0.005)
                # Somebody was still at it.
                self.assertLess(len(acknowledged), COMMITTERS)
                self.server.kill()
                self.server.start()
            for committer in committers:
                committer.result()
        self.assertEqual(sorted(acknowledged), list(range(COMMITTERS)))
        self.check_history(list(range(COMMITTERS)))
