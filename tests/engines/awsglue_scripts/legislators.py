"""Joins and relationalizes, as the guide's example of legislators does."""

import json
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

args = getResolvedOptions(sys.argv, ["JOB_NAME", "folder"])
folder = args["folder"]
glueContext = GlueContext(SparkContext.getOrCreate())
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)
print("job", args["JOB_NAME"], Job.isInitialized())


def put(name, rows):
    with open(f"{folder}/{name}.json", "w") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def get(name):
    return glueContext.create_dynamic_frame.from_options(
        connection_type="s3",
        connection_options={"paths": [f"{folder}/{name}.json"]},
        format="json",
        transformation_ctx=name,
    )


put(
    "persons",
    [
        {
            "id": "p1",
            "name": "Ada",
            "contact_details": [{"type": "fax", "value": "1"}, {"type": "phone", "value": "2"}],
            "born": {"year": 1815, "place": {"city": "London"}},
        },
        {"id": "p2", "name": "Bob", "contact_details": [], "born": {"year": 1900, "place": None}},
        {"id": "p3", "name": "Cy", "born": None, "links": [["a", "b"], ["c"], []]},
    ],
)
put(
    "memberships",
    [
        {"person_id": "p1", "organization_id": "o1", "name": "m1"},
        {"person_id": "p2", "organization_id": "o2", "name": "m2"},
    ],
)
put("organizations", [{"id": "o1", "name": "House", "seats": 435}, {"id": "o2", "name": "Senate", "seats": 100}])

persons, memberships = get("persons"), get("memberships")
orgs = RenameField.apply(get("organizations"), old_name="id", new_name="org_id").rename_field("name", "org_name")
persons.printSchema()
history = Join.apply(orgs, Join.apply(persons, memberships, "id", "person_id"), "org_id", "organization_id")
history = history.drop_fields(["person_id", "organization_id"])
history.printSchema()
print("count", history.count())
for row in sorted(history.select_fields(["id", "org_name", ".name"]).toDF().collect()):
    print(*row)

tables = persons.relationalize("root", f"{folder}/staging")
for name in sorted(tables.keys()):
    print(name)
    tables.select(name).printSchema()
    tables.select(name).show()

root = tables.select("root").toDF()
details = tables.select("root_contact_details").toDF()
joined = root.join(details, root["contact_details"] == details["id"])
print(sorted(tuple(row) for row in joined.select(root["name"], "`contact_details.val.value`").collect()))
persons.unnest().show()
parts = SplitFields.apply(persons, ["id", "born.year"], "one", "two")
parts["one"].show()
parts["two"].printSchema()
rows = orgs.split_rows({"seats": {">": 99, "<": 200}}, "small", "large")
rows["small"].show()
rows["large"].show()
changed = orgs.mergeDynamicFrame(
    orgs.apply_mapping([("org_id", "org_id"), ("seats", "int", "seats", "int")]).filter(lambda r: r.seats > 400),
    ["org_id"],
)
print(sorted(map(str, (row.asDict() for row in changed.toDF().collect()))))
job.commit()
print(Job.isInitialized())
