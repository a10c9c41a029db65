#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a cluster is asked to do whose only node lives in our tree, and how it is seen that it does it.

    workloads.py TREE KUBECTL...

TREE is /sys/fs/cgroup as the kubelet sees it: /proc/PID/root/sys/fs/cgroup; KUBECTL what runs kubectl for
this cluster, as `k3s kubectl`. Needs localhost/busybox:static on the node. Prints what was measured.
"""

import json
import math
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
import figures  # noqa: E402
import trees  # noqa: E402

SECONDS = 300  # what a busy machine may take
MIB = 1 << 20
DEPLOYED = 5
WEB = "mkdir /www; echo here >/www/index.html; exec httpd -f -p 8080 -h /www"
SLEEP = "sleep 100000 & wait"
# Says when it is asked to end, takes its time for it, and ends by itself.
POLITE = "trap 'echo asked; sleep 2; echo ended; exit 0' TERM; echo begun; while :; do sleep 1; done"
# Hears nothing.
STUBBORN = "trap '' TERM; while :; do sleep 1; done"
LIMITED = {"requests": {"cpu": "250m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "64Mi"}}
GUARANTEED = {name: {"cpu": "200m", "memory": "48Mi"} for name in ("requests", "limits")}


def template(name, command, grace=1, restart="Always", **container):
    """Metadata and specification of a pod with one container, `main`."""
    return {"metadata": {"labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": grace, "restartPolicy": restart, "containers": [
                {"name": "main", "image": "localhost/busybox:static", "imagePullPolicy": "Never",
                 "command": ["sh", "-c", command], **container}]}}


def pod(name, command, **more):
    made = template(name, command, **more)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **made["metadata"]},
            "spec": made["spec"]}


def controller(kind, name, made, **spec):
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": made, **spec}}


def probe(**how):
    return {"periodSeconds": 1, "timeoutSeconds": 60, **how}


OBJECTS = [
    controller("Deployment", "web", template(
        "web", WEB, readinessProbe=probe(httpGet={"path": "/", "port": 8080}),
        livenessProbe=probe(exec={"command": ["test", "-e", "/www"]}, failureThreshold=10)),
        replicas=DEPLOYED),
    controller("DaemonSet", "each", template("each", "echo each node; " + SLEEP)),
    {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "sum"},
     "spec": {"completions": 2, "template": template("sum", "echo $((6 * 7))", restart="Never")}},
    pod("crashes", "echo about to end; exit 3"),
    pod("late", SLEEP, readinessProbe=probe(exec={"command": ["test", "-e", "/tmp/ready"]})),
    pod("sick", "touch /tmp/alive; " + SLEEP, livenessProbe=probe(
        exec={"command": ["test", "-e", "/tmp/alive"]}, failureThreshold=3, initialDelaySeconds=2)),
    pod("limited", SLEEP, resources=LIMITED),
    pod("guaranteed", SLEEP, resources=GUARANTEED),
    pod("polite", POLITE, grace=60),
    pod("stubborn", STUBBORN, grace=3),
    figures.pod(pod),
]
RUNNING = ("late", "sick", "limited", "guaranteed", "polite", "stubborn", "burner")


class Cluster:
    """What answers kubectl, and the tree of its node."""

    def __init__(self, tree, *kubectl, environment=None):
        self.tree, self.words = pathlib.Path(tree), [str(word) for word in kubectl]
        self.environment = {**os.environ, **(environment or {})}
        self.version = "v2" if (self.tree / "cgroup.controllers").exists() else "v1"
        self.hierarchies = [""] if self.version == "v2" else trees.HIERARCHIES

    def run(self, *words, text=""):
        """kubectl's result."""
        return subprocess.run([*self.words, *words], input=text, capture_output=True, text=True, check=False,
                              timeout=SECONDS, env=self.environment)

    def kubectl(self, *words, text=""):
        """What it prints; it must succeed."""
        result = self.run(*words, text=text)
        assert not result.returncode, f"{' '.join(words)}: {result.stdout}{result.stderr}"
        return result.stdout

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def node(self):
        return self.get("nodes")["items"][0]

    def pods(self, label):
        return self.get("pods", "-l", f"app={label}")["items"]

    def status(self, name):
        """Of the pod's container, or {} as long as there is none."""
        return next(iter(self.get("pod", name)["status"].get("containerStatuses", [])), {})

    def raw(self, path):
        """From the kubelet, through the API server."""
        name = self.node()["metadata"]["name"]
        return self.kubectl("get", "--raw", f"/api/v1/nodes/{name}/proxy/{path}")

    def read(self, file):
        return (self.tree / file).read_text().strip()

    def until(self, condition, what):
        return trees.until(condition, what, SECONDS)


