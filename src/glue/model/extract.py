"""Makes operations.json, which stands beside this: what AWS's own model says of the Glue API, as far as the server needs it.

    python extract.py > operations.json

For each operation that the server performs, the members of its request with their types and limits; for every other
operation, its name, and the lists that it answers with where it asks for nothing. Read from botocore (Apache-2.0).
"""

import json
import re
from pathlib import Path

import botocore
from botocore.loaders import Loader

LIMITS = {"min": "min", "max": "max", "enum": "enum", "pattern": "pattern"}
# AWS writes patterns for Java, whose characters are UTF-16.
JAVA = {
    r"\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF": r"\u0020-\uFFFD\U00010000-\U0010FFFF",
    r"[\p{L}\p{N}\p{P}]": r"[^\x00-\x20]",
}


def regex(pattern):
    """The same pattern in the syntax of Rust's regex crate, for the whole of a text."""
    for theirs, ours in JAVA.items():
        pattern = pattern.replace(theirs, ours)
    return f"^(?:{pattern})$"


def served():
    """The operations that the dispatcher names."""
    source = (Path(__file__).parent.parent / "mod.rs").read_text()
    return sorted(set(re.findall(r'^\s*\w+ "([A-Z]\w+)" => ', source, re.MULTILINE)))


def main():
    model = Loader().load_service_model("glue", "service-2")
    shapes, operations = model["shapes"], model["operations"]
    kept = {}

    def keep(name):
        if name in kept:
            return
        shape = shapes[name]
        made = kept[name] = {"type": "document" if shape.get("document") else shape["type"]}
        for ours, theirs in LIMITS.items():
            if theirs in shape:
                made[ours] = shape[theirs]
        if "pattern" in made:
            made["regex"] = regex(made["pattern"])
        if "members" in shape:
            made["members"] = {member: about["shape"] for member, about in shape["members"].items()}
            made["required"] = shape.get("required", [])
        for part in ("member", "key", "value"):
            if part in shape:
                made[part] = shape[part]["shape"]
        for part in ("member", "key", "value"):
            if part in made:
                keep(made[part])
        for member in made.get("members", {}).values():
            keep(member)

    inputs = {}
    for name in served():
        # A model's operation may take nothing at all.
        inputs[name] = operations[name]["input"]["shape"] if "input" in operations[name] else None
        if inputs[name]:
            keep(inputs[name])

    others = {}
    for name, operation in sorted(operations.items()):
        if name in inputs:
            continue
        asks = shapes[operation["input"]["shape"]].get("required", []) if "input" in operation else []
        answers = shapes[operation["output"]["shape"]]["members"] if "output" in operation else {}
        lists = [member for member, about in answers.items() if shapes[about["shape"]]["type"] == "list"]
        only_lists = lists and set(answers) <= {*lists, "NextToken"}
        looks = re.match(r"(Get|List)[A-Z]", name) and not asks and only_lists
        others[name] = lists if looks else None

    print("{")
    print(f' "source": "botocore {botocore.__version__}, Apache-2.0",')
    for title, entries, last in (("inputs", inputs, False), ("others", others, False), ("shapes", dict(sorted(kept.items())), True)):
        lines = (f"  {json.dumps(name)}: {json.dumps(entry, separators=(', ', ': '))}" for name, entry in entries.items())
        print(f' "{title}": {{\n' + ",\n".join(lines) + "\n }" + ("" if last else ","))
    print("}")


if __name__ == "__main__":
    main()
