"""A worker reads a question a line and writes an answer a line. Bytes are in base 64."""

import base64
import json
import sys


def answer_lines(client, code_of):
    """Answers until there are no more questions. `code_of` gives the code of an error of the store's, if it is one."""
    answers = sys.stdout
    # What libraries print must not be taken for an answer.
    sys.stdout = sys.stderr
    for line in sys.stdin:
        question = json.loads(line)
        wanted = question["with"]
        if "body" in wanted:
            wanted["body"] = base64.b64decode(wanted["body"])
        try:
            answer = getattr(client, question["do"])(**wanted)
            if isinstance(answer, bytes):
                answer = {"bytes": base64.b64encode(answer).decode()}
            answers.write(json.dumps({"answer": answer}) + "\n")
        except Exception as error:
            answers.write(json.dumps({"error": code_of(error), "text": f"{type(error).__name__}: {error}"}) + "\n")
        answers.flush()
