# SPDX-License-Identifier: MIT
"""Starts a runner as a process of its own and collects its answers."""
import json
import subprocess
import sys
import threading
from pathlib import Path

RUNNER = Path(__file__).with_name("runner.py")


class Running:
    """A started runner; results() waits for it."""

    def __init__(self, tree, plays):
        self._plays = plays
        self._found = {}
        self._process = subprocess.Popen(
            [sys.executable, str(RUNNER), tree, *(f"{h}/{name}" for h, name in plays)],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self._process.stdout as lines:
            for line in lines:
                hierarchy, name, result = json.loads(line)
                self._found[hierarchy, name] = result

    def results(self):
        """{(hierarchy, scenario): result} of all plays."""
        self._reader.join()
        status = self._process.wait()
        for play in self._plays:
            self._found.setdefault(play, {"error": f"the runner ended early, status {status}"})
        return self._found


    def stop(self):
        """Ends it early; it takes its cgroups away before it goes."""
        self._process.terminate()
        self._process.wait()


def run(tree, plays):
    return Running(tree, plays).results()
