# SPDX-License-Identifier: MIT
"""What the model of test_accounting_model.py asks of a tree of either version."""

from files import fields, read, write


def io_bytes(path, name):
    """All bytes of all devices; the last line is their sum."""
    return int(read(path / name).split()[-1])


class Legacy:
    """Version 1: one tree a hierarchy."""

    hierarchies = ("cpuacct", "memory", "blkio", "pids", "freezer")
    cpu, pids = "cpuacct", "pids" # which of them count
    threads = "tasks"
    left_out = ()

    @staticmethod
    def make(path):
        path.mkdir()

    @staticmethod
    def usage(path):
        return int(read(path / "cpuacct.usage"))

    @staticmethod
    def figures(hierarchy, path):
        """Counters of a cgroup: name: (value, whether a parent's is the sum over its children and more)."""
        if hierarchy == "cpuacct":
            stat = fields(path / "cpuacct.stat")
            result = {"usage": (int(read(path / "cpuacct.usage")), True),
                      "user": (stat["user"], False), "system": (stat["system"], False)}
            for cpu, value in enumerate(read(path / "cpuacct.usage_percpu").split()):
                result[f"percpu {cpu}"] = int(value), True
            return result
        if hierarchy == "memory":
            stat = fields(path / "memory.stat")
            return {name: (stat[name], name.startswith("total_"))
                    for name in ("pgfault", "pgmajfault", "total_pgfault", "total_pgmajfault")}
        if hierarchy == "blkio":
            return {name: (io_bytes(path, f"blkio.throttle.{name}"), name.endswith("recursive"))
                    for name in ("io_service_bytes", "io_service_bytes_recursive")}
        return {}


class Unified:
    """Version 2: memory and io, which threaded cgroups may not have, are the top one's only."""

    hierarchies = ("",)
    cpu = pids = ""
    threads = "cgroup.threads"
    left_out = ("reset",) # there is none

    @staticmethod
    def make(path):
        is_top = path.name == "model"
        if is_top:
            write(path.parent / "cgroup.subtree_control", "+cpu +memory +io +pids")
        path.mkdir()
        if not is_top:
            write(path / "cgroup.type", "threaded")
        write(path / "cgroup.subtree_control", "+cpu +pids")

    @staticmethod
    def usage(path):
        return fields(path / "cpu.stat")["usage_usec"] * 1000

    @staticmethod
    def figures(_, path):
        stat = fields(path / "cpu.stat")
        result = {"usage": (stat["usage_usec"], True),
                  "user": (stat["user_usec"], False), "system": (stat["system_usec"], False)}
        if path.name == "model":
            stat = fields(path / "memory.stat")
            result |= {name: (stat[name], False) for name in ("pgfault", "pgmajfault")}
            words = read(path / "io.stat").split()
            result |= {kind: (sum(int(word.split("=")[1]) for word in words if word.startswith(kind)), False)
                       for kind in ("rbytes", "wbytes")}
        return result
