"""AWS SDK for pandas (awswrangler): its catalog functions, and datasets that it writes and reads back."""

import awswrangler as wr
import boto3
import pandas as pd
from server import ACCOUNT, Case, on_both_databases


@on_both_databases
class Wrangler(Case):
    @classmethod
    def prepare(cls):
        boto3.DEFAULT_SESSION = cls.server.session()
        cls.addClassCleanup(setattr, boto3, "DEFAULT_SESSION", None)
        wr.config.glue_endpoint_url = cls.server.url
        wr.config.sts_endpoint_url = cls.server.url
        wr.config.s3_endpoint_url = cls.server.lake_url

    def setUp(self):
        self.database = self.fresh_database()
        self.path = f"s3://lake/{self.database}/t/"

    def at(self, table="t"):
        return {"database": self.database, "table": table}

    def parquet_table(self, table="t", **more):
        columns = {"id": "bigint", "name": "string"}
        more = {"partitions_types": {"year": "int", "city": "string"}} | more
        wr.catalog.create_parquet_table(**self.at(table), path=self.path, columns_types=columns, **more)

    def test_databases(self):
        name = f"{self.database}_made"
        wr.catalog.create_database(name, description="made by awswrangler")
        found = {database["Name"]: database.get("Description") for database in wr.catalog.get_databases()}
        self.assertEqual(found[name], "made by awswrangler")
        listed = wr.catalog.databases(limit=1000)
        self.assertIn(name, list(listed["Database"]))
        with self.assertRaises(wr.exceptions.AlreadyExists):
            wr.catalog.create_database(name)
        wr.catalog.create_database(name, exist_ok=True)
        wr.catalog.delete_database(name)
        self.assertNotIn(name, [database["Name"] for database in wr.catalog.get_databases()])

    def test_a_parquet_table(self):
        self.parquet_table(
            description="Numbers", columns_comments={"id": "the key", "year": "when"}, parameters={"owner": "me"}
        )
        self.assertTrue(wr.catalog.does_table_exist(**self.at()))
        types = wr.catalog.get_table_types(**self.at())
        self.assertEqual(types, {"id": "bigint", "name": "string", "year": "int", "city": "string"})
        comments = wr.catalog.get_columns_comments(**self.at())
        self.assertEqual((comments["id"], comments["year"]), ("the key", "when"))
        self.assertEqual(wr.catalog.get_table_description(**self.at()), "Numbers")
        self.assertEqual(wr.catalog.get_table_location(**self.at()), self.path)
        parameters = wr.catalog.get_table_parameters(**self.at())
        self.assertEqual((parameters["classification"], parameters["owner"]), ("parquet", "me"))
        frame = wr.catalog.table(**self.at())
        self.assertEqual(list(frame["Column Name"]), ["id", "name", "year", "city"])
        self.assertEqual(list(frame["Partition"]), [False, False, True, True])

    def test_a_csv_table(self):
        columns = {"id": "bigint", "name": "string"}
        wr.catalog.create_csv_table(
            **self.at(),
            path=self.path,
            columns_types=columns,
            partitions_types={"day": "date"},
            sep=";",
            skip_header_line_count=1,
        )
        table = self.glue.get_table(DatabaseName=self.database, Name="t")["Table"]
        self.assertEqual(table["Parameters"]["skip.header.line.count"], "1")
        serde = table["StorageDescriptor"]["SerdeInfo"]
        self.assertEqual(serde["SerializationLibrary"], "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe")
        self.assertEqual(serde["Parameters"]["field.delim"], ";")
        wr.catalog.add_csv_partitions(
            **self.at(), partitions_values={f"{self.path}day=2024-01-01/": ["2024-01-01"]}, sep=";"
        )
        self.assertEqual(wr.catalog.get_csv_partitions(**self.at()), {f"{self.path}day=2024-01-01/": ["2024-01-01"]})

    def test_partitions(self):
        self.parquet_table()
        values = {
            f"{self.path}year={year}/city={city}/": [str(year), city]
            for year in (9, 10, 11)
            for city in ("Oslo", "Rome")
        }
        wr.catalog.add_parquet_partitions(**self.at(), partitions_values=values)
        # Those that are there already are no error.
        wr.catalog.add_parquet_partitions(**self.at(), partitions_values=values)
        self.assertEqual(wr.catalog.get_partitions(**self.at()), values)
        found = wr.catalog.get_partitions(**self.at(), expression="year>=10 AND city='Oslo'")
        self.assertEqual(sorted(found.values()), [["10", "Oslo"], ["11", "Oslo"]])
        found = wr.catalog.get_parquet_partitions(**self.at(), expression="city LIKE 'R%'")
        self.assertEqual(sorted(found.values()), [["10", "Rome"], ["11", "Rome"], ["9", "Rome"]])
        wr.catalog.delete_partitions(**self.at(), partitions_values=[["10", "Oslo"]])
        self.assertEqual(len(wr.catalog.get_partitions(**self.at())), 5)
        wr.catalog.delete_all_partitions(**self.at())
        self.assertEqual(wr.catalog.get_partitions(**self.at()), {})

    def test_more_partitions_than_a_page_or_a_batch(self):
        self.parquet_table(partitions_types={"n": "int"})
        values = {f"{self.path}n={n}/": [str(n)] for n in range(1050)}
        wr.catalog.add_parquet_partitions(**self.at(), partitions_values=values)
        self.assertEqual(wr.catalog.get_partitions(**self.at()), values)

    def test_parameters(self):
        self.parquet_table(parameters={"a": "1", "b": "2"})
        wr.catalog.upsert_table_parameters(parameters={"b": "3", "c": "4"}, **self.at())
        parameters = wr.catalog.get_table_parameters(**self.at())
        self.assertEqual([parameters.get(name) for name in "abc"], ["1", "3", "4"])
        wr.catalog.overwrite_table_parameters(parameters={"only": "this"}, **self.at())
        self.assertEqual(wr.catalog.get_table_parameters(**self.at()), {"only": "this"})

    def test_columns(self):
        self.parquet_table()
        wr.catalog.add_column(**self.at(), column_name="extra", column_type="double", column_comment="more")
        self.assertEqual(wr.catalog.get_table_types(**self.at())["extra"], "double")
        self.assertEqual(wr.catalog.get_columns_comments(**self.at())["extra"], "more")
        wr.catalog.delete_column(**self.at(), column_name="name")
        types = wr.catalog.get_table_types(**self.at())
        self.assertEqual(types, {"id": "bigint", "extra": "double", "year": "int", "city": "string"})

    def test_finding_tables(self):
        for name in ("sales_2023", "sales_2024", "old_sales", "returns"):
            self.parquet_table(name, description=f"Only for {self.database}")

        def names(**wanted):
            return sorted(table["Name"] for table in wr.catalog.get_tables(database=self.database, **wanted))

        self.assertEqual(names(), ["old_sales", "returns", "sales_2023", "sales_2024"])
        self.assertEqual(names(name_prefix="sales"), ["sales_2023", "sales_2024"])
        self.assertEqual(names(name_suffix="sales"), ["old_sales"])
        self.assertEqual(names(name_contains="sales"), ["old_sales", "sales_2023", "sales_2024"])
        self.assertEqual(names(name_prefix="sales", name_suffix="2024"), ["sales_2024"])
        everywhere = [table for table in wr.catalog.get_tables() if table["DatabaseName"] == self.database]
        self.assertEqual(len(everywhere), 4)
        frame = wr.catalog.tables(database=self.database, name_contains="sales")
        self.assertEqual(sorted(frame["Table"]), ["old_sales", "sales_2023", "sales_2024"])
        self.assertEqual(set(frame["Columns"]), {"id, name"})
        self.assertEqual(set(frame["Partitions"]), {"year, city"})
        found = list(wr.catalog.search_tables(text=self.database))
        self.assertEqual(len(found), 4)
        frame = wr.catalog.tables(database=self.database, search_text="returns")
        self.assertEqual(list(frame["Table"]), ["returns"])

    def test_versions(self):
        self.parquet_table()
        self.assertEqual(wr.catalog.get_table_number_of_versions(**self.at()), 1)
        wr.catalog.upsert_table_parameters(parameters={"x": "1"}, **self.at(), catalog_versioning=True)
        wr.catalog.upsert_table_parameters(parameters={"x": "2"}, **self.at(), catalog_versioning=True)
        versions = list(wr.catalog.get_table_versions(**self.at()))
        found = [(version["VersionId"], version["Table"]["Parameters"].get("x")) for version in versions]
        self.assertEqual(found, [("2", "2"), ("1", "1"), ("0", None)])
        # Without versions, what was is not kept.
        wr.catalog.upsert_table_parameters(parameters={"x": "3"}, **self.at())
        found = [version["VersionId"] for version in wr.catalog.get_table_versions(**self.at())]
        self.assertEqual(found, ["3", "1", "0"])

    def test_deleting_tables(self):
        self.parquet_table()
        self.assertTrue(wr.catalog.delete_table_if_exists(**self.at()))
        self.assertFalse(wr.catalog.delete_table_if_exists(**self.at()))
        self.assertFalse(wr.catalog.does_table_exist(**self.at()))
        self.assertIsNone(wr.catalog.get_table_types(**self.at()))

    def write(self, frame, mode, **more):
        return wr.s3.to_parquet(
            frame, path=self.path, dataset=True, **self.at(), partition_cols=["year"], mode=mode, **more
        )

    def read(self, **more):
        frame = wr.s3.read_parquet_table(**self.at(), **more)
        return sorted((int(row.id), row.name_, int(row.year)) for row in frame.itertuples())

    def test_a_dataset(self):
        def frame(*rows):
            return pd.DataFrame(rows, columns=["id", "name_", "year"])

        written = self.write(frame((1, "a", 2023), (2, "b", 2024)), "overwrite")
        self.assertEqual(len(written["paths"]), 2)
        self.assertEqual(self.read(), [(1, "a", 2023), (2, "b", 2024)])
        self.write(frame((3, "c", 2024), (4, "d", 2025)), "append")
        self.assertEqual(self.read(), [(1, "a", 2023), (2, "b", 2024), (3, "c", 2024), (4, "d", 2025)])
        self.write(frame((5, "e", 2024)), "overwrite_partitions")
        self.assertEqual(self.read(), [(1, "a", 2023), (4, "d", 2025), (5, "e", 2024)])
        only_2024 = {"partition_filter": lambda partition: partition["year"] == "2024"}
        self.assertEqual(self.read(**only_2024), [(5, "e", 2024)])
        partitions = wr.catalog.get_partitions(**self.at())
        self.assertEqual(partitions, {f"{self.path}year={year}/": [str(year)] for year in (2023, 2024, 2025)})
        types = wr.catalog.get_table_types(**self.at())
        self.assertEqual((types["id"], types["name_"], types["year"]), ("bigint", "string", "bigint"))
        # A new column is a new version of the table.
        more = frame((6, "f", 2025)).assign(note="new")
        self.write(more, "append", schema_evolution=True, catalog_versioning=True)
        self.assertEqual(wr.catalog.get_table_types(**self.at())["note"], "string")
        self.assertEqual(len(self.read(validate_schema=False)), 4)
        self.write(frame((7, "g", 2030)), "overwrite")
        self.assertEqual(self.read(), [(7, "g", 2030)])
        self.assertEqual(list(wr.catalog.get_partitions(**self.at()).values()), [["2030"]])

    def test_who_am_i(self):
        self.assertEqual(wr.sts.get_account_id(), ACCOUNT)
