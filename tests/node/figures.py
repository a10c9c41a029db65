# SPDX-License-Identifier: MIT
"""A pod that burns half a processor for half a minute and holds memory, in the kubelet's three accounts of
it, beside what accounting says, and what it says of itself."""

import bisect
import json
import re
import threading
import time
from datetime import datetime

BURN = 15  # seconds: half a processor's half a minute, longer where the machine is busy
HELD = 40_000_000  # bytes
BOUND = 0.05
ASKED = 100  # thousandths of a processor
# What may lie between cAdvisor's reading of a cgroup's processor time and its look at the clock, after it has
# read the cgroup's other files; seconds, on a busy machine.
LATE = 10
BEGIN = "/tmp/begin"  # made when accounting is watched, however long what was before has taken
# In hundredths of a second: as many of its own as half of those that have passed.
COMMAND = f"""x=$(head -c {HELD} /dev/zero | tr '\\0' a)
clock() {{ read -r now rest </proc/uptime; now=${{now%.*}}${{now#*.}}; }}
spend() {{
	read -r stat </proc/1/stat
	set -- ${{stat##*) }}
	spent=$((${{12}} + ${{13}} + ${{14}} + ${{15}}))
}}
while [ ! -e {BEGIN} ]; do usleep 100000; done
spend; before=$spent
clock; first=$now
while spend; [ $((spent - before)) -lt {BURN}00 ]; do
	clock
	[ $(((spent - before) * 2)) -lt $((now - first)) ] || usleep 20000
done
echo "spent $spent"
sleep 100000 & wait"""
SUMMARY, RESOURCE, CADVISOR = "/stats/summary", "/metrics/resource", "/metrics/cadvisor"


def pod(make):
    return make("burner", COMMAND, resources={"requests": {"cpu": f"{ASKED}m"}})


def pod_cgroup(found):
    qos = found["status"]["qosClass"].lower()
    return "kubepods/" + ("" if qos == "guaranteed" else f"{qos}/") + "pod" + found["metadata"]["uid"]


def container_cgroup(found):
    """Of its only container."""
    name = found["status"]["containerStatuses"][0]["containerID"].partition("://")[2]
    return f"{pod_cgroup(found)}/{name}"


class Account(threading.Thread):
    """What accounting says of a cgroup's processor time, all the time."""

    def __init__(self, cluster, cgroup):
        super().__init__(daemon=True)
        self.cluster, self.cgroup, self.ended = cluster, cgroup, threading.Event()
        self.times, self.seconds = [time.time()], [self.now()]
        self.start()

    def now(self):
        if self.cluster.version == "v1":
            return int(self.cluster.read(f"cpuacct/{self.cgroup}/cpuacct.usage")) / 1e9
        return int(re.search(r"usage_usec (\d+)", self.cluster.read(f"{self.cgroup}/cpu.stat"))[1]) / 1e6

    def run(self):
        while not self.ended.wait(0.1):
            value = self.now()
            self.times.append(time.time())
            self.seconds.append(value)

    def at(self, when):
        """Between what was read before and after."""
        place = min(max(bisect.bisect(self.times, when), 1), len(self.times) - 1)
        (t, s), (u, v) = zip(self.times[place - 1:place + 1], self.seconds[place - 1:place + 1])
        return s + (v - s) * min(max((when - t) / (u - t), 0), 1)

    def rates(self, least=8, most=20):
        """The lowest and the highest of all times of so many seconds."""
        found = [(self.at(t + length) - self.at(t)) / length for length in range(least, most + 1, 4)
                 for t in self.times[::5] if t + length < self.times[-1]]
        return min(found), max(found)


def memory(cluster, cgroup):
    """Working set and anonymous memory, as cAdvisor has them of the cgroup's files."""
    directory = cgroup if cluster.version == "v2" else f"memory/{cgroup}"
    usage, rss, inactive = (("memory.current", "anon", "inactive_file") if cluster.version == "v2" else
                            ("memory.usage_in_bytes", "total_rss", "total_inactive_file"))
    stat = dict(line.split() for line in cluster.read(f"{directory}/memory.stat").splitlines())
    return int(cluster.read(f"{directory}/{usage}")) - int(stat[inactive]), int(stat[rss])


def metric(text, name):
    """Value and time of the burner's container, or None. (A static pod's name ends with its node's.)"""
    for line in text.splitlines():
        if line.startswith(name + "{") and 'container="main"' in line and 'pod="burner' in line:
            value, when = line.rpartition("}")[2].split()
            return float(value), int(when) / 1000
    return None


