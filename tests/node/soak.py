#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A node on which pods come and go for a long time, on cgroup v1 and on v2 side by side.

    soak.py MINUTES [PLOT.svg [VERSION...]]

VERSION is v1 or v2, for a node of that alone. Each node is run by run-kubelet-with-fuse-cgroups.sh in a
network namespace of its own. Three pods stay: a busy one, one with limits and one with its own network.
Others come one after the other, are Running, and go. Each time the kubelet's health is asked, and what the
daemon and the launcher have is looked at. Prints a table with a row for each tenth of the time, and draws a
plot of all. Fails if the kubelet was not healthy once, if a container was restarted, if the daemon or the
launcher was another, if an error about cgroups was logged, if anything has grown, or if something is left in
the end.
"""

import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
import plot  # noqa: E402
import test_kubelet  # noqa: E402
import trees  # noqa: E402

CLONE_NEWNET = 0x40000000
ROWS = 10
TICKS = os.sysconf("SC_CLK_TCK")
PROGRAMS = {"daemon": "fuse_cgroupfs -f", "launcher": "/fuse_cgroup_run "}
# From the first two tenths to the last: times, and something that comes and goes (the launcher looks for
# cgroup namespaces that are gone when it has 32 more than twice those that were there).
MAY_GROW = {"memory": (1.25, 512), "descriptors": (1, 48), "threads": (1, 3), "cgroups": (1, 0)}
POD = """
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: default}
spec:
  hostNetwork: HOST
  terminationGracePeriodSeconds: 1
  containers:
  - name: busy
    image: localhost/busybox:static
    imagePullPolicy: Never
    command: ["sh", "-c", "COMMAND"]
    resources: {requests: {cpu: 50m, memory: 8Mi}, limits: {cpu: LIMIT, memory: 32Mi}}
