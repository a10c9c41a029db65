# SPDX-License-Identifier: MIT
"""Extended attributes of cgroup directories and files."""
import os

from harness import ops
from harness.registry import scenario

NAMES = ("user.x", "trusted.x", "security.x", "system.x", "system.posix_acl_access", "foo", "user.",
         "user", ".x", "", "user." + "n" * 250, "user." + "n" * 251, "trusted.overlay.opaque")


@scenario("systemd", "cpu", "memory")
def xattrs(stage):
    child = stage.cgroup()
    for where, path in (("directory", child), ("file", child + "/tasks")):
        stage.attempt(f"{where}: list at first", os.listxattr, path)
        for name in NAMES:
            label = name if len(name) < 30 else f"of {len(name)} bytes"
            stage.attempt(f"{where}: set {label}", os.setxattr, path, name, b"value")
            stage.attempt(f"{where}: get {label}", os.getxattr, path, name)
        stage.note(f"{where}: list", " ".join(
            name if len(name) < 30 else "long" for name in sorted(os.listxattr(path))))
        for size in (0, 1, 255, 256, 4095, 4096, 4097, 65535, 65536):
            answer = ops.attempt(os.setxattr, path, "user.size", b"v" * size)
            stage.note(f"{where}: set {size} bytes", answer)
            if answer == "ok":
                stage.note(f"{where}: got", str(len(os.getxattr(path, "user.size"))))
        for step, call in (
                ("CREATE existing", lambda: os.setxattr(path, "user.x", b"2", os.XATTR_CREATE)),
                ("CREATE new", lambda: os.setxattr(path, "user.new", b"2", os.XATTR_CREATE)),
                ("REPLACE existing", lambda: os.setxattr(path, "user.x", b"3", os.XATTR_REPLACE)),
                ("REPLACE missing", lambda: os.setxattr(path, "user.none", b"3", os.XATTR_REPLACE)),
                ("both", lambda: os.setxattr(path, "user.x", b"3", 3)),
                ("unknown flag", lambda: os.setxattr(path, "user.x", b"3", 8)),
                ("get missing", lambda: os.getxattr(path, "user.none")),
                ("get trusted missing", lambda: os.getxattr(path, "trusted.none")),
                ("get system missing", lambda: os.getxattr(path, "system.none")),
                ("get security missing", lambda: os.getxattr(path, "security.selinux")),
                ("get capability", lambda: os.getxattr(path, "security.capability")),
                ("get acl", lambda: os.getxattr(path, "system.posix_acl_access")),
                ("get x", lambda: os.getxattr(path, "user.x")),
                ("remove", lambda: os.removexattr(path, "user.x")),
                ("remove again", lambda: os.removexattr(path, "user.x")),
                ("remove trusted", lambda: os.removexattr(path, "trusted.x")),
                ("remove system", lambda: os.removexattr(path, "system.x")),
                ("get removed", lambda: os.getxattr(path, "user.x"))):
            stage.attempt(f"{where}: {step}", call)
        stage.note(f"{where}: list at last", " ".join(
            name if len(name) < 30 else "long" for name in sorted(os.listxattr(path))))
    many = child + "/many"
    os.mkdir(many)
    answers = [ops.attempt(os.setxattr, many, f"user.a{n}", b"v") for n in range(130)]
    stage.note("130 user attributes", f"{answers.count('ok')} ok, then {answers[-1]}")
    stage.attempt("one replaced", os.setxattr, many, "user.a1", b"w")
    stage.attempt("a trusted one more", os.setxattr, many, "trusted.a", b"v")
    os.rmdir(many)
    os.mkdir(many)
    stage.attempt("list of a new one of that name", os.listxattr, many)
    big = child + "/big"
    os.mkdir(big)
    answers = [ops.attempt(os.setxattr, big, f"user.b{n}", b"v" * 60000) for n in range(4)]
    stage.note("4 of 60000 bytes", " ".join(answers))