def ask_summary(cluster):
    for found in json.loads(cluster.raw("stats/summary"))["pods"]:
        if found["podRef"]["name"].startswith("burner") and found.get("containers"):
            of = found["containers"][0]
            when = datetime.fromisoformat(of["cpu"]["time"].replace("Z", "+00:00")).timestamp()
            return {"cpu": (of["cpu"].get("usageCoreNanoSeconds", 0) / 1e9, when),
                    "rate": of["cpu"].get("usageNanoCores", 0) / 1e9,
                    "working set": of["memory"].get("workingSetBytes", 0),
                    "rss": of["memory"].get("rssBytes", 0)}
    return None


def ask_metrics(cluster, path, working_set, rss=None):
    text = cluster.raw(path.lstrip("/"))
    cpu = metric(text, "container_cpu_usage_seconds_total")
    if not cpu:
        return None
    found = {"cpu": cpu, "working set": (metric(text, working_set) or (0,))[0]}
    if rss:
        found["rss"] = (metric(text, rss) or (0,))[0]
    return found


ASK = {SUMMARY: ask_summary,
       RESOURCE: lambda cluster: ask_metrics(cluster, RESOURCE, "container_memory_working_set_bytes"),
       CADVISOR: lambda cluster: ask_metrics(cluster, CADVISOR, "container_memory_working_set_bytes",
                                             "container_memory_rss")}


def watch(cluster):
    """(account, answers by path, what the pod says that it spent), when all accounts know of its end."""
    found = cluster.get("pod", "burner")
    account = Account(cluster, container_cgroup(found))
    answers = {path: [] for path in ASK}
    end = None

    def all_know():
        nonlocal end
        for path, ask in ASK.items():
            answer = ask(cluster)
            if answer:
                answers[path].append(answer)
        said = re.search(r"spent (\d+)", cluster.kubectl("logs", "burner"))
        end = end or (said and time.time())
        return said and all(given and given[-1]["cpu"][1] > end + 1 for given in answers.values()) and said

    try:
        cluster.kubectl("exec", "burner", "--", "touch", BEGIN)
        said = cluster.until(all_know, "the burner's figures")
    finally:
        account.ended.set()
        account.join()
    return account, answers, int(said[1]) / 100


def near(value, truth):
    return abs(value - truth) <= BOUND * truth


def row(path, account, given, working_set, rss):
    """Of the table; and faults, as sentences."""
    last, faults = given[-1], []
    total = account.seconds[-1]
    if not near(last["cpu"][0], total):
        faults.append(f"{path}: {last['cpu'][0]} s of a CPU, accounting {total}")
    for value, when in (each["cpu"] for each in given if each["cpu"][1] > account.times[0] + LATE):
        # The summary tells whole seconds.
        low, high = account.at(when - LATE), account.at(when + (1 if path == SUMMARY else 0))
        if not low * (1 - BOUND) <= value <= high * (1 + BOUND):
            faults.append(f"{path}: {value} s of a CPU meanwhile, accounting {low} to {high}")
    lowest, highest = account.rates()
    rates = [each["rate"] for each in given if "rate" in each]
    if rates and not lowest * (1 - BOUND) <= max(rates) <= highest * (1 + BOUND):
        faults.append(f"{path}: {max(rates)} of a CPU, accounting {lowest} to {highest}")
    for what, truth in (("working set", working_set), ("rss", rss)):
        if what in last and not near(last[what], truth):
            faults.append(f"{path}: {what} {last[what]}, accounting {truth}")
    cells = [path, f"{last['cpu'][0]:.2f}", f"{100 * (last['cpu'][0] / total - 1):+.2f} %",
             f"{max(rates):.3f}" if rates else "",
             f"{last['working set'] / 1e6:.2f}", f"{last['rss'] / 1e6:.2f}" if "rss" in last else ""]
    return "| " + " | ".join(cells) + " |", faults


def check_figures(cluster):
    """A table as text."""
    account, answers, said = watch(cluster)
    working_set, rss = memory(cluster, account.cgroup)
    total = account.seconds[-1]
    lines = ["| burner | s of a CPU | off | CPUs at most | working set, MB | rss, MB |",
             "|---|---|---|---|---|---|",
             f"| itself | {said:.2f} | {100 * (said / total - 1):+.2f} % | | | |",
             f"| accounting | {total:.2f} | | {account.rates()[1]:.3f} | {working_set / 1e6:.2f} "
             f"| {rss / 1e6:.2f} |"]
    faults = [] if near(said, total) else [f"the pod says {said} s, accounting {total} s"]
    if rss < HELD:
        faults.append(f"accounting says {rss} bytes of {HELD} that are held")
    for path, given in answers.items():
        line, more = row(path, account, given, working_set, rss)
        lines.append(line)
        faults += more
    text = "\n".join(lines)
    assert not faults, "\n".join([*faults, text])
    return text
