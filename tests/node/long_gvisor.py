# SPDX-License-Identifier: MIT
"""A node in a sandbox: the kubelet's script, a dozen pods at once, their figures, and half an hour of them.
tests/gvisor/inside_node.sh runs it there."""

import json
import os
import pathlib
import shutil
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

import figures
from node import own_directory
import test_kubelet
import trees
import workloads

SECONDS = int(os.environ.get("NODE_SECONDS", "1800"))  # that all go on
COUNT = 10
REST_SECONDS = min(SECONDS, 120)
REST_MOST = 5  # told, not asserted: gVisor counts the time in which a task waits for the machine's processor
TICKS = os.sysconf("SC_CLK_TCK")
TRUSTING = ssl._create_unverified_context()  # pylint: disable=protected-access


class Node(test_kubelet.Kubelet):
    """The script, in the sandbox as it is."""

    def __init__(self, directory, *words):
        self.began = time.monotonic()
        super().__init__(directory, ":", Cluster.version, *words)
        self.cluster = Cluster(self)

    def seconds(self):
        """Since the script began."""
        return time.monotonic() - self.began

    def put(self, name, command, host=False, **more):
        made = workloads.pod(name, command, **more)
        made["metadata"]["namespace"] = "default"
        made["spec"]["hostNetwork"] = host
        (self.pods / f"{name}.json").write_text(json.dumps(made))

    def all(self):
        """What the kubelet says of its pods, by their names without the node's; {} if it does not answer."""
        pods = json.loads(self.get("pods") or "{}").get("items") or []
        return {pod["metadata"]["name"].partition("-")[0]: pod for pod in pods}

    def running(self):
        """The names of those that run, none of which was ever started again."""
        found = set()
        for name, pod in self.all().items():
            statuses = pod["status"].get("containerStatuses", [])
            assert not [each for each in statuses if each["restartCount"]], (name, statuses)
            if [each for each in statuses if "running" in each.get("state", {})]:
                found.add(name)
        return found

    def interrupted(self):
        """Lines of logs that tell of calls that were interrupted."""
        return [line for log in self.logs.iterdir() if log.is_file()
                for line in log.read_text(errors="replace").splitlines()
                if "interrupted system call" in line]

    def spent(self, words):
        """Seconds of a processor, and resident bytes, of all whose command lines have the words."""
        stats = [pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                 for pid in self.find_all(words)]
        return (sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICKS,
                sum(int(stat[21]) for stat in stats) * os.sysconf("SC_PAGE_SIZE"))


class Cluster:
    """The node's kubelet, asked what others ask of a server: as workloads.Cluster."""

    version = "v1"

    def __init__(self, node):
        self.node = node
        self.read = node.read

    def ask(self, path, method="GET"):
        """The port that does more than tell."""
        request = urllib.request.Request(f"https://127.0.0.1:{self.node.port - 1}/{path}", method=method)
        with urllib.request.urlopen(request, timeout=workloads.SECONDS, context=TRUSTING) as answer:
            return answer.read().decode()

    def raw(self, path):
        """Again where cAdvisor has not looked at a new cgroup yet: then nobody is told anything."""
        def answer():
            try:
                return self.ask(path)
            except urllib.error.HTTPError as error:
                assert error.code == 500, (path, error)
                return None

        return self.until(answer, path)

    def get(self, kind, name):
        """A static pod's unique name is in its annotations."""
        assert kind == "pod"
        pod = self.node.all()[name]
        pod["metadata"]["uid"] = pod["metadata"]["annotations"]["kubernetes.io/config.hash"]
        return pod

    def container(self, name):
        return f"default/{self.get('pod', name)['metadata']['name']}/main"

    def kubectl(self, verb, name, *words):
        if verb == "exec":
            return self.run_in(name, *words[words.index("--") + 1:])
        assert verb == "logs"
        return self.ask(f"containerLogs/{self.container(name)}")

    def run_in(self, name, *command):
        return self.ask(f"run/{self.container(name)}?{urllib.parse.urlencode({'cmd': ' '.join(command)})}",
                        "POST")

    def until(self, condition, what):
        return trees.until(condition, what, workloads.SECONDS)


OURS = ("fuse_cgroupfs -f", "fuse_cgroup_run --", "/kubelet --config", "containerd --config")


@pytest.fixture(scope="module")
def node():
    directory = own_directory("node")
    running = None
    try:
        running = Node(directory)
        yield running
    finally:
        if running:
            for log in running.logs.glob("*"):
                if log.is_file():
                    lines = log.read_text(errors="replace").splitlines()[-10:]
                    print(f"--- the end of {log.name}", *(line[:300] for line in lines), sep="\n")
            print(running.text())
            running.kill()
        shutil.rmtree(directory)


