#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stands in for k3s, which no registry has: a real containerd, runc and kubelet with k3s' command
line, as one program whose parts live and end together.

It does what k3s 1.36 was seen to do where a script can go wrong: it wants a default route or
--node-ip, asks for fail-cgroupv1=false on cgroup v1, believes in systemd where there is INVOCATION_ID,
writes to places of the machine that nobody told it, unpacks itself for each of its commands, takes
containerd's settings from files beside its own, and its kubelet makes ended pods anew. A pod is put
into agent/pod-manifests, as there is no API server: a node is Ready as soon as its kubelet answers
and has a network.

KUBELET is the kubelet, of whatever version; K3S_VERSION the one that is told; PORT two free ports'
upper one, for the kubelet.
"""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request

VERSION = os.environ.get("K3S_VERSION", "1.36.3")
MINOR = int(VERSION.split(".")[1])
PORT = int(os.environ.get("PORT", "10255"))
STATE = pathlib.Path("/run/k3s/containerd")
SOCKET = STATE / "containerd.sock"
# Where its containerd looks, and what that says of what cannot be used.
NETWORKS = pathlib.Path("/etc/cni/net.d")
NO_NETWORK = "failed to reload cni configuration after receiving fs change event"
PART = "10.42.7.0/24"  # of the cluster's addresses: this node's
V2_NAMES = 'plugins."io.containerd.grpc.v1.cri"'


class Options:
    """Of k3s' command line: lists, and what was given last."""

    def __init__(self, words):
        self.lists = {}
        position = 0
        while position < len(words):
            name, equals, value = words[position].partition("=")
            if not equals and position + 1 < len(words) and not words[position + 1].startswith("--"):
                position += 1
                value = words[position]
            self.lists.setdefault(name.removeprefix("--"), []).append(value)
            position += 1

    def get(self, name, default=None):
        return self.lists.get(name, [default])[-1]

    def kubelet(self):
        return dict(word.split("=", 1) for word in self.lists.get("kubelet-arg", []))


def say(line):
    print(line, flush=True)


def fatal(message):
    say(f'time="2026-11-01T00:00:00Z" level=fatal msg="{message}"')
    sys.exit(1)


def unpack(data):
    """What each command does first."""
    directory = pathlib.Path(data or os.environ.get("K3S_DATA_DIR") or "/var/lib/rancher/k3s") / "data"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "current").write_text("unpacked")


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def start(*words):
    return subprocess.Popen([str(word) for word in words], preexec_fn=die_with_parent,
                            start_new_session=True)


def has_default_route():
    lines = pathlib.Path("/proc/net/route").read_text().splitlines()[1:]
    return any(line.split()[1] == "00000000" for line in lines)


