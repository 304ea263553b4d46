# SPDX-License-Identifier: Apache-2.0
"""RRD files as rrdtool sees them; one rrdtool process answers all questions."""

import subprocess


class RrdError(AssertionError):
    pass


class Rrd:
    def __init__(self):
        self.process = subprocess.Popen(["rrdtool", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command, path):
        assert "\n" not in str(path) and '"' not in str(path)
        self.process.stdin.write(f'{command} "{path}"\n')
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            if line.startswith("OK "):
                return lines
            if line.startswith("ERROR") or not line:
                raise RrdError(f"rrdtool {command} {path}: {line}")
            lines.append(line.rstrip("\n"))

    def info(self, path):
        return dict(line.split(" = ", 1) for line in self.ask("info", path) if " = " in line)

    def last(self, path):
        """Unix time of the last update."""
        return int(self.ask("last", path)[0])

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
