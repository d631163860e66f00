"""Crawlers and classifiers as boto3 makes, changes, runs and removes them."""

import json
import time

from server import PATIENCE, Case, on_both_databases
from shapes import read, shape_of

CLASSIFIERS = {
    "GrokClassifier": {"Name": "lines", "Classification": "shoplog", "GrokPattern": "%{WORD:level} %{GREEDYDATA:text}"},
    "XMLClassifier": {"Name": "books", "Classification": "books", "RowTag": "book"},
    "JsonClassifier": {"Name": "inside", "JsonPath": "$.records[*]"},
    "CsvClassifier": {
        "Name": "carets",
        "Delimiter": "^",
        "QuoteSymbol": "'",
        "ContainsHeader": "PRESENT",
        "Header": ["city", "people"],
        "DisableValueTrimming": True,
        "AllowSingleColumn": False,
        "CustomDatatypeConfigured": True,
        "CustomDatatypes": ["STRING", "LONG"],
        "Serde": "LazySimpleSerDe",
    },
}


@on_both_databases
class Crawlers(Case):
    def in_form(self, operation, **request):
        """An answer, which is of AWS's model."""
        answer = self.server.ask(operation, request)
        self.assertEqual(answer.status, 200, answer.body)
        _, wrong = read(shape_of(operation, output=True), answer.json)
        self.assertEqual(wrong, [])
        return answer.json

    def settled(self, name):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            crawler = self.in_form("GetCrawler", Name=name)["Crawler"]
            if crawler["State"] == "READY":
                return crawler
            time.sleep(0.05)
        self.fail(f"crawler {name} is still at work")

    def test_classifiers_are_kept_as_they_are_sent(self):
        for kind, members in CLASSIFIERS.items():
            with self.subTest(kind):
                self.glue.create_classifier(**{kind: members})
                kept = self.in_form("GetClassifier", Name=members["Name"])["Classifier"]
                self.assertEqual(list(kept), [kind])
                self.assertEqual({name: kept[kind][name] for name in members}, members)
                self.assertEqual(kept[kind]["Version"], 1)
                again = {"Name": members["Name"]}
                self.glue.update_classifier(**{kind: again})
                kept = self.glue.get_classifier(Name=members["Name"])["Classifier"][kind]
                self.assertEqual({name: kept[name] for name in members}, members, "what isn't sent stays")
                self.assertEqual(kept["Version"], 2)
                self.refused("AlreadyExistsException", self.glue.create_classifier, **{kind: members})
        names = [m["Name"] for page in [self.in_form("GetClassifiers")["Classifiers"]] for c in page for m in c.values()]
        self.assertEqual(sorted(names), sorted(members["Name"] for members in CLASSIFIERS.values()))
        for members in CLASSIFIERS.values():
            self.glue.delete_classifier(Name=members["Name"])
            self.refused("EntityNotFoundException", self.glue.get_classifier, Name=members["Name"])

    def test_a_crawlers_life(self):
        database = self.fresh_database()
        name = f"of_{database}"
        s3 = self.server.client("s3")
        s3.put_object(Bucket="lake", Key=f"{database}/people/a.csv", Body=b"id,name\n1,ada\n2,eva\n")
        target = {"Path": f"s3://lake/{database}/", "Exclusions": ["**.tmp"], "SampleSize": 2}
        self.glue.create_crawler(
            Name=name,
            Role="r",
            DatabaseName=database,
            Targets={"S3Targets": [target]},
            Schedule="cron(0 2 * * ? *)",
            Configuration=json.dumps({"Version": 1.0, "CreatePartitionIndex": True}),
            LineageConfiguration={"CrawlerLineageSettings": "ENABLE"},
        )
        crawler = self.in_form("GetCrawler", Name=name)["Crawler"]
        self.assertEqual(crawler["Schedule"], {"ScheduleExpression": "cron(0 2 * * ? *)", "State": "SCHEDULED"})
        self.assertEqual(crawler["LineageConfiguration"], {"CrawlerLineageSettings": "ENABLE"})
        self.assertEqual(crawler["Targets"]["S3Targets"], [target])
        self.glue.stop_crawler_schedule(CrawlerName=name)
        self.refused("SchedulerNotRunningException", self.glue.stop_crawler_schedule, CrawlerName=name)
        self.glue.start_crawler_schedule(CrawlerName=name)
        self.refused("SchedulerRunningException", self.glue.start_crawler_schedule, CrawlerName=name)
        self.glue.update_crawler_schedule(CrawlerName=name, Schedule="cron(15 12 ? * MON-FRI *)")

        self.refused("CrawlerNotRunningException", self.glue.stop_crawler, Name=name)
        self.glue.start_crawler(Name=name)
        crawler = self.settled(name)
        self.assertEqual(crawler["LastCrawl"]["Status"], "SUCCEEDED", crawler["LastCrawl"])
        tables = self.glue.get_tables(DatabaseName=database)["TableList"]
        self.assertEqual([table["Name"] for table in tables], ["people"])

        crawls = self.in_form("ListCrawls", CrawlerName=name)["Crawls"]
        self.assertEqual([crawl["State"] for crawl in crawls], ["COMPLETED"])
        summary = json.loads(crawls[0]["Summary"])
        self.assertEqual(summary["TABLE"]["ADD"]["Count"], 1)
        wanted = {"FieldName": "CRAWL_ID", "FilterOperator": "EQ", "FieldValue": crawls[0]["CrawlId"]}
        found = self.glue.list_crawls(CrawlerName=name, Filters=[wanted])["Crawls"]
        self.assertEqual(len(found), 1)
        metrics = self.in_form("GetCrawlerMetrics", CrawlerNameList=[name])["CrawlerMetricsList"]
        self.assertEqual((metrics[0]["TablesCreated"], metrics[0]["StillEstimating"]), (1, False))

        self.glue.update_crawler(Name=name, Description="changed")
        many = self.in_form("BatchGetCrawlers", CrawlerNames=[name, "nobody"])
        self.assertEqual(many["Crawlers"][0]["Description"], "changed")
        self.assertEqual(many["Crawlers"][0]["Schedule"]["ScheduleExpression"], "cron(15 12 ? * MON-FRI *)")
        self.assertEqual(many["CrawlersNotFound"], ["nobody"])
        self.glue.delete_crawler(Name=name)
        for ask in (self.glue.get_crawler, self.glue.start_crawler, self.glue.stop_crawler, self.glue.delete_crawler):
            self.refused("EntityNotFoundException", ask, Name=name)
