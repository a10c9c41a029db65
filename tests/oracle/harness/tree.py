# SPDX-License-Identifier: MIT
"""A child cgroup with cgroups below it, by short names, and noted steps on their files."""
import os

from . import ops


class Tree:
    """Cgroups by short names, and steps written "NAME/FILE < VALUE"."""

    def __init__(self, stage, prefix=""):
        self.stage = stage
        self.top = stage.cgroup()
        self.prefix = prefix

    def path(self, name, file=""):
        file = self.prefix + file if file and file[0] != "=" else file[1:]
        return os.path.join(self.top, name, file) if name != "." else os.path.join(self.top, file)

    def mkdir(self, *names):
        for name in names:
            self.stage.attempt(f"mkdir {name}", os.mkdir, self.path(name))

    def rmdir(self, *names):
        for name in names:
            self.stage.attempt(f"rmdir {name}", os.rmdir, self.path(name))

    def write(self, name, file, value, *others):
        """Notes the answer, the file's content, and that of other (name, file)."""
        path = self.path(name, file)
        answer = f"{ops.write(path, value.encode())} -> {ops.read(path)}"
        for other in others:
            answer += f", {'/'.join(other)} {ops.read(self.path(*other))}"
        self.stage.note(f"{name}/{file} < {value!r}", answer)

    def read(self, name, *files):
        for file in files:
            self.stage.read(f"{name}/{file}", self.path(name, file))
