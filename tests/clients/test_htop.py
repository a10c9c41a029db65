# SPDX-License-Identifier: MIT
"""htop's cgroup column, on a screen of 200 columns that tmux keeps."""

import shlex

import trees

SETTINGS = """htop_version=3.2.2
config_reader_min_version=3
hide_kernel_threads=1
hide_userland_threads=1
show_program_path=0
header_layout=one_100
column_meters_0=
column_meter_modes_0=
screen:Main=PID CGROUP Command
.sort_key=PID
.sort_direction=-1
"""


def test_column(tree):
    """htop 3.2 shows the path on the last line of /proc/PID/cgroup."""
    name = f"{tree.unique}/a"
    sleeper = tree.start("sleep", "1000", log="/dev/null")
    hierarchies = set(trees.HIERARCHIES) - {"cpuset"}
    tree.make_cgroup(name, hierarchies)
    tree.enter(sleeper, name, hierarchies)
    expected = tree.out("cat", f"/proc/{sleeper}/cgroup").splitlines()[-1].split(":")[2]
    assert expected == f"/{name}" or tree.name == "kernel"  # where v2 is on the last line
    settings = tree.directory / "htoprc"
    settings.write_text(SETTINGS)
    tmux = ("tmux", "-f", "/dev/null", "-S", tree.directory / "tmux")
    tree.run("env", f"HTOPRC={settings}", "LANG=C.UTF-8", *tmux, "new-session", "-d", "-x", "250",
             "-y", "50", shlex.join(["htop", "-p", str(sleeper)]))

    def row():
        screen = tree.run(*tmux, "capture-pane", "-p", status=None).out.splitlines()
        found = [line.split() for line in screen if line.split()[:1] == [str(sleeper)]]
        return found and found[0]

    wanted = [str(sleeper), expected, "sleep", "1000"]
    try:
        trees.until(lambda: row() == wanted, f"htop shows {wanted}")  # it draws a row in pieces
    finally:
        tree.run(*tmux, "kill-server")
        tree.stop(sleeper)
    tree.remove_cgroup(name)