def names():
    return [f"pod{i}" for i in range(COUNT)]


def test_first_pod(node):
    print(f"\nthe kubelet answers after {node.seconds():.0f} s")
    node.put("first", "echo begun; " + workloads.SLEEP, host=True)
    node.cluster.until(lambda: "first" in node.running(), "a pod runs")
    print(f"a pod runs {node.seconds():.0f} s after the script began")


def rest(node, expected, seconds, launched=True):
    """What is taken while so many pods rest: by the daemon, and by the kubelet, which asks it."""
    asks = ("fuse_cgroupfs -f", "/kubelet --config", *(["fuse_cgroup_run --"] if launched else []))
    before, began = {words: node.spent(words)[0] for words in asks}, time.monotonic()
    while time.monotonic() < began + seconds:
        assert node.process.poll() is None
        assert node.running() in (expected, set()), node.all()  # or it was not fast enough to answer
        time.sleep(5)
    passed = time.monotonic() - began
    shares = [f"{words.strip('-/ ').partition(' ')[0]} {100 * (node.spent(words)[0] - then) / passed:.1f} %"
              for words, then in before.items()]
    print(f"\n{len(expected)} pods at rest for {passed:.0f} s, of a processor (daemon's aim: {REST_MOST} %): "
          + ", ".join(shares))


def put_at_once(node, count):
    for number, name in enumerate(names()[:count]):
        node.put(name, f"echo begun {name}; {workloads.SLEEP}", host=bool(number % 2))


def test_rest(node):
    put_at_once(node, 2)
    expected = {"first", *names()[:2]}
    node.cluster.until(lambda: node.running() == expected, "three pods run")
    rest(node, expected, REST_SECONDS)


def test_pods_at_once(node):
    """Half of them on the host's network. Each says its own, and what is run in it is in its cgroups."""
    began = time.monotonic()
    put_at_once(node, COUNT)
    node.cluster.until(lambda: node.running() >= set(names()), "all run at once")
    print(f"\n{COUNT} pods more run at once, after {time.monotonic() - began:.0f} s")
    for name in names():
        node.cluster.until(lambda name=name: node.cluster.kubectl("logs", name) == f"begun {name}\n", name)
        place = figures.container_cgroup(node.cluster.get("pod", name))
        assert node.read(f"memory/{place}/cgroup.procs")
        lines = node.cluster.run_in(name, "cat", "/proc/self/cgroup").splitlines()
        assert [line.rpartition(":")[2] for line in lines] == [f"/{place}"] * len(trees.HIERARCHIES)
    addresses = [pod["status"].get("podIP") for pod in node.all().values()]
    assert len(set(filter(None, addresses))) >= COUNT // 2, addresses


def test_figures(node):
    node.put("burner", figures.COMMAND, resources={"requests": {"cpu": f"{figures.ASKED}m"}})
    node.cluster.until(lambda: "burner" in node.running(), "the burner runs")
    print(f"\n{figures.check_figures(node.cluster)}")


def test_all_go_on(node):
    """Nothing is started again, and no program is told of a call that was interrupted."""
    expected = {"first", "burner", *names()}
    assert node.running() == expected
    before, began = {words: node.spent(words) for words in OURS}, time.monotonic()
    while time.monotonic() < began + SECONDS:
        assert node.process.poll() is None
        assert node.running() in (expected, set()), node.all()  # or it was not fast enough to answer
        time.sleep(5)
    node.cluster.until(lambda: node.running() == expected, "all run")
    seconds = time.monotonic() - began
    print(f"\n{len(expected)} pods for {seconds:.0f} s: 0 restarts, {len(node.interrupted())} "
          "interrupted calls")
    for words in OURS:
        spent, resident = node.spent(words)
        share = 100 * (spent - before[words][0]) / seconds
        print(f"{words.strip('-/ ').partition(' ')[0]}: {share:.1f} % of a processor, "
              f"{before[words][1] / 1e6:.1f} then {resident / 1e6:.1f} MB")
    assert not node.interrupted()


def test_deletion(node):
    began = time.monotonic()
    for file in node.pods.iterdir():
        file.unlink()
    node.cluster.until(lambda: node.get("pods") and not node.all(), "all pods are deleted")
    node.cluster.until(node.has_no_pods, "their cgroups are gone")
    print(f"\nall are gone after {time.monotonic() - began:.0f} s")


def test_end(node):
    assert not node.errors(), "\n".join(node.errors())
    began = time.monotonic()
    assert node.interrupt() == 130, node.text()
    print(f"\nCtrl-C: ended after {time.monotonic() - began:.0f} s, and nothing is left")
