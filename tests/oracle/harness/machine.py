# SPDX-License-Identifier: MIT
"""What differs between machines, and how it is taken out of answers."""
import os
import re
from functools import cached_property


def _read(path, default=""):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return default


class Machine:
    """Facts that answers depend on; a recording holds those of the machine it was made on."""

    @cached_property
    def release(self):
        return ".".join(os.uname().release.split(".")[:2])

    @cached_property
    def cpus(self):
        return _read("/sys/devices/system/cpu/online", "0")

    @cached_property
    def mems(self):
        return _read("/sys/devices/system/node/online", "0")

    @cached_property
    def cpu_count(self):
        return os.sysconf("SC_NPROCESSORS_ONLN")

    @cached_property
    def hugepages(self):
        """Sizes as cgroup file names have them: 2MB, 1GB."""
        try:
            kilobytes = [int(name[10:-2]) for name in os.listdir("/sys/kernel/mm/hugepages")]
        except OSError:
            return []
        return [f"{kb >> 20}GB" if kb >= 1 << 20 else f"{kb >> 10}MB" if kb >= 1 << 10
                else f"{kb}KB" for kb in sorted(kilobytes)]

    @cached_property
    def disk(self):
        """MAJ:MIN of a whole disk that nothing else uses, or None."""
        names = sorted(os.listdir("/sys/block")) if os.path.isdir("/sys/block") else []
        for name in sorted(names, key=lambda name: not name.startswith("loop")):
            return _read(f"/sys/block/{name}/dev") or None
        return None

    @cached_property
    def partition(self):
        """MAJ:MIN of a partition, or None."""
        for disk in sorted(os.listdir("/sys/block")) if os.path.isdir("/sys/block") else []:
            for part in sorted(os.listdir(f"/sys/block/{disk}")):
                if os.path.exists(f"/sys/block/{disk}/{part}/partition"):
                    return _read(f"/sys/block/{disk}/{part}/dev")
        return None

    @cached_property
    def kthreadd(self):
        return _read("/proc/2/comm") == "kthreadd"

    def facts(self):
        return {"release": self.release, "cpus": self.cpus, "mems": self.mems,
                "hugepages": " ".join(self.hugepages), "disk": str(self.disk is not None),
                "kthreadd": str(self.kthreadd)}


MACHINE = Machine()


def shape(text):
    """The grammar of a content: numbers become <n>, repeated tokens and lines are one."""
    text = re.sub(r"(?m)^\d+:\d+(?= )", "<dev>", text)
    text = re.sub(r"\bN\d+=\d+", "N*=<n>", text)
    text = re.sub(r"(?<![\w.])-?\d+\b", "<n>", text)
    text = re.sub(r"(\bN\*=<n>)( N\*=<n>)+", r"\1", text)
    lines = []
    for line in text.split("\n"):
        line = re.sub(r"^(<n> )+$", "<n>* ", line)
        if line not in lines or not line:
            lines.append(line)
    return "\n".join(lines)


def zeros(text):
    """A content of zeros with one column or line a CPU or node, whatever their number."""
    text = re.sub(r"(N\d+=0)( N\d+=0)+", "N*=0", re.sub(r"\bN0=0\b(?! N)", "N*=0", text))
    if text == "0 " * MACHINE.cpu_count + "\n":
        return "0* \n"
    return re.sub(r"(?:^\d+ 0 0\n)+", "* 0 0\n", text, flags=re.M)
