# SPDX-License-Identifier: MIT
"""mount(8) and a line of fstab, as other filesystems are mounted."""

import os
import subprocess

import pytest

import mounting

pytestmark = pytest.mark.skipif(not os.path.exists("/sbin/mount.fuse3"),
                                reason="needs /sbin/mount.fuse3 (fuse3)")


# mount(8) looks in places of its own (libmount's PATH): in a mount namespace the daemon is in one of them.
SCRIPT = """mount -t tmpfs none /usr/local/sbin; mount -t tmpfs none /mnt; cp "$1" /usr/local/sbin/
    mkdir /mnt/cgroup
    look() {
        LC_ALL=C ls -m /mnt/cgroup
        sed -n "s,.* /mnt/cgroup .* - ,,p" /proc/self/mountinfo | cut -d " " -f 1,2
    }
    """


def run(script):
    result = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-ec", SCRIPT + script, "sh",
                             mounting.BINARY], text=True, capture_output=True, timeout=mounting.PATIENCE,
                             check=False)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


@pytest.mark.usefixtures("private_mounts")
@pytest.mark.parametrize("source, options", [("none", ""), ("mine", ",fsname=mine")])
def test_fstab(source, options):
    """What is mounted already is not mounted again, and nothing is said."""
    line = f"{source} /mnt/cgroup fuse.fuse_cgroupfs nofail,_netdev,controllers=cpu:memory{options} 0 0"
    lines = run(f"""echo "{line}" >/mnt/fstab
        mount -a -T /mnt/fstab; look; mount -a -T /mnt/fstab; look; umount /mnt/cgroup""")
    assert lines == ["cpu, memory", f"fuse.cgroupfs {source}"] * 2


@pytest.mark.usefixtures("private_mounts")
def test_mount():
    lines = run("mount -t fuse.fuse_cgroupfs cgroup /mnt/cgroup -o controllers=pids; look; "
                "umount /mnt/cgroup")
    assert lines == ["pids", "fuse.cgroupfs cgroup"]
