# SPDX-License-Identifier: MIT
"""What our own processes keep of their rights is what SECURITY.md says."""

import os
import pathlib
import re
import subprocess

import pytest

import launcher
import mounting
import probes
from launcher import AT, Inside
from test_ends import SAID, children, daemon_of, kill_daemon, supervisor_of
from test_user import UID, as_user

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "SECURITY.md"
HEADER = pathlib.Path("/usr/include/linux/capability.h")
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def documented(who):
    """The capabilities in the document's table, as a mask."""
    numbers = dict(re.findall(r"^#define (CAP_\w+)\s+(\d+)$", HEADER.read_text(), re.M))
    table = DOCUMENT.read_text().split(f"| {who} keeps |")[1].split("\n\n")[0]
    names = re.findall(r"^\| (CAP_\w+) \|", table, re.M)
    assert names
    return sum(1 << int(numbers[name]) for name in names)


def rights(pid):
    """Of each of its threads: the capability sets, no_new_privs, the seccomp mode."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        text = pathlib.Path(f"/proc/{pid}/task/{thread}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        found.append((*(int(fields[name], 16) for name in SETS), int(fields["NoNewPrivs"]),
                      int(fields["Seccomp"])))
    return found


def our_rights(pid):
    """But for those of a sanitizer's own thread, which is there before main()."""
    return [thread for thread in rights(pid) if thread[-1] or not mounting.SANITIZED]


def rights_of_supervisor(program):
    return our_rights(supervisor_of(program.pid))


@pytest.fixture(scope="module", params=[(), ("--redirect",), ("-m", "1g")],
                ids=["mounted", "redirected", "limited"])
def program(request):
    with Inside(*request.param) as running:
        running.call(os.getpid)
        yield running


def test_supervisor(program):
    kept = documented("supervisor")
    for _ in range(20):
        program.call(probes.read, "/proc/self/mountinfo")
        program.call(probes.statfs, f"{AT}/cpu")
    threads = rights_of_supervisor(program)
    assert len(threads) > 1
    for inherited, permitted, effective, bounding, ambient, no_new, seccomp in threads:
        assert (inherited, permitted, bounding, ambient, no_new, seccomp) == (0, kept, 0, 0, 1, 2)
        assert effective == kept


def test_launcher(program):
    kept = documented("launcher")
    assert set(our_rights(program.pid)) == {(0, kept, kept, 0, 0, 1, 2)}


def test_command_has_what_it_had(program):
    """Nothing of that is the command's: it has the capabilities of who called, and no filter but the one
    that catches."""
    ours = rights(os.getpid())[0]
    theirs = rights(program.call(os.getpid))[0]
    assert theirs[:6] == ours[:6]
    assert "Seccomp_filters:\t1\n" in pathlib.Path(f"/proc/{program.call(os.getpid)}/status").read_text()


def test_daemons_have_all():
    """The second, too, that is started when the supervisor has let go of its rights."""
    with launcher.temporary():
        program = Inside()
        program.call(os.getpid)
        first = rights(daemon_of(program))[0]
        kill_daemon(program)
        assert rights(daemon_of(program))[0] == first == (*rights(os.getpid())[0][:6], 0)
        program.close(0, SAID)


def test_in_a_user_namespace():
    """The same, of what root of the namespace has; nothing outside of it."""
    with Inside(wrapper=as_user()) as program:
        program.call(os.getpid)
        supervisor = supervisor_of(program.pid)
        assert os.stat(f"/proc/{supervisor}").st_uid in (0, UID)
        for thread in rights_of_supervisor(program):
            assert thread == (0, documented("supervisor"), documented("supervisor"), 0, 0, 1, 2)
        assert rights(program.pid)[0][1] == documented("launcher")


def test_files_of_the_supervisor():
    """No file of who started it but standard error, nor the working directory."""
    ours, theirs = os.pipe()
    with Inside(pass_fds=(ours, theirs), cwd="/var/tmp") as program:
        program.call(os.getpid)
        supervisor = supervisor_of(program.pid)
        family = [supervisor, *children(supervisor), daemon_of(program)]
        assert len(set(family)) == 4  # the starter and the helper are its children
        pipe = os.readlink(f"/proc/self/fd/{ours}")
        for pid in family:
            files = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
            assert pipe not in files and os.readlink(f"/proc/{pid}/cwd") == "/", files
    os.close(ours)
    os.close(theirs)


def test_root_is_not_needed_to_end(tmp_path):
    """A command that became another user's is sent signals, and reports to who waits."""
    script = "setpriv --reuid 65534 --clear-groups sh -c 'trap \"exit 9\" TERM; echo ready; while :; do " \
             "sleep 0.05; done'"
    with launcher.temporary() as directory, subprocess.Popen(
            launcher.command_line("sh", "-c", f"exec {script}", wrapper=()), text=True,
            stdout=subprocess.PIPE,
            env=launcher.environment(directory), cwd=tmp_path) as process:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.wait(mounting.PATIENCE) == 9
