# SPDX-License-Identifier: MIT
"""What signals leave behind that interrupt calls."""

import contextlib
import os
import signal
import threading

import mounting
from mounting import wait_until


class Storm(threading.Thread):
    """Signals to the main thread, which has to ask again."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.0003):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)


def test_registration():
    """gVisor says that an open file is deleted when a look at its path was interrupted: containerd's shims
    register such ones, as memory.oom_control."""
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    with mounting.mount_point() as path:
        daemon = mounting.Daemon(path)
        cgroup = path / "memory/a"
        cgroup.mkdir()
        file = os.open(cgroup / "memory.oom_control", os.O_RDONLY)
        storm = Storm()
        storm.start()

        def is_said_to_be_deleted():
            with contextlib.suppress(InterruptedError):
                os.stat(cgroup / "memory.oom_control")
            return os.readlink(f"/proc/self/fd/{file}").endswith(" (deleted)")

        try:
            assert wait_until(is_said_to_be_deleted)
        finally:
            storm.ended.set()
            storm.join()
            signal.signal(signal.SIGUSR1, before)
        eventfd = os.eventfd(0)
        (cgroup / "cgroup.event_control").write_text(f"{eventfd} {file}")
        os.close(file)
        os.close(eventfd)
        cgroup.rmdir()
        assert daemon.stop() == (0, "")
