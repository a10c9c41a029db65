#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes an image of busybox-static to a file that docker load, podman load and ctr image
import take. It needs no registry. Usage: busybox_image.py FILE [NAME:TAG]"""

import hashlib
import io
import json
import pathlib
import platform
import subprocess
import sys
import tarfile

BUSYBOX = pathlib.Path("/bin/busybox")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # as images name them


def add(tar, name, data=b"", kind=tarfile.REGTYPE, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.linkname = kind, 0o755, len(data), target
    tar.addfile(info, io.BytesIO(data))


def write_rootfs(file):
    """The root filesystem, as a tar."""
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name in ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "var", "var/run"):
            add(tar, name, kind=tarfile.DIRTYPE)
        add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
        add(tar, "etc/group", b"root:x:0:\n")
        add(tar, "bin/busybox", BUSYBOX.read_bytes())
        names = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True)
        for name in names.stdout.split():
            if name != "busybox":
                add(tar, f"bin/{name}", kind=tarfile.SYMTYPE, target="busybox")


def write_image(file, name):
    layer = io.BytesIO()
    write_rootfs(layer)
    config = json.dumps({
        "os": "linux", "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sleep", "infinity"]},
        "rootfs": {"type": "layers",
                   "diff_ids": ["sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()]},
    }).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(file, "w") as tar:
        add(tar, "layer.tar", layer.getvalue())
        add(tar, config_name, config)
        add(tar, "manifest.json", json.dumps(manifest).encode())


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if not BUSYBOX.exists():
        sys.exit("busybox_image.py: there is no /bin/busybox: install busybox-static")
    write_image(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "localhost/busybox:static")
