# SPDX-License-Identifier: MIT
"""What the clients of containers run: a root filesystem of busybox, a bundle, an image."""

import io
import json
import sys
import tarfile

import trees

sys.path.insert(0, str(trees.ROOT / "scripts"))
import busybox_image  # noqa: E402 pylint: disable=wrong-import-position

# A process that uses memory, and processor time for as long as it is let.
BUSY = "x=$(head -c 8000000 /dev/zero | tr '\\0' a); while :; do :; done"
IMAGE = "localhost/busybox:static"


def make_image(tree):
    """A file that holds the image."""
    file = tree.directory / "image.tar"
    busybox_image.write_image(file, IMAGE)
    return file


def make_rootfs_tar(tree):
    """A file that holds the root filesystem alone."""
    file = tree.directory / "rootfs.tar"
    with open(file, "wb") as tar:
        busybox_image.write_rootfs(tar)
    return file


def make_rootfs(directory):
    """The root filesystem in a directory."""
    rootfs = io.BytesIO()
    busybox_image.write_rootfs(rootfs)
    rootfs.seek(0)
    with tarfile.open(fileobj=rootfs) as tar:
        tar.extractall(directory)


def make_bundle(tree, cgroup, command, resources):
    """A bundle as `runc spec` writes it where the tree is seen, with the command in it and the limits."""
    directory = tree.directory / "bundle"
    make_rootfs(directory / "rootfs")
    tree.run("runc", "spec", "--bundle", directory)
    config = json.loads((directory / "config.json").read_text())
    config["process"].update(terminal=False, args=["sh", "-c", command])
    config["root"]["readonly"] = False
    config["linux"]["cgroupsPath"] = cgroup
    config["linux"]["resources"].update(resources)
    (directory / "config.json").write_text(json.dumps(config))
    return directory
