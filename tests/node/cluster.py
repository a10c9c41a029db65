# SPDX-License-Identifier: MIT
"""A whole cluster of Kubernetes' own programs, in a network namespace of its own: etcd, the API server, the
controller manager and the scheduler, and a node that run-kubelet-with-fuse-cgroups.sh runs."""

import json
import os
import pathlib
import subprocess

import node
import trees
import workloads

TOKEN = "of-the-tests"
ADDRESS = "192.0.2.1"  # the node's
SERVER = "https://127.0.0.1:6443"
KEY, CERTIFICATE = "pki/apiserver.key", "pki/apiserver.crt"  # which the API server makes for itself


def kubeconfig():
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "tests",
        "clusters": [{"name": "tests", "cluster": {"server": SERVER, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "tests", "user": {"token": TOKEN}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}]})


class Network:
    """A network namespace with loopback and the node's address."""

    def __init__(self):
        self.holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", f"ip link set lo up && ip address add {ADDRESS}/32 dev lo && "
             "echo here && exec sleep 1000000"], stdout=subprocess.PIPE, start_new_session=True)
        assert self.holder.stdout.readline() == b"here\n"
        self.enter = ["nsenter", "-t", str(self.holder.pid), "-n", "--"]

    def end(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class ControlPlane:
    """The programs of a cluster but the node's, in a directory of their own."""

    def __init__(self, programs, directory, network):
        self.programs, self.directory, self.network = programs, directory, network
        directory.mkdir()
        self.kubeconfig = directory / "kubeconfig"
        self.kubeconfig.write_text(kubeconfig())
        (directory / "tokens").write_text(f"{TOKEN},tests,tests,system:masters\n")
        self.running = []

    def start(self, program, **options):
        with open(self.directory / f"{program}.log", "wb") as log:
            self.running.append(subprocess.Popen(
                [*self.network.enter, self.programs / program,
                 *(f"--{name.replace('_', '-')}={value}" for name, value in options.items())],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True))

    def start_all(self):
        """Until the API server is ready."""
        self.start("etcd", data_dir="etcd", listen_client_urls="http://127.0.0.1:2379",
                   advertise_client_urls="http://127.0.0.1:2379", listen_peer_urls="http://127.0.0.1:2380",
                   unsafe_no_fsync="true")
        self.start("kube-apiserver", etcd_servers="http://127.0.0.1:2379", cert_dir="pki",
                   advertise_address=ADDRESS, service_cluster_ip_range="10.96.0.0/16",
                   kubelet_preferred_address_types="InternalIP",
                   token_auth_file="tokens", authorization_mode="AlwaysAllow",
                   service_account_issuer="https://kubernetes.default.svc",
                   service_account_key_file=KEY, service_account_signing_key_file=KEY)
        trees.until(lambda: self.is_ready() or self.ended(), "the API server is ready", workloads.SECONDS)
        assert not self.ended(), self.text()
        self.start("kube-controller-manager", kubeconfig=self.kubeconfig, leader_elect="false",
                   service_account_private_key_file=KEY, root_ca_file=CERTIFICATE, cert_dir="pki")
        self.start("kube-scheduler", kubeconfig=self.kubeconfig, leader_elect="false", cert_dir="pki")

    def kubectl(self):
        """Its command line."""
        return [*self.network.enter, self.programs / "kubectl", "--kubeconfig", self.kubeconfig,
                "--cache-dir", self.directory / "kubectl"]

    def is_ready(self):
        return subprocess.run([*self.kubectl(), "get", "--raw", "/readyz"], capture_output=True, check=False,
                              timeout=workloads.SECONDS).returncode == 0

    def ended(self):
        return any(process.poll() is not None for process in self.running)

    def text(self):
        """The end of each log."""
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-2000:]}"
                         for log in sorted(self.directory.glob("*.log")))

    def end(self):
        for process in reversed(self.running):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Node(node.Node):
    """Below an overlay, where the machine's cgroups have been taken away."""

    def __init__(self, directory, plane, cgroups):
        pods = directory / "pods"
        pods.mkdir()
        enter = " ".join(plane.network.enter)
        super().__init__(
            "run-kubelet-with-fuse-cgroups.sh", directory, str(pods), "--kubeconfig", plane.kubeconfig,
            "--hostname-override", "tests", "--address", "0.0.0.0",
            machine=f'{node.BARE}\nset -- {enter} "$@"',
            KUBELET=str(plane.programs / "kubelet"), CGROUPS=cgroups)
        kubelet = trees.until(lambda: self.process.poll() is None and self.find("/kubelet --config"),
                              "the kubelet")
        self.plane = plane
        self.cluster = workloads.Cluster(f"/proc/{kubelet}/root{trees.STANDARD}", *plane.kubectl())

    def processes(self):
        """Of this test, but those of the control plane."""
        others = {process.pid for process in (*self.plane.running, self.plane.network.holder)}
        return {pid: line for pid, line in trees.descendants().items() if pid not in others}


def programs_of(release):
    """Where build-cluster.sh has put those of 1.30, say."""
    built = pathlib.Path(os.environ.get("CLUSTERS", trees.ROOT / "build/clusters"))
    return built / release
