# SPDX-License-Identifier: MIT
"""Processes with threads, forked for a scenario, that call functions when told to."""
import os
import pickle
import signal
import socket
import struct
import sys
import threading
import time


def _send(sock, value):
    data = pickle.dumps(value)
    sock.sendall(struct.pack("I", len(data)) + data)


def _receive(sock):
    head = sock.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        raise EOFError
    return pickle.loads(sock.recv(struct.unpack("I", head)[0], socket.MSG_WAITALL))


class Actor:
    """A child process; call() runs a module-level function in it and returns its result."""

    def __init__(self, name, start=None, start_args=()):
        """`start` is called first in the new process; it may fork and go on in the child."""
        self.name = name
        self._sock, theirs = socket.socketpair()
        self.child = os.fork()
        if self.child == 0:
            self._sock.close()
            _serve(theirs, start, start_args)
        theirs.close()
        self.pid = _receive(self._sock)

    def call(self, function, *args, **kwargs):
        _send(self._sock, (function, args, kwargs))
        kind, value = _receive(self._sock)
        if kind == "error":
            raise value
        return value

    def send(self, function, *args, **kwargs):
        """Like call(), but without waiting for the result."""
        _send(self._sock, (function, args, kwargs))

    def kill(self):
        """Ends the process and leaves it a zombie, until end()."""
        os.kill(self.pid, signal.SIGKILL)

    def end(self):
        self._sock.close()
        if not self.child:
            return
        try:
            os.kill(self.child, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.child, 0)
        self.child = 0


def _serve(sock, start, start_args):
    """The actor's main loop; never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        devnull = os.open(os.devnull, os.O_RDWR)
        os.dup2(devnull, 1)
        if start:
            start(*start_args)
        _send(sock, os.getpid())
        while True:
            function, args, kwargs = _receive(sock)
            try:
                answer = "value", function(*args, **kwargs)
            except Exception as error:  # handed to the caller
                answer = "error", error
            _send(sock, answer)
    except (EOFError, OSError):
        pass
    except Exception as error:
        print(f"actor: {error!r}", file=sys.stderr)
    os._exit(0)


_stop = threading.Event()


def start_thread():
    """Called in an actor: one more thread; returns its thread id."""
    ready = threading.Event()
    thread = threading.Thread(target=lambda: (ready.set(), _stop.wait()), daemon=True)
    thread.start()
    ready.wait()
    return thread.native_id


def in_thread(function, *args):
    """Called in an actor: the result of a function run in a thread that then ends."""
    result = []
    thread = threading.Thread(target=lambda: result.append(function(*args)))
    thread.start()
    thread.join()
    while os.path.exists(f"/proc/self/task/{thread.native_id}"):
        time.sleep(0.001)
    return result[0]


def fork_child():
    """Called in an actor: a child that waits to be killed; returns its pid."""
    pid = os.fork()
    if pid == 0:
        while True:
            time.sleep(1000)
    return pid


def reap_child(pid):
    """Called in an actor: ends a child and waits for it."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def become(uid):
    """Called in an actor: another user, without capabilities and groups."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
