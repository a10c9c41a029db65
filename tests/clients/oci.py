"""What the clients of containers run: a root filesystem of busybox, a bundle, an image."""

import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

BUSYBOX = pathlib.Path("/bin/busybox")
# A process that uses processor time and memory for as long as it is let.
BUSY = "x=$(head -c 8000000 /dev/zero | tr '\\0' a); while :; do :; done"


def applets():
    return subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True,
                          check=True).stdout.split()


def make_rootfs(directory):
    for name in ("bin", "dev", "etc", "proc", "sys", "tmp", "root"):
        (directory / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, directory / "bin/busybox")
    for applet in applets():
        if applet != "busybox":
            (directory / "bin" / applet).symlink_to("busybox")
    (directory / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (directory / "etc/group").write_text("root:x:0:\n")


def make_bundle(directory, cgroup, command, resources):
    """A bundle as `runc spec` writes it, with the command in it and the limits."""
    make_rootfs(directory / "rootfs")
    subprocess.run(["runc", "spec", "--bundle", directory], check=True)
    config = json.loads((directory / "config.json").read_text())
    config["process"].update(terminal=False, args=["sh", "-c", command])
    config["root"]["readonly"] = False
    config["linux"]["cgroupsPath"] = cgroup
    config["linux"]["resources"].update(resources)
    (directory / "config.json").write_text(json.dumps(config))
    return directory


def rootfs_tar(file):
    """The root filesystem as a tar; returns its digest."""
    with tarfile.open(file, "w") as tar:
        def add(name, kind, **members):
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, 0o755
            data = members.pop("data", b"")
            info.size = len(data)
            for key, value in members.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(data))
        for name in ("bin", "dev", "etc", "proc", "sys", "tmp", "root"):
            add(name, tarfile.DIRTYPE)
        add("bin/busybox", tarfile.REGTYPE, data=BUSYBOX.read_bytes())
        add("etc/passwd", tarfile.REGTYPE, data=b"root:x:0:0:root:/root:/bin/sh\n")
        for applet in applets():
            if applet != "busybox":
                add(f"bin/{applet}", tarfile.SYMTYPE, linkname="busybox")


if __name__ == "__main__":
    os.umask(0o022)
