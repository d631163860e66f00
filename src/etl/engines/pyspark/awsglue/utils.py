"""The arguments of a script. Needs nothing of Spark."""

import os
import sys

# Given back wherever they are given, whether a script asks for them or not.
RESERVED = (
    "JOB_NAME", "JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", "TempDir", "RedshiftTempDir", "encryption_type",
    "job_bookmark_from", "job_bookmark_option", "job_bookmark_to", "WORKFLOW_NAME", "WORKFLOW_RUN_ID",
)  # fmt: skip
# What the run itself says of arguments that aren't given.
FALLBACKS = {"JOB_NAME": "MASTIC_JOB", "JOB_ID": "MASTIC_JOB", "JOB_RUN_ID": "MASTIC_RUN"}


class GlueArgumentError(Exception):
    """Arguments that a script asks for and that aren't there."""


def to_key(name):
    return name.replace("-", "_")


def given_arguments(argv):
    """Every --name value and --name=value of a command line, by key; a name without a value has None."""
    given, words = {}, list(argv)
    for index, word in enumerate(words):
        if not word.startswith("--") or word == "--":
            continue
        name, equals, value = word[2:].partition("=")
        if not equals:
            following = words[index + 1] if index + 1 < len(words) else None
            value = None if following is None or following.startswith("--") else following
        given[to_key(name)] = value
    return given


def getResolvedOptions(args, options, allow_abbrev=False):
    """The arguments that a script names, as a dictionary.

    Raises GlueArgumentError where one is missing or has no value."""
    given = given_arguments(args)
    wanted = [to_key(name) for name in options]
    if allow_abbrev:
        for name in wanted:
            longer = [key for key in given if name not in given and name.startswith(key)]
            if len(longer) == 1:
                given[name] = given[longer[0]]
    for name, variable in FALLBACKS.items():
        if given.get(name) is None and os.environ.get(variable):
            given[name] = os.environ[variable]
    missing = [name for name in wanted if name not in given]
    if missing:
        raise GlueArgumentError(f"the following arguments are required: {', '.join('--' + name for name in missing)}")
    empty = [name for name in wanted if given[name] is None]
    if empty:
        raise GlueArgumentError(f"expected a value of: {', '.join('--' + name for name in empty)}")
    named = [*wanted, *(name for name in RESERVED if given.get(name) is not None)]
    return {name: given[name] for name in named}


class Logger:
    """Lines to the run's log."""

    def _say(self, level, message, *others):
        print(level, message, *others, file=sys.stderr, flush=True)

    def trace(self, message, *others):
        self._say("TRACE", message, *others)

    def debug(self, message, *others):
        self._say("DEBUG", message, *others)

    def info(self, message, *others):
        self._say("INFO", message, *others)

    def warn(self, message, *others):
        self._say("WARN", message, *others)

    warning = warn

    def error(self, message, *others):
        self._say("ERROR", message, *others)
