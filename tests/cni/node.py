# SPDX-License-Identifier: MIT
"""A node and containers, which are network namespaces of their own, and the plugin that is run on the
node."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGIN = pathlib.Path(os.environ.get("FUSE_CGROUP_CNI", ROOT / "build" / "fuse_cgroup_cni"))
VERSIONS = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"]
SECONDS = 120  # for what takes a moment


class Namespace:
    """A network namespace, which a process holds."""

    def __init__(self):
        # It says when it is there, and ends with us. A new one forwards what the machine's forwards.
        start = ("for way in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 0 >/proc/sys/net/$way; done; "
                 "echo; exec cat")
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", start], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.path = f"/proc/{self.process.pid}/ns/net"

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def enter(self, *command):
        return ["nsenter", f"--net={self.path}", *map(str, command)]

    def output(self, *command):
        return subprocess.run(self.enter(*command), text=True, capture_output=True, check=True,
                              timeout=SECONDS).stdout

    def links(self):
        """{name: [its addresses with their prefixes]}; none that the kernel makes by itself of IPv6."""
        found = {}
        for line in self.output("ip", "-o", "link").splitlines():
            found[line.split(":")[1].strip().split("@")[0]] = []
        for line in self.output("ip", "-o", "addr").splitlines():
            _, name, family, address, *_ = line.split()
            if family.startswith("inet") and not address.startswith(("fe80:", "::1/")):
                found[name].append(address)
        return found

    def routes(self):
        """{destination: gateway or None} of IPv4 and IPv6."""
        lines = [line.split() for family in ("-4", "-6")
                 for line in self.output("ip", family, "route").splitlines()]
        return {words[0] if words[0] != "default" else "default" + (":" in words[2]) * "6":
                words[2] if words[1] == "via" else None
                for words in lines if not words[0].startswith(("fe80:", "127.", "::1"))}

    def is_up(self, name):
        return "UP" in self.output("ip", "-o", "link", "show", name).split("<")[1].split(">")[0].split(",")

    def answers(self, address, asker):
        """Whether a connection from namespace `asker` to this one at this address comes, and whom it sees."""
        listen = (f"import socket; s = socket.create_server(({address!r}, 0), family={family(address)});"
                  "print(s.getsockname()[1], flush=True); c, peer = s.accept(); c.sendall(peer[0].encode())")
        with subprocess.Popen(self.enter(sys.executable, "-c", listen), text=True,
                              stdout=subprocess.PIPE) as server:
            try:
                port = int(server.stdout.readline())
                ask = (f"import socket; print(socket.create_connection(({address!r}, {port}), {SECONDS})"
                       ".recv(99).decode())")
                return asker.output(sys.executable, "-c", ask).strip()
            finally:
                server.kill()


def family(address):
    return 10 if ":" in address else 2


@contextlib.contextmanager
def namespaces(count):
    """[Namespace]"""
    made = []
    try:
        for _ in range(count):
            made.append(Namespace())
        yield made
    finally:
        for each in made:
            each.end()


class Failure(Exception):
    """The plugin's error; args[0] is CNI's object."""


class Network:
    """One network's configuration on a node, and what a runtime does with it."""

    def __init__(self, node, directory, version="1.1.0", plugin=PLUGIN, **more):
        self.node = node
        self.directory = directory
        self.plugin = plugin
        ipam = {"type": "host-local", "dataDir": str(directory), "ranges": [[{"subnet": "10.88.0.0/24"}]],
                "routes": [{"dst": "0.0.0.0/0"}], **more.pop("ipam", {})}
        self.config = {"cniVersion": version, "name": "pods", "type": self.plugin.name, "ipam": ipam, **more}

    def run(self, command, container=None, netns=None, ifname="eth0", args=None, text=None, **more):
        """The answer, or None; Failure."""
        environment = {"PATH": os.environ["PATH"], "CNI_COMMAND": command,
                       "CNI_PATH": str(self.plugin.parent)}
        if container:
            environment |= {"CNI_CONTAINERID": container, "CNI_IFNAME": ifname}
        if netns:
            environment["CNI_NETNS"] = str(netns)
        if args:
            environment["CNI_ARGS"] = args
        environment |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        if text is None:
            text = json.dumps(self.config | more)
        result = subprocess.run(self.node.enter(self.plugin), text=True, capture_output=True, check=False,
                                input=text, env=environment, timeout=SECONDS)
        answer = json.loads(result.stdout) if result.stdout else None
        assert result.returncode in (0, 1), result.stderr
        if result.returncode:
            assert set(answer) <= {"cniVersion", "code", "msg", "details"} and answer["msg"]
            raise Failure(answer)
        return answer

    def add(self, container, namespace, **more):
        return self.run("ADD", container, namespace.path, **more)

    def delete(self, container, namespace=None, **more):
        return self.run("DEL", container, namespace and namespace.path, **more)

    def kept(self):
        """{address: what its file says}"""
        folder = self.directory / "pods"
        return {path.name: path.read_bytes() for path in folder.glob("*")
                if path.name != "lock" and not path.name.startswith("last_reserved_ip.")}


def can_run(*wrapper):
    """Whether a wrapper like unshare(1) can do what it is asked for here."""
    return not subprocess.run([*wrapper, "true"], check=False, stderr=subprocess.DEVNULL).returncode


def addresses(result):
    return [ip["address"] for ip in result["ips"]]