"""
BUSY = "while :; do head -c 1000000 /dev/zero >/dev/null; sleep 0.2; done"
SLEEP = "sleep 100000"
# What comes forks, and is ended while it does so.
VISIT = "while :; do /bin/true; usleep 20000; done"


class Node(test_kubelet.Kubelet):
    """A node that counts."""

    def put(self, name, command, host="true", limit="100m"):
        text = POD
        for word, value in (("NAME", name), ("HOST", host), ("LIMIT", limit), ("COMMAND", command)):
            text = text.replace(word, value)
        (self.pods / f"{name}.yaml").write_text(text)

    def listed(self):
        pods = json.loads(self.get("pods") or "{}").get("items") or []
        return {pod["metadata"]["name"].split("-")[0]: pod for pod in pods}

    def runs(self, *names):
        pods = self.listed()
        return all(name in pods and pods[name]["status"]["phase"] == "Running" for name in names)

    def restarts(self):
        return sum(status["restartCount"] for pod in self.listed().values()
                   for status in pod["status"].get("containerStatuses", []))

    def pod_cgroups(self):
        """Of the pods, in all hierarchies."""
        return sum(len(directories) for path, directories, _ in os.walk(self.root) if "/kubepods" in path)

    def use(self, program):
        """Its pids, processor time in seconds, kB, descriptors and threads."""
        pids = sorted(self.find_all(PROGRAMS[program]))
        stats = [pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
        return {"pids": pids, "seconds": sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICKS,
                "memory": sum(int(stat[21]) for stat in stats) * os.sysconf("SC_PAGE_SIZE") // 1024,
                "descriptors": sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids),
                "threads": sum(int(stat[17]) for stat in stats)}


class Visits:
    """What was seen of pods that came and went."""

    def __init__(self, node):
        self.node, self.all, self.faults = node, [], []
        self.first = {program: node.use(program) for program in PROGRAMS}

    def wait(self, condition, what):
        start = time.monotonic()
        trees.until(condition, what)
        return time.monotonic() - start

    def visit(self):
        node = self.node
        node.put("visitor", VISIT, host="false" if len(self.all) % 2 else "true")
        came = self.wait(lambda: node.runs("visitor"), "the visitor runs")
        (node.pods / "visitor.yaml").unlink()
        steady = self.first["cgroups"]
        gone = self.wait(lambda: "visitor" not in node.listed() and node.pod_cgroups() <= steady,
                         "the visitor is gone")
        self.look(came, gone)

    def look(self, came, gone):
        node = self.node
        seen = {program: node.use(program) for program in PROGRAMS}
        seen.update(came=came, gone=gone, cgroups=node.pod_cgroups(), restarts=node.restarts(),
                    time=time.monotonic(),
                    healthy=node.get("healthz") == "ok" and node.runs("busy", "limited", "own"))
        for program in PROGRAMS:
            if seen[program]["pids"] != self.first[program]["pids"]:
                self.faults.append(f"the {program} is another: {seen[program]['pids']}")
        self.all.append(seen)

    def row(self, part, before):
        """One of the table, of the visits of a tenth of the time."""
        last, spent = part[-1], part[-1]["time"] - before["time"]
        cells = [f"{(last['time'] - self.first['time']) / 60:.0f}", len(part),
                 f"{max(s['came'] for s in part):.1f}", f"{max(s['gone'] for s in part):.1f}",
                 sum(not s["healthy"] for s in part), last["restarts"], last["cgroups"]]
        for program in PROGRAMS:
            cells += [f"{100 * (last[program]['seconds'] - before[program]['seconds']) / spent:.1f}",
                      *(last[program][what] for what in ("memory", "descriptors", "threads"))]
        return "| " + " | ".join(map(str, cells)) + " |"

    def judge(self):
        """Faults as sentences."""
        tenth = max(1, len(self.all) // ROWS)
        early, late = self.all[:2 * tenth], self.all[-tenth:]
        for what, (times, more) in MAY_GROW.items():
            for program in PROGRAMS:
                def most(part):
                    return max(s[what] if what == "cgroups" else s[program][what] for s in part)

                if most(late) > most(early) * times + more:
                    self.faults.append(f"the {program}: {what} grew from {most(early)} to {most(late)}")
        if not all(s["healthy"] for s in self.all):
            self.faults.append("the node was not healthy all the time")
        if self.all[-1]["restarts"]:
            self.faults.append(f"{self.all[-1]['restarts']} restarts of containers")
        return self.faults + self.node.errors()


    def figures(self):
        """What a plot shows, as {title: [(minute, value)]}."""
        def line(value):
            return [((seen["time"] - self.first["time"]) / 60, value(before, seen))
                    for before, seen in zip([self.first, *self.all], self.all)]

        lines = {
            "node: 1 is healthy": line(lambda _, seen: int(seen["healthy"])),
            "restarts of containers": line(lambda _, seen: seen["restarts"]),
            "a pod is Running after, s": line(lambda _, seen: seen["came"]),
            "and gone after, s": line(lambda _, seen: seen["gone"]),
            "pods that came": [(minute, number) for number, (minute, _) in
                               enumerate(line(lambda *_: 0), 1)],
            "cgroups of pods": line(lambda _, seen: seen["cgroups"])}
        for program in PROGRAMS:
            lines[f"{program}: % of a CPU"] = line(
                lambda before, seen, program=program: 100 * (
                    seen[program]["seconds"] - before[program]["seconds"]) / (seen["time"] - before["time"]))
            for what, title in (("memory", "kB"), ("descriptors", "descriptors"), ("threads", "threads")):
                lines[f"{program}: {title}"] = line(
                    lambda _, seen, program=program, what=what: seen[program][what])
        return lines


HEAD = ("| minute | pods that came | Running after, s, at most | gone after | not healthy | restarts "
        "| cgroups of pods |" + "".join(f" {program}: % of a CPU | kB | descriptors | threads |"
                                        for program in PROGRAMS))


def play(node, seconds):
    for name, command, host in (("busy", BUSY, "true"), ("limited", SLEEP, "true"), ("own", SLEEP, "false")):
        node.put(name, command, host)
    trees.until(lambda: node.runs("busy", "limited", "own"), "the pods run")
    visits = Visits(node)
    visits.first.update(cgroups=node.pod_cgroups(), time=time.monotonic())
    lines, before, shown = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)], visits.first, 0
    while (spent := time.monotonic() - visits.first["time"]) < seconds:
        visits.visit()
        if spent >= seconds * (len(lines) - 1) / ROWS or spent >= seconds:
            lines.append(visits.row(visits.all[shown:], before))
            print(f"{node.cgroups}: {lines[-1]}", flush=True)
            before, shown = visits.all[-1], len(visits.all)
    if shown < len(visits.all):
        lines.append(visits.row(visits.all[shown:], before))
    return "\n".join(lines), visits.judge(), visits.figures()


def soak(version, seconds, kept):
    """Whether it went well; in a process of its own, that leaves its figures in the file `kept`."""
    trees.become_reaper()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    directory = pathlib.Path(f"/tmp/fcg-soak-{os.getpid()}")  # sockets want short names
    directory.mkdir()
    node = None
    try:
        node = Node(directory, trees.TAKE_AWAY, version)
        table, faults, figures = play(node, seconds)
        kept.write_text(json.dumps(figures))
        if node.interrupt() != 130:
            faults.append(f"the script ended otherwise: {node.text()}")
        print(f"\ncgroup {version}\n\n{table}\n", *(faults or ["no fault"]), sep="\n", flush=True)
        return not faults
    except BaseException:
        print(f"cgroup {version}: {node.text() if node else 'no node'}", flush=True)
        raise
    finally:
        if node:
            node.kill()
        shutil.rmtree(directory)


def draw(file, kept, minutes):
    runs = {f"cgroup {version}": json.loads(path.read_text()) for version, path in kept.items()}
    titles = next(iter(runs.values()))
    file.write_text(plot.draw(f"a node on which pods come and go, over {minutes:g} minutes", [
        (title, {run: figures[title] for run, figures in runs.items()}) for title in titles], max(
            figures[title][-1][0] for figures in runs.values() for title in titles)))


def main():
    minutes, versions, pids = float(sys.argv[1]), sys.argv[3:] or ["v1", "v2"], []
    with tempfile.TemporaryDirectory() as directory:
        kept = {version: pathlib.Path(directory) / version for version in versions}
        for version, path in kept.items():
            pids.append(os.fork())
            if not pids[-1]:
                went_well = False
                try:
                    went_well = soak(version, 60 * minutes, path)
                except BaseException:  # a forked process never goes on as its parent
                    traceback.print_exc()
                finally:
                    os._exit(not went_well)
        failed = any([os.waitpid(pid, 0)[1] for pid in pids])
        if len(sys.argv) > 2 and all(path.exists() for path in kept.values()):
            draw(pathlib.Path(sys.argv[2]), kept, minutes)
    sys.exit(failed)


if __name__ == "__main__":
    main()
