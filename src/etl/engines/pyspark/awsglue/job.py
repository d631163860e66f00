"""The frame of a job's script."""

import sys

from awsglue.refusals import NotHere
from awsglue.utils import given_arguments


class Job:
    """A job's begin and end. Bookmarks aren't there, so a run that asks for them ends here."""

    _initialized = False

    def __init__(self, glue_context):
        self._context = glue_context

    @classmethod
    def isInitialized(cls):
        return Job._initialized

    @classmethod
    def id(cls):
        return given_arguments(sys.argv).get("JOB_ID")

    @classmethod
    def init(cls, job_name, args=None):
        option = {**given_arguments(sys.argv), **(args or {})}.get("job_bookmark_option")
        if option not in (None, "", "job-bookmark-disable"):
            raise NotHere(f"--job-bookmark-option {option}", "job-bookmark-disable reads everything in every run")
        Job._initialized = True

    @classmethod
    def commit(cls):
        Job._initialized = False
