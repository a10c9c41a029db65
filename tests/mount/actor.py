# SPDX-License-Identifier: MIT
"""
A process that does what it is told over a socket, for test_accounting_model: forks and threads of
its own doing, by whichever thread is named. Each command is one packet, and so is its answer.
"""
import ctypes
import mmap
import os
import queue
import resource
import socket
import sys
import tempfile
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
PAGE = 4096


def burn(milliseconds):
    """The ns of processor time that were really used."""
    start = time.thread_time_ns()
    while time.thread_time_ns() - start < milliseconds * 1000000:
        pass
    return time.thread_time_ns() - start


class Worker(threading.Thread):
    """A thread that runs one function after the other."""

    def __init__(self):
        super().__init__(daemon=True)
        self.work, self.answers = queue.Queue(), queue.Queue()
        self.start()

    def run(self):
        for function in iter(self.work.get, None):
            self.answers.put(function())

    def call(self, function):
        self.work.put(function)
        return self.answers.get()

    def end(self):
        self.work.put(None)
        while os.path.exists(f"/proc/self/task/{self.native_id}"):
            time.sleep(0.001)


class Actor:
    def __init__(self, channel):
        self.channel = channel
        self.threads = {}

    def serve(self):
        while True:
            command, descriptors, _, _ = socket.recv_fds(self.channel, 256, 1)
            if not command:
                os._exit(0)
            name, *numbers = command.decode().split()
            answer = getattr(self, name)(*map(int, numbers), *descriptors)
            self.channel.send(str(answer).encode())

    def on(self, tid, function):
        return self.threads[tid].call(function) if tid in self.threads else function()

    def fork(self, tid, descriptor):
        return self.on(tid, lambda: self.fork_here(descriptor))

    def fork_here(self, descriptor):
        pid = os.fork()
        if pid == 0:
            self.channel.close()
            Actor(socket.socket(fileno=descriptor)).serve()
        os.close(descriptor)
        return pid

    def short(self, milliseconds):
        """A child that nobody has time to see."""
        pid = os.fork()
        if pid == 0:
            burn(milliseconds)
            os._exit(0)
        os.waitpid(pid, 0)
        return pid

    def thread(self):
        worker = Worker()
        self.threads[worker.native_id] = worker
        return worker.native_id

    def end_thread(self, tid):
        self.threads.pop(tid).end()

    def burn(self, tid, milliseconds):
        return self.on(tid, lambda: burn(milliseconds))

    def fault(self, pages):
        with mmap.mmap(-1, pages * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
            for page in range(pages):
                memory[page * PAGE] = 1

    def write(self, kibibytes):
        with tempfile.TemporaryFile(buffering=0) as file:  # gVisor has no O_TMPFILE
            file.write(bytes(kibibytes * 1024))
            os.fsync(file.fileno())

    def ended(self, pid):
        """A child of ours is a zombie now."""
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    def reap(self, pid):
        os.waitpid(pid, 0)

    def cpu(self):
        """ns that we and all children that were waited for, and theirs, have used."""
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return int(sum(usage.ru_utime + usage.ru_stime for usage in used) * 1e9)

    def exit(self):
        os._exit(0)


if __name__ == "__main__":
    # Orphans become ours, whoever else in this system adopts them.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    Actor(socket.socket(fileno=int(sys.argv[1]))).serve()