def served():
    """The version of cgroups that is seen."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", "/sys/fs/cgroup"], capture_output=True, text=True)
    return "v2" if kind.stdout.strip() == "cgroup2fs" else "v1"


def check(options):
    """k3s' and its kubelet's own checks."""
    if not has_default_route() and not options.get("node-ip"):
        fatal(r'Error: no default routes found in \"/proc/net/route\" or \"/proc/net/ipv6_route\"')
    arguments = options.kubelet()
    if "fail-cgroupv1" in arguments and MINOR < 31:
        fatal("Error: failed to parse kubelet flag: unknown flag: --fail-cgroupv1")
    if MINOR >= 35 and served() == "v1" and arguments.get("fail-cgroupv1") != "false":
        say("Error: failed to validate kubelet configuration, error: kubelet is configured to not run on a "
            "host using cgroup v1. cgroup v1 support is unsupported and will be removed in a future release")
        for number in range(20):
            say(f'time="2026-11-01T00:00:00Z" level=info msg="controller {number} ends"')
        sys.exit(0)


def merged_settings(agent):
    """The settings of drop-ins, by the names that containerd 1.6 has for them."""
    lines, tables = [], {}
    for file in sorted((agent / "etc/containerd/config-v3.toml.d").glob("*.toml")):
        runtime = tomllib.loads(file.read_text())["plugins"].get("io.containerd.cri.v1.runtime", {})
        for name, value in runtime.items():
            if isinstance(value, dict):
                tables.setdefault(name, {}).update(value)
            else:
                lines.append(f"{name} = {str(value).lower()}")
    return lines, tables


def containerd_settings(options, agent):
    template = agent / "etc/containerd/config.toml.tmpl"
    if template.exists():
        return template.read_text()
    systemd = str(bool(os.environ.get("INVOCATION_ID"))).lower()
    lines, tables = merged_settings(agent)
    pause = options.get("pause-image", "rancher/mirrored-pause:3.10.2")
    text = [
        "version = 2", f'root = "{agent}/containerd"', f'state = "{STATE}"',
        'disabled_plugins = ["io.containerd.internal.v1.opt"]',
        "[grpc]", f'address = "{SOCKET}"', f"[{V2_NAMES}]", f'sandbox_image = "{pause}"', *lines,
        f"[{V2_NAMES}.containerd]", f'snapshotter = "{options.get("snapshotter", "overlayfs")}"',
        f"[{V2_NAMES}.containerd.runtimes.runc]", 'runtime_type = "io.containerd.runc.v2"',
        f"[{V2_NAMES}.containerd.runtimes.runc.options]", f"SystemdCgroup = {systemd}"]
    for name, values in tables.items():
        text.append(f"[{V2_NAMES}.{name}]")
        text += [f'{key} = "{value}"' for key, value in values.items()]
    return "\n".join(text) + "\n"


def start_containerd(options, agent):
    STATE.mkdir(parents=True, exist_ok=True)
    file = agent / "etc/containerd/config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(containerd_settings(options, agent))
    containerd = start("containerd", "-c", file)
    ctr = ["ctr", "-a", str(SOCKET), "-n", "k8s.io"]
    while subprocess.run([*ctr, "version"], capture_output=True).returncode:
        if containerd.poll() is not None:
            fatal("containerd exited")
        time.sleep(0.1)
    for image in sorted((agent / "images").glob("*.tar")):
        subprocess.run([*ctr, "image", "import", "--snapshotter", options.get("snapshotter", "overlayfs"),
                        str(image)], check=True, stdout=subprocess.DEVNULL)
    return containerd


def start_kubelet(options, agent):
    arguments = {
        "address": "127.0.0.1", "port": PORT - 1, "read-only-port": PORT, "healthz-port": 0,
        "container-runtime-endpoint": f"unix://{SOCKET}", "containerd": SOCKET,
        "pod-manifest-path": agent / "pod-manifests", "file-check-frequency": "1s",
        "eviction-hard": "memory.available<1Mi,nodefs.available<1Mi,imagefs.available<1Mi",
        "anonymous-auth": "true", "authorization-mode": "AlwaysAllow", **options.kubelet()}
    if " v1.30." in subprocess.run([os.environ["KUBELET"], "--version"], capture_output=True,
                                   text=True).stdout:
        arguments.pop("fail-cgroupv1", None)  # this kubelet is older than it
    if options.get("node-ip"):
        arguments["node-ip"] = options.get("node-ip")
    if os.environ.get("INVOCATION_ID"):
        arguments["cgroup-driver"] = "systemd"  # CRI's word counts
    (agent / "pod-manifests").mkdir(parents=True, exist_ok=True)
    return start(os.environ["KUBELET"], *(f"--{name}={value}" for name, value in arguments.items()))


def node_address(options):
    if options.get("node-ip"):
        return options.get("node-ip")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.254", 9))  # nothing is sent
        return probe.getsockname()[0]


def check_server_is_reached(options):
    """Other nodes, and pods, look for the API where the node is."""
    with socket.socket() as server, socket.socket() as client:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((options.get("bind-address", "0.0.0.0"), 0))
        server.listen()
        address = options.get("advertise-address") or node_address(options)
        try:
            client.connect((address, server.getsockname()[1]))
        except OSError:
            say(f'level=error msg="Remotedialer proxy error; dial tcp {address}:6443: connect: connection '
                'refused"')


def node_name(options):
    name = (options.get("node-name") or os.uname().nodename).lower()
    if "with-node-id" in options.lists:
        pathlib.Path("/etc/rancher/node/id").write_text("0a1b2c3d\n")
        name += "-0a1b2c3d"
    return name


def serve(kind, words):
    options = Options(words)
    data = pathlib.Path(options.get("data-dir", "/var/lib/rancher/k3s"))
    agent = data / "agent"
    unpack(data)
    pathlib.Path("/etc/rancher/node").mkdir(parents=True, exist_ok=True)
    pathlib.Path("/etc/rancher/node/password").write_text("secret")
    check(options)
    containerd = start_containerd(options, agent)
    kubelet = start_kubelet(options, agent)
    kubeconfig = agent / "kubelet.kubeconfig"
    if kind == "server":
        check_server_is_reached(options)
        kubeconfig = pathlib.Path(options.get("write-kubeconfig", "/etc/rancher/k3s/k3s.yaml"))
    kubeconfig.write_text(f"server: {PORT}\nlog: {os.readlink('/proc/self/fd/1')}\nnode: "
                          f"{node_name(options)}\n")
    # Its parts end with it, by the signal of die_with_parent().
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        for part, process in (("containerd", containerd), ("kubelet", kubelet)):
            if process.poll() is not None:
                fatal(f"{part} exited: {process.returncode}")
        time.sleep(0.1)


def kubectl(words):
    """get node NAME with the Ready condition alone."""
    unpack(None)
    file = pathlib.Path(words[words.index("--kubeconfig") + 1])
    settings = dict(line.split(": ") for line in file.read_text().splitlines())
    if words[words.index("node") + 1] != settings["node"]:
        sys.exit("Error from server (NotFound): nodes not found")
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{settings['server']}/pods", timeout=10).read()
    except OSError as error:
        sys.exit(f"The connection to the server was refused: {error}")
    ready = (any(NETWORKS.glob("*.conflist")) and
             NO_NETWORK not in pathlib.Path(settings["log"]).read_text(errors="replace"))
    part = PART + " " if "{.spec.podCIDR} " in words[-1] else ""
    print(f"{part}True kubelet is posting ready status" if ready else
          f"{part}False container runtime network not ready: cni plugin not initialized", end="")


def main():
    command, words = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    if command == "--version":
        print(f"k3s version v{VERSION}+k3s1 (0123abcd)\ngo version go1.26.5")
    elif command in ("server", "agent"):
        serve(command, words)
    elif command == "kubectl":
        kubectl(words)
    elif command == "ctr":
        unpack(None)
        os.execvp("ctr", ["ctr", *words])
    else:
        sys.exit(f"No help topic for '{command}'")


if __name__ == "__main__":
    main()
