# SPDX-License-Identifier: MIT
"""The differences that cannot be removed: "HIERARCHY/SCENARIO/STEP: reason", * for anything."""
import re

from .recording import HERE


class Exceptions:
    """Knows which of them have been needed."""

    def __init__(self, text=None):
        text = (HERE / "exceptions").read_text() if text is None else text
        self.patterns = {}
        self.used = set()
        for line in text.splitlines():
            if line and not line.startswith("#"):
                pattern, reason = line.split(" :: ", 1)
                regex = ".*".join(re.escape(part) for part in pattern.strip().split("*"))
                self.patterns[pattern.strip()] = re.compile(regex), reason

    def excuse(self, hierarchy, scenario, step):
        """Whether a difference at this step is a known one."""
        found = False
        for pattern, (regex, _) in self.patterns.items():
            if regex.fullmatch(f"{hierarchy}/{scenario}/{step}"):
                self.used.add(pattern)
                found = True
        return found

    def dead(self):
        return sorted(set(self.patterns) - self.used)


EXCEPTIONS = Exceptions()
