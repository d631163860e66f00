"""The aws CLI as the tests run it: nobody's settings are read, and each call is tried once."""

import json
import os
import subprocess
import sys

from server import PATIENCE, REGION, Case


class Cli(Case):
    def run_aws(self, *arguments):
        key, secret = self.server.keys or ("any", "any")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        clean |= {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": REGION}
        # Nobody's settings are read, and nobody is asked who this machine is.
        clean |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        clean |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}
        program = os.path.join(os.path.dirname(sys.executable), "aws")
        command = [program, "--endpoint-url", self.server.url, "--output", "json", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=clean)

    def aws(self, operation, **arguments):
        """What an operation of `aws glue` prints."""
        done = self.run_aws("glue", operation, *self.flags(arguments))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout) if done.stdout else None

    def fails(self, operation, words, **arguments):
        """Makes sure that an operation fails with these words."""
        done = self.run_aws("glue", operation, *self.flags(arguments))
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        self.assertIn(words, done.stderr)

    @staticmethod
    def flags(arguments):
        for name, value in arguments.items():
            yield f"--{name.replace('_', '-')}"
            if value is not True:
                yield value if isinstance(value, str) else json.dumps(value)
