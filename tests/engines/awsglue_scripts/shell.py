"""The arguments of a script without Spark."""

import sys

sys.modules["pyspark"] = None

from awsglue.utils import GlueArgumentError, getResolvedOptions

print(getResolvedOptions(sys.argv, ["JOB_NAME", "day", "in-path"]))
print(getResolvedOptions(["x", "--a=1=2", "--b", "two words", "loose", "--TempDir", "s3://t/"], ["a", "b"]))
try:
    getResolvedOptions(sys.argv, ["day", "nothing", "more"])
except GlueArgumentError as error:
    print(error)
try:
    getResolvedOptions(["x", "--day", "--other", "1"], ["day"])
except GlueArgumentError as error:
    print(error)
