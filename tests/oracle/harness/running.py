"""Starts a runner as a process of its own and collects its answers."""
import json
import subprocess
import sys
from pathlib import Path

RUNNER = Path(__file__).with_name("runner.py")


class Running:
    """A started runner; results() waits for it."""

    def __init__(self, tree, plays):
        self._plays = plays
        self._process = subprocess.Popen(
            [sys.executable, str(RUNNER), tree, *(f"{h}/{name}" for h, name in plays)],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)

    def results(self):
        """{(hierarchy, scenario): result} of all plays."""
        found = {}
        with self._process.stdout as lines:
            for line in lines:
                hierarchy, name, result = json.loads(line)
                found[hierarchy, name] = result
        status = self._process.wait()
        for play in self._plays:
            found.setdefault(play, {"error": f"the runner ended early, status {status}"})
        return found


def run(tree, plays):
    return Running(tree, plays).results()
