"""The Expression of GetPartitions, as boto3's users write it."""

from server import Case, on_both_databases

KEYS = {
    "day": "date",
    "hour": "int",
    "city": "string",
    "at": "timestamp",
    "price": "decimal(10,2)",
    "big": "bigint",
}
# One letter a partition, so that a list of partitions is a word.
PARTITIONS = {
    "a": ("2024-01-01", "1", "Oslo", "2024-01-01 00:00:00", "1.50", "9007199254740993"),
    "b": ("2024-01-02", "2", "Bergen", "2024-01-01 12:30:00.5", "-0.25", "9007199254740992"),
    "c": ("2024-01-10", "10", "O'Higgins", "2024-01-02 00:00:00", "10", "-5"),
    "d": ("2023-12-31", "-1", "oslo", "2023-12-31 23:59:59.999999999", "2.00", "0"),
    "e": ("2024-02-29", "9", "50%_off", "2024-02-29 00:00:00.000000001", "1.5", "7"),
}
FOUND = {
    # Nothing asked is everything.
    "": "abcde",
    " \t\n": "abcde",
    # Comparisons are those of the key's type, not of text.
    "hour = 1": "a",
    "hour = '1'": "a",
    "hour=01": "a",
    "hour <> 1": "bcde",
    "hour != 1": "bcde",
    "hour > 2": "ce",
    "hour >= 2": "bce",
    "hour < 2": "ad",
    "hour <= -1": "d",
    "hour = '-1'": "d",
    "hour = 3": "",
    "big = 9007199254740993": "a",
    "big >= 9007199254740992": "ab",
    "big < 0": "c",
    "price = 1.5": "ae",
    "price = '1.500'": "ae",
    "price > 2": "c",
    "price >= 2": "cd",
    "price < 0": "b",
    "price = -0.25": "b",
    "price <> 10.00": "abde",
    "day = '2024-01-01'": "a",
    "day = 2024-01-01": "a",
    "day > '2024-01-02'": "ce",
    "day >= '2024-01-01' AND day < '2024-02-01'": "abc",
    "at = '2024-01-01 00:00:00'": "a",
    "at = 2024-01-01 00:00:00": "a",
    "at = '2024-01-01 12:30:00.500'": "b",
    "at > '2024-01-01 12:00:00'": "bce",
    "at > '2024-02-29 00:00:00'": "e",
    "at < '2024-01-01 00:00:00'": "d",
    "at <= '2023-12-31 23:59:59.999999998'": "",
    # Text is compared by its characters' numbers.
    "city = 'Oslo'": "a",
    "city = 'oslo'": "d",
    "city < 'a'": "abce",
    "city > 'Oslo'": "d",
    "city = 'O''Higgins'": "c",
    r"city = 'O\'Higgins'": "c",
    "city = ''": "",
    # Ranges, lists, patterns.
    "hour BETWEEN 2 AND 9": "be",
    "hour NOT BETWEEN 2 AND 9": "acd",
    "hour between '1' and '2'": "ab",
    "day BETWEEN '2024-01-01' AND '2024-01-02'": "ab",
    "price BETWEEN -1 AND 1.5": "abe",
    "at BETWEEN '2024-01-01 00:00:00' AND '2024-01-01 23:59:59'": "ab",
    "city BETWEEN 'A' AND 'P'": "abc",
    "hour IN (1, '10', 77)": "ac",
    "hour NOT IN (1, 10)": "bde",
    "city IN ('Oslo')": "a",
    "city in('Bergen','oslo')": "bd",
    "day IN ('2024-01-01', '2024-02-29')": "ae",
    "city LIKE 'O%'": "ac",
    "city LIKE '_slo'": "ad",
    "city LIKE '%s%'": "acd",
    "city LIKE 'slo'": "",
    "city LIKE '%'": "abcde",
    "city LIKE '50%'": "e",
    "city LIKE '%.%'": "",
    "city LIKE 'O''%'": "c",
    "city NOT LIKE 'O%'": "bde",
    "city IS NULL": "",
    "city IS NOT NULL": "abcde",
    "hour IS NOT NULL": "abcde",
    # NOT binds tighter than AND, AND tighter than OR.
    "hour = 1 OR hour = 2 AND city = 'nowhere'": "a",
    "(hour = 1 OR hour = 2) AND city = 'Bergen'": "b",
    "hour = 2 AND city = 'nowhere' OR hour = 1": "a",
    "NOT hour = 1": "bcde",
    "NOT hour = 1 AND hour < 3": "bd",
    "NOT (hour = 1 OR hour = 2)": "cde",
    "NOT (hour = 1 AND city = 'Oslo') AND day < '2024-01-03'": "bd",
    "NOT NOT hour = 1": "a",
    "hour = 1 AND hour = 2": "",
    "hour = 1 OR hour = 2 OR hour = 9 OR city LIKE 'o%'": "abde",
    "hour BETWEEN 1 AND 2 AND city = 'Oslo' OR day = '2024-02-29'": "ae",
    "((hour = 1) OR ((hour = 2)))": "ab",
    # Names and words in any case, quoted or in parentheses; space where it may be.
    "HOUR = 1 or Hour = 2": "ab",
    '"hour" = 1': "a",
    "(hour) = 1": "a",
    "((hour)) > 9": "c",
    "hour\n=\t1": "a",
    "NOT(hour=1)AND(city='Bergen')": "b",
    # As Hive's client writes them.
    "(hour='1')": "a",
    "((day='2024-01-01') and (hour>'0'))": "a",
    "(city) NOT IN ('Oslo', 'oslo')": "bce",
    "(hour) IN ('1','2')": "ab",
}
UNSUPPORTED = [
    "hour",
    "hour =",
    "= 1",
    "hour = 1 AND",
    "AND hour = 1",
    "hour = 1 OR OR hour = 2",
    "(hour = 1",
    "hour = 1)",
    "hour IN ()",
    "hour IN (1",
    "hour BETWEEN 1",
    "hour BETWEEN 1 OR 2",
    "city LIKE",
    "city = 'Oslo",
    "hour IS",
    "hour IS 1",
    "hour = 1 hour = 2",
    "hour ~ 1",
    "hour = 1; DROP TABLE x",
    "hour = 1 -- or not",
    "upper(city) = 'OSLO'",
]
REFUSED = {
    "nowhere = 1": "Invalid partition expression!",
    "plain = 1": "Invalid partition expression!",
    "hour = 1 OR nowhere IS NULL": "Invalid partition expression!",
    "hour = 'x'": '"x" is not an integer.',
    "hour IN (1, 'two')": '"two" is not an integer.',
    "hour BETWEEN 1 AND 'ten'": '"ten" is not an integer.',
    "big = '1.5'": '"1.5" is not an integer.',
    "price > 'x'": "x is not a decimal.",
    "day = 'x'": "x is not a date.",
    "day = '2024-02-30'": "2024-02-30 is not a date.",
    "hour LIKE '1%'": "Integral data type doesn't support operation 'LIKE'",
    "big LIKE '1%'": "Integral data type doesn't support operation 'LIKE'",
    "price LIKE '1%'": "Decimal data type doesn't support operation 'LIKE'",
    "day LIKE '2024%'": "Date data type doesn't support operation 'LIKE'",
    "at LIKE '2024%'": "Timestamp data type doesn't support operation 'LIKE'",
}
NULL = "__HIVE_DEFAULT_PARTITION__"