def ready(pod_or_node):
    return any(each["type"] == "Ready" and each["status"] == "True"
               for each in pod_or_node["status"].get("conditions", []))


def apply(cluster):
    """The objects, where their pods can be made."""
    cluster.until(lambda: cluster.run("get", "serviceaccount", "default").returncode == 0,
                  "pods have an account")
    cluster.kubectl("apply", "-f", "-", text=json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": OBJECTS}))


def check_node(cluster):
    cluster.until(lambda: cluster.get("nodes")["items"], "there is a node")
    node = cluster.until(lambda: ready(found := cluster.node()) and found, "the node is Ready")
    capacity = node["status"]["capacity"]
    assert int(capacity["cpu"]) == os.cpu_count()
    total = re.search(r"MemTotal: +(\d+) kB", pathlib.Path("/proc/meminfo").read_text())[1]
    assert capacity["memory"] == f"{total}Ki"


def check_controllers(cluster):
    """All that shall run does, and what shall end has."""
    def status(kind, name):
        return cluster.get(kind, name)["status"]

    cluster.until(lambda: status("deployment", "web").get("availableReplicas") == DEPLOYED, "the Deployment")
    assert len({each["status"]["podIP"] for each in cluster.pods("web")}) == DEPLOYED
    cluster.until(lambda: status("daemonset", "each").get("numberReady") == 1, "the DaemonSet")
    cluster.until(lambda: status("job", "sum").get("succeeded") == 2, "the Job")
    for name in RUNNING:
        cluster.until(lambda name=name: "running" in cluster.status(name).get("state", {}), name)


def check_crash(cluster):
    def waiting():
        status = cluster.status("crashes")
        reason = status["state"].get("waiting", {}).get("reason")
        return status["restartCount"] > 0 and reason == "CrashLoopBackOff" and status

    status = cluster.until(waiting, "a pod that crashes is let wait")
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert cluster.kubectl("logs", "crashes") == "about to end\n"


def check_probes(cluster):
    """One that is not ready before it says so, and one that is made anew when it is sick."""
    assert not ready(cluster.get("pod", "late"))
    cluster.kubectl("exec", "late", "--", "touch", "/tmp/ready")
    cluster.until(lambda: ready(cluster.get("pod", "late")), "the pod is ready")
    before = cluster.status("sick")["restartCount"]
    cluster.kubectl("exec", "sick", "--", "rm", "/tmp/alive")
    cluster.until(lambda: cluster.status("sick")["restartCount"] > before, "the sick pod is made anew")
    assert cluster.status("sick")["lastState"]["terminated"]["exitCode"] == 137


def check_logs(cluster):
    assert cluster.kubectl("logs", "daemonset/each") == "each node\n"
    assert [cluster.kubectl("logs", each["metadata"]["name"]) for each in cluster.pods("sum")] == ["42\n"] * 2


def check_exec(cluster):
    """Output, input, status; and what runs so is in the container's cgroup."""
    assert cluster.kubectl("exec", "deploy/web", "--", "cat", "/www/index.html") == "here\n"
    assert cluster.kubectl("exec", "-i", "limited", "--", "tr", "a-z", "A-Z", text="loud") == "LOUD"
    assert cluster.run("exec", "limited", "--", "sh", "-c", "exit 7").returncode == 7
    lines = cluster.kubectl("exec", "limited", "--", "cat", "/proc/self/cgroup").splitlines()
    place = "/" if cluster.version == "v2" else "/" + figures.container_cgroup(cluster.get("pod", "limited"))
    assert {line.rpartition(":")[2] for line in lines} == {place}
    limit = "memory.max" if cluster.version == "v2" else "memory/memory.limit_in_bytes"
    assert cluster.kubectl("exec", "limited", "--", "cat", f"/sys/fs/cgroup/{limit}") == f"{64 * MIB}\n"


def shares(milli_cpu):
    """MilliCPUToShares() of kubernetes' pkg/kubelet/cm/helpers_linux.go."""
    return max(2, milli_cpu * 1024 // 1000)


def weights(number):
    """The two that runtimes have made of shares: cgroup v2's KEP of Kubernetes', and since 2025 runc's."""
    power = math.log2(number)
    return {1 + (number - 2) * 9999 // 262142, math.ceil(10 ** ((power ** 2 + 125 * power) / 612 - 7 / 34))}


def limits_of(cluster, cgroup):
    """Shares or weights, quota and memory limit, and those of whom nothing is asked."""
    if cluster.version == "v2":
        quota, period = cluster.read(f"{cgroup}/cpu.max").split()
        memory = cluster.read(f"{cgroup}/memory.max")
        return (int(cluster.read(f"{cgroup}/cpu.weight")), None if quota == "max" else int(quota),
                int(period), None if memory == "max" else int(memory))
    quota = int(cluster.read(f"cpu/{cgroup}/cpu.cfs_quota_us"))
    memory = int(cluster.read(f"memory/{cgroup}/memory.limit_in_bytes"))
    return (int(cluster.read(f"cpu/{cgroup}/cpu.shares")), None if quota == -1 else quota,
            int(cluster.read(f"cpu/{cgroup}/cpu.cfs_period_us")),
            None if memory > 1 << 60 else memory)


def check_limits(cluster, cgroup, asked, quota=None, memory=None):
    """Of a cgroup that asks for so many thousandths of a processor."""
    found, *rest = limits_of(cluster, cgroup)
    allowed = {shares(asked)} if cluster.version == "v1" else weights(shares(asked))
    assert found in allowed, (cgroup, found, allowed)
    assert rest == [quota, 100000, memory], (cgroup, rest)


def check_cgroups(cluster):
    """Classes, pods and containers: where they are, what they may, and who is in them."""
    pods = [*(cluster.get("pod", name) for name in RUNNING), *cluster.pods("web"), *cluster.pods("each")]
    for each in pods:
        for hierarchy in cluster.hierarchies:
            path = cluster.tree / hierarchy / figures.container_cgroup(each) / "cgroup.procs"
            assert path.read_text().split(), path
    check_limits(cluster, "kubepods/burstable", 250 + figures.ASKED)
    check_limits(cluster, "kubepods/besteffort", 0)
    for name, asked, quota, memory in (("limited", 250, 50000, 64 * MIB),
                                       ("guaranteed", 200, 20000, 48 * MIB)):
        found = cluster.get("pod", name)
        assert found["status"]["qosClass"] == ("Guaranteed" if name == "guaranteed" else "Burstable")
        check_limits(cluster, figures.pod_cgroup(found), asked, quota, memory)
        check_limits(cluster, figures.container_cgroup(found), asked, quota, memory)


def check_deletion(cluster):
    """One ends by itself as soon as it is asked, the other after its time; then all, and their cgroups."""
    with subprocess.Popen([*cluster.words, "logs", "-f", "polite"], stdout=subprocess.PIPE, text=True,
                          env=cluster.environment) as log:
        assert log.stdout.readline() == "begun\n"
        start = time.monotonic()
        cluster.kubectl("delete", "pod", "stubborn", "--timeout", f"{SECONDS}s")
        assert time.monotonic() - start >= 3
        cluster.kubectl("delete", "pod", "polite", "--timeout", f"{SECONDS}s")
        assert log.stdout.read() == "asked\nended\n"
    for each in OBJECTS:
        cluster.kubectl("delete", each["kind"], each["metadata"]["name"], "--wait=false",
                        "--ignore-not-found")
    cluster.until(lambda: not cluster.get("pods")["items"], "all pods are gone")
    system = {each["metadata"]["uid"] for each in cluster.get("pods", "-A")["items"]}
    cluster.until(lambda: not [uid for uid in pod_cgroups(cluster) if uid not in system],
                  "the cgroups of pods are gone")


def pod_cgroups(cluster):
    """The pods' unique names."""
    found = set()
    for hierarchy in cluster.hierarchies:
        for level in (".", "burstable", "besteffort"):
            try:
                names = os.listdir(cluster.tree / hierarchy / "kubepods" / level)
            except FileNotFoundError:
                continue
            found |= {name[3:] for name in names if re.match("pod.*-", name)}
    return found


CHECKS = (check_node, apply, check_controllers, check_cgroups, figures.check_figures, check_logs, check_exec,
          check_probes, check_crash, check_deletion)


def check(cluster):
    for each in CHECKS:
        start = time.monotonic()
        print(each(cluster) or f"{each.__name__}: {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    check(Cluster(*sys.argv[1:]))
