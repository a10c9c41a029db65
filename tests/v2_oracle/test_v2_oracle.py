# SPDX-License-Identifier: MIT
"""Our v2 tree against the recorded answers of a real kernel: differences only by name and reason.

The recorder plays its scenarios on our tree below the launcher, as it did on the kernel's; each scenario is a
test. Where there is no launcher it plays them on a mount, and what the launcher shows is left out. What a
step says of a device that this machine has not (a page size, a disk, an RDMA device) is not compared.
"""

import fnmatch
import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
RECORDED = HERE / "recorded" / "6.18.15"
sys.path.insert(0, str(HERE / "recorder"))
sys.path.insert(0, str(HERE.parent / "mount"))

import compare  # noqa: E402
import mounting  # noqa: E402

# These change the machine itself (a disk's scheduler) or read its disk: only a guest
# plays them.
ONLY_IN_GUEST = {"chance_devices", "io_rules", "new_io"}
# These ask what only the launcher answers: /proc, the filesystem's type, a remount, unshare(2). The
# random ones go only where there is one.
ONLY_LAUNCHED = {"attach_process", "chance_core", "chance_cpuset", "chance_delegated", "chance_freezing",
                 "chance_namespaces", "chance_open", "chance_settings", "chance_texts", "chance_tree",
                 "chance_users", "clone_into", "content_root", "identity", "namespaces", "nsdelegate"}
# Answers of our tree in the recorded kernel's guest (make test-v2-oracle-long), where all is there.
ANSWERS = os.environ.get("V2_ANSWERS")
RUN = os.environ.get("FUSE_CGROUP_RUN", str(mounting.ROOT / "build" / "fuse_cgroup_run"))
SCENARIOS = sorted(path.stem for path in RECORDED.glob("*.txt"))


def exceptions():
    """Patterns of SCENARIO/STEP, from the file of that name."""
    lines = (HERE / "exceptions").read_text().splitlines()
    return [line.partition(" :: ")[0].strip() for line in lines if line and not line.startswith("#")]


def absent_devices():
    """Words that stand for a device which the recorded machine had and this one lacks."""
    if ANSWERS:
        return []
    machine = json.loads((RECORDED / "machine.json").read_text())
    here = os.listdir("/sys/kernel/mm/hugepages") if os.path.isdir("/sys/kernel/mm/hugepages") else []
    absent = []
    for directory, word in (("hugepages-1048576kB", "hugetlb.1GB"), ("hugepages-2048kB", "hugetlb.2MB")):
        if directory not in here:
            absent.append(word)
    for disk, word in zip(machine["disks"], ("{disk}", "{swap}")):
        if not os.path.exists(f"/sys/block/{disk}"):
            absent.append(word)
    if not os.path.exists("/sys/class/infiniband/rxe0"):
        absent += ["rdma.", "rdma_and_misc/"]
    if "HugePages_Total:       0\n" in pathlib.Path("/proc/meminfo").read_text():
        absent.append("hugetlb/")
    return absent


needed = set()  # exceptions that a difference matched


def launched():
    return os.path.exists(RUN) and not mounting.in_gvisor() and not mounting.why_no_namespace()


def record(place, out, names, *command):
    with (out / "log").open("w") as log:
        subprocess.run([*command, sys.executable, str(HERE / "recorder" / "record.py"), str(place), str(out),
                        "--only", *names],
                       stdout=log, stderr=subprocess.STDOUT, timeout=1200, check=False)


@pytest.fixture(scope="session")
def played(tmp_path_factory):
    """The directory of what our tree answered."""
    if ANSWERS:
        return pathlib.Path(ANSWERS)
    if os.geteuid():
        pytest.skip("needs root: the scenarios move processes of several users")
    out = tmp_path_factory.mktemp("answers")
    names = [name for name in SCENARIOS if name not in ONLY_IN_GUEST]
    if launched():
        temporary = tmp_path_factory.mktemp("launcher")
        record("/sys/fs/cgroup", out, names, "env", f"TMPDIR={temporary}", RUN, "--v2")
        gone = mounting.wait_until(lambda: not os.listdir(temporary))
        assert gone, f"a process that the scenarios left keeps the launcher: {os.listdir(temporary)}"
        return out
    with mounting.mount_point() as path:
        daemon = mounting.Daemon(path, "-o", "v2")
        record(path, out, [name for name in names if name not in ONLY_LAUNCHED])
        daemon.stop()
    return out


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if ANSWERS or name not in ONLY_IN_GUEST])
def test_scenario(scenario, played):
    if scenario in ONLY_LAUNCHED and not ANSWERS and not launched():
        pytest.skip("needs the launcher: it is about what fuse_cgroup_run shows")
    absent = absent_devices()
    expected, found = (compare.load(where / f"{scenario}.txt") for where in (RECORDED, played))
    if scenario.startswith("chance_") and any(word in f"{expected}" for word in absent):
        pytest.skip(f"needs a machine with all of {' '.join(absent)}: a random walk goes on by what there is")
    assert found, (played / "log").read_text()
    different = []
    for step in dict.fromkeys([*expected, *found]):
        if expected.get(step) == found.get(step) or any(word in f"{scenario}/{step}" for word in absent):
            continue
        matching = [each for each in exceptions() if fnmatch.fnmatchcase(f"{scenario}/{step}", each)]
        needed.update(matching)
        if matching:
            continue
        different.append(f"{step}\n  kernel {expected.get(step)}\n  ours   {found.get(step)}")
    assert not different, "\n" + "\n".join(different)


def test_every_exception_is_needed(played):
    """Runs last: it is about the tests above."""
    assert played
    left_out = () if ANSWERS else ONLY_IN_GUEST if launched() else ONLY_IN_GUEST | ONLY_LAUNCHED
    skipped = (*absent_devices(), *(f"{name}/" for name in left_out))
    assert [each for each in exceptions() if each not in needed and not each.startswith(skipped)] == []