@on_both_databases
class Expressions(Case):
    @classmethod
    def prepare(cls):
        cls.glue.create_database(DatabaseInput={"Name": "expressions"})
        cls.table("events", KEYS, PARTITIONS)

    @classmethod
    def table(cls, name, keys, partitions):
        keys = [{"Name": key, "Type": kind} for key, kind in keys.items()]
        table = {"Name": name, "PartitionKeys": keys, "StorageDescriptor": {"Columns": [{"Name": "plain"}]}}
        cls.glue.create_table(DatabaseName="expressions", TableInput=table)
        inputs = [{"Values": list(values), "Parameters": {"id": id}} for id, values in partitions.items()]
        answer = cls.glue.batch_create_partition(DatabaseName="expressions", TableName=name, PartitionInputList=inputs)
        assert not answer.get("Errors"), answer["Errors"]

    def found(self, expression, table="events", **more):
        """The letters of the partitions that an expression finds."""
        ask = {"DatabaseName": "expressions", "TableName": table, "Expression": expression, **more}
        partitions, _ = self.all_pages(self.glue.get_partitions, "Partitions", **ask)
        return "".join(sorted(partition["Parameters"]["id"] for partition in partitions))

    def refuses(self, exception, expression, message=None, table="events"):
        ask = {"DatabaseName": "expressions", "TableName": table, "Expression": expression}
        return self.refused(exception, self.glue.get_partitions, message, **ask)

    def test_each_expression_finds_its_partitions(self):
        for expression, wanted in FOUND.items():
            with self.subTest(expression):
                self.assertEqual(self.found(expression), wanted)

    def test_pages_and_segments_share_what_an_expression_finds(self):
        self.assertEqual(self.found("hour > 0", MaxResults=1), "abce")
        segments = [{"SegmentNumber": number, "TotalSegments": 3} for number in range(3)]
        shares = [self.found("hour > 0", Segment=segment, MaxResults=1) for segment in segments]
        self.assertEqual(sorted("".join(shares)), list("abce"), shares)

    def test_what_cannot_be_parsed_is_quoted(self):
        for expression in UNSUPPORTED:
            with self.subTest(expression):
                self.refuses("InvalidInputException", expression, f"Unsupported expression '{expression}'")

    def test_what_does_not_fit_the_keys_is_refused(self):
        for expression, message in REFUSED.items():
            with self.subTest(expression):
                self.refuses("InvalidInputException", expression, message)
        message = self.refuses("InvalidInputException", "at = '2024-01-01T00:00:00Z'")
        self.assertTrue(message.startswith("Timestamp format must be yyyy-mm-dd hh:mm:ss[.fffffffff]"), message)

    def test_a_table_without_keys_has_no_expressions(self):
        self.table("whole", {}, {})
        self.refuses("InvalidInputException", "hour = 1", "Invalid partition expression!", table="whole")
        self.assertEqual(self.found("", table="whole"), "")

    def test_an_expression_of_2048_characters_is_the_longest(self):
        longest = "hour = 1".ljust(2048)
        self.assertEqual(self.found(longest), "a")
        self.refuses("ValidationException", longest + " ")

    def test_every_type_of_key_that_glue_takes(self):
        whole = ["tinyint", "smallint", "int", "bigint", "long"]
        keys = {f"k_{kind}": kind for kind in whole} | {"k_dec": "decimal"}
        keys |= {"k_char": "char(3)", "k_varchar": "varchar(10)", "k_string": "string"}
        values = {"a": ("9",) * 6 + ("abc",) * 3, "b": ("10",) * 6 + ("abd",) * 3}
        self.table("kinds", keys, values)
        for key in keys:
            with self.subTest(key):
                is_text = key in ("k_char", "k_varchar", "k_string")
                bound = "'abc'" if is_text else "9"
                self.assertEqual(self.found(f"{key} = {bound}", "kinds"), "a")
                self.assertEqual(self.found(f"{key} > {bound}", "kinds"), "b")
                self.assertEqual(self.found(f"{key} >= {bound}", "kinds"), "ab")
                if is_text:
                    self.assertEqual(self.found(f"{key} LIKE '__d'", "kinds"), "b")

    def test_a_type_that_cannot_be_compared(self):
        self.table("odd", {"k": "struct<a:int>"}, {"a": ("1",)})
        self.refuses("InvalidInputException", "k = '1'", "Unknown type : 'struct<a:int>'", table="odd")

    def test_hives_default_partition_is_null(self):
        self.table("nulls", {"k": "int", "s": "string"}, {"a": (NULL, "x"), "b": ("1", NULL), "c": ("2", "y")})
        wanted = {
            "k IS NULL": "a",
            "k IS NOT NULL": "bc",
            "k > 0": "bc",
            "k <> 1": "c",
            "NOT k = 1": "c",
            "k NOT IN (1)": "c",
            "k = 1 OR s = 'x'": "ab",
            "k IS NULL AND s = 'x'": "a",
            # So Trino asks for strings that are not null.
            f"s <> '{NULL}'": "ac",
            "s LIKE 'y'": "c",
        }
        for expression, ids in wanted.items():
            with self.subTest(expression):
                self.assertEqual(self.found(expression, "nulls"), ids)

    def test_a_stored_value_that_is_not_of_its_type(self):
        self.table("wrong", {"k": "int"}, {"a": ("abc",), "b": ("1",)})
        self.assertEqual(self.found("", "wrong"), "ab")
        self.refuses("InvalidStateException", "k > 0", table="wrong")
