#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Takes the picture in README.md: two containers of runc in our tree, measured by cAdvisor, drawn
by Prometheus. Usage: picture.py CADVISOR PICTURE

The machine's own cgroups are taken away first, so every figure comes from fuse_cgroupfs. runc and
cAdvisor run under fuse_cgroup_run; Prometheus and Chromium only look on, over loopback."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/clients"))
import oci  # noqa: E402 pylint: disable=wrong-import-position
import trees  # noqa: E402 pylint: disable=wrong-import-position

SECONDS = 90  # what the graphs show
WEB_STARTS, BATCH_STARTS, BATCH_ENDS = 4, 20, 70
BYTES = range(10_000, 300_000)  # a picture that shows something, and loads fast

# hold BYTES: keep memory. load TENTHS SECONDS: use so many tenths of a processor, without forks.
FUNCTIONS = r"""
mkfifo /tmp/silent; exec 3<>/tmp/silent
now() { read -r t _ </proc/uptime; t=${t%.*}${t#*.}; }
count() { i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done; }
hold() { n=$((n + 1)); eval "held$n=\$(head -c $1 /dev/zero | tr '\0' a)"; }
load() {
	now; stop=$((t + $2 * 100))
	while [ "$t" -lt "$stop" ]; do
		next=$((t + 10)); busy=$((t + $1))
		while [ "$t" -lt "$busy" ]; do count; now; done
		[ "$t" -ge "$next" ] || read -r -t "0.0$((next - t))" _ <&3; now
	done
}
"""
WEB = FUNCTIONS + "hold 10000000; while :; do load 2 15; load 4 15; done"
BATCH = FUNCTIONS + "while :; do hold 2500000; load 10 4; done"
IDS = ("/web", "/batch")

CPU = "sum by (id) (rate(container_cpu_usage_seconds_total[10s]))"
MEMORY = '{__name__=~"container_(memory_usage|spec_memory_limit)_bytes"}'

# Of all that cAdvisor tells: what is drawn, with the labels that tell it apart.
PROMETHEUS_CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: cadvisor
    static_configs: [{targets: ['%s']}]
    metric_relabel_configs:
      - action: keep
        source_labels: [__name__, id]
        regex: (container_cpu_usage_seconds_total|container_.*memory.*_bytes);(%s)
      - {action: labelkeep, regex: __name__|id|cpu}
"""
CHROMIUM = (
    "chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --hide-scrollbars "
    "--window-size=1100,1570 --virtual-time-budget=10000").split()


def free_address():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{bound.getsockname()[1]}"


def get(address, path):
    """What a server answers, or None before it does."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=60) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return None


@contextlib.contextmanager
def private_tree():
    """A tree on a machine that has no cgroups; nothing is left of it afterwards."""
    trees.become_reaper()
    tree = trees.Tree("away")
    try:
        yield tree
    finally:
        tree.leave()
        trees.end_rest()
        tree.clean()


@contextlib.contextmanager
def container(tree, name, command, memory, cpus):
    """A container of runc, in a cgroup of its name."""
    bundle = oci.make_bundle(tree.directory / name, f"/{name}", command, {
        "memory": {"limit": memory}, "cpu": {"quota": int(cpus * 100000), "period": 100000}})
    runc = ("runc", "--root", tree.directory / "runc")
    tree.run(*runc, "run", "-d", "--bundle", bundle, name)
    try:
        yield
    finally:
        tree.run(*runc, "delete", "--force", name)


@contextlib.contextmanager
def cadvisor(tree, program):
    address = free_address()
    pid = tree.start(program, "-listen", address, "-containerd", "/nonexistent",
                     "-housekeeping_interval", "500ms", "-allow_dynamic_housekeeping=false",
                     log=tree.directory / "cadvisor.log")
    try:
        trees.until(lambda: get(address, "/metrics"), "cAdvisor answers")
        yield address
    finally:
        tree.stop(pid)


@contextlib.contextmanager
def prometheus(directory, target):
    address = free_address()
    config = directory / "prometheus.yml"
    config.write_text(PROMETHEUS_CONFIG % (target, "|".join(IDS)))
    # A line ends soon after its container: cAdvisor dates its samples, so staleness is by age.
    server = subprocess.Popen(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}",
         f"--web.listen-address={address}", "--query.lookback-delta=4s", "--log.level=error"])
    try:
        trees.until(lambda: get(address, "/-/ready"), "Prometheus answers")
        yield address
    finally:
        server.terminate()
        server.wait()


def check(address, query):
    """Both containers have a line."""
    end = time.time()
    words = urllib.parse.urlencode({"query": query, "start": end - SECONDS, "end": end, "step": 1})
    lines = json.loads(get(address, f"/api/v1/query_range?{words}"))["data"]["result"]
    for cgroup in IDS:
        points = [float(value) for line in lines if line["metric"]["id"] == cgroup
                  for _, value in line["values"]]
        assert points and min(points) >= 0 and max(points) > 0, f"no line for {cgroup}: {query}"


def photograph(directory, address, file):
    """Prometheus' page with both graphs, until now."""
    words = {}
    for number, query in enumerate((CPU, MEMORY)):
        check(address, query)
        words |= {f"g{number}.expr": query, f"g{number}.tab": 0, f"g{number}.step_input": 1,
                  f"g{number}.range_input": f"{SECONDS}s"}
    page = f"http://{address}/classic/graph?{urllib.parse.urlencode(words)}"
    done = subprocess.run([*CHROMIUM, f"--user-data-dir={directory / 'chromium'}",
                           "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                           f"--screenshot={file}", page],
                           env={**os.environ, "HOME": str(directory)},
                           capture_output=True, text=True, timeout=trees.SECONDS, check=False)
    assert file.exists() and file.stat().st_size in BYTES, f"no picture: {done.stderr}"


def take(program, picture):
    with private_tree() as tree, cadvisor(tree, program) as target, \
            prometheus(tree.directory, target) as address:
        start = time.monotonic()

        def sleep_until(second):
            time.sleep(max(0, start + second - time.monotonic()))

        sleep_until(WEB_STARTS)
        with container(tree, "web", WEB, memory=32 << 20, cpus=0.5):
            sleep_until(BATCH_STARTS)
            with container(tree, "batch", BATCH, memory=64 << 20, cpus=1):
                sleep_until(BATCH_ENDS)
            sleep_until(SECONDS)
            draft = tree.directory / "picture.png"
            photograph(tree.directory, address, draft)
            picture.write_bytes(draft.read_bytes())


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if trees.why_not():
        sys.exit(f"picture.py: {trees.why_not()}")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda caught, _: sys.exit(128 + caught))
    take(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    main()
