# SPDX-License-Identifier: MIT
"""A container's bundle for runc and crun."""

import json
import shutil

import pytest


def make(directory, runtime, *namespaces):
    """Busybox, which sleeps, in namespaces of its own, else in the sandbox' root; in the cgroup /box."""
    for program in (runtime, "busybox"):
        if not shutil.which(program):
            pytest.skip(f"needs {program}: make deps-clients installs it")
    for name in ("bin", "dev", "proc"):
        (directory / "rootfs" / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), directory / "rootfs" / "bin")
    process = {"cwd": "/", "args": ["/bin/busybox", "sleep", "60"], "user": {"uid": 0, "gid": 0}}
    (directory / "config.json").write_text(json.dumps({
        "ociVersion": "1.0.0", "root": {"path": "rootfs"}, "process": process,
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {"namespaces": [{"type": name} for name in namespaces],
                  "resources": {"memory": {"limit": 64 << 20}},
                  "cgroupsPath": "/box"}}))
