# SPDX-License-Identifier: MIT
"""A command at a terminal: it has it for itself, and the launcher is not in the way."""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

import launcher
import mounting

CTRL_C, CTRL_Z, CTRL_BACKSLASH, CTRL_D = "\x03", "\x1a", "\x1c", "\x04"


class Terminal:
    """Processes with a terminal of their own, at whose other end we are."""

    def __init__(self, *command):
        self.stack = contextlib.ExitStack()
        self.directory = self.stack.enter_context(launcher.temporary())
        self.text = ""
        self.status = None  # of the process, once it has ended
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], [*map(str, command)],
                       launcher.environment(self.directory, PS1="$ ", TERM="dumb"))  # whatever ours is

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern):
        """Waits until this is on the screen, and forgets all up to it. Returns what was before it."""
        end = time.monotonic() + mounting.PATIENCE
        while not (match := re.search(pattern, self.text)):
            assert time.monotonic() < end, f"no {pattern!r} in {self.text!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:  # nobody has it open any more
                    assert re.search(pattern, self.text), self.text
        self.text = self.text[match.end():]
        return match.string[:match.start()]

    def wait(self):
        """The exit status, -N where signal N ended it."""
        def ended():
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            return pid

        assert mounting.wait_until(ended), f"it does not end: {self.text!r}"
        return self.status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self.stack:
            if self.status is None:
                os.kill(self.pid, signal.SIGHUP)
                os.kill(self.pid, signal.SIGCONT)
            os.close(self.fd)


@pytest.fixture
def terminal():
    """Starts a command under the launcher at a terminal."""
    with contextlib.ExitStack() as stack:
        def start(*command):
            return stack.enter_context(Terminal(*launcher.command_line(*command, wrapper=())))

        yield start


def test_it_is_a_terminal(terminal):
    screen = terminal("sh", "-c", "test -t 0 && test -t 1 && test -t 2 && tty && ps -o stat= $$")
    screen.expect(r"/dev/pts/\d+\r\n\S*\+")
    assert screen.wait() == 0


def test_interrupt_ends_it(terminal):
    screen = terminal("sh", "-c", "echo ready; exec sleep 1000")
    screen.expect("ready")
    screen.type(CTRL_C)
    assert screen.wait() == -signal.SIGINT


def test_quit_ends_it(terminal):
    screen = terminal("sh", "-c", "ulimit -c 0; echo ready; exec sleep 1000")
    screen.expect("ready")
    screen.type(CTRL_BACKSLASH)
    assert screen.wait() == -signal.SIGQUIT


def test_interrupt_comes_once(terminal):
    """A command that goes on after Ctrl-C gets one SIGINT for each."""
    screen = terminal(*launcher.TELL_SIGNALS, "INT")
    screen.expect("ready")
    for _ in range(3):
        screen.type(CTRL_C)
        assert "got" not in screen.expect("got INT\r\n")
        time.sleep(0.05)  # for one too many to come
    screen.type(CTRL_D)
    assert "got" not in screen.expect("end")
    assert screen.wait() == 0


def test_end_of_input(terminal):
    screen = terminal("cat")
    screen.type("hello\n")
    screen.expect("hello\r\nhello\r\n")
    screen.type(CTRL_D)
    assert screen.wait() == 0


def test_window_size(terminal):
    screen = terminal("sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
    screen.expect("ready")
    fcntl.ioctl(screen.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    screen.expect("33 77")
    screen.type(CTRL_C)
    assert screen.wait() == -signal.SIGINT


def test_hang_up(terminal):
    screen = terminal("sh", "-c", "echo ready; exec sleep 1000")
    screen.expect("ready")
    os.kill(screen.pid, signal.SIGHUP)
    assert screen.wait() == -signal.SIGHUP


def test_job_control():
    """Ctrl-Z, bg, fg of a shell that started the launcher."""
    with Terminal("bash", "--norc", "--noprofile", "-i") as screen:
        screen.expect(r"\$ ")
        command = " ".join(launcher.command_line("sh", "-c",
                                                 "'echo ready; read line; echo read $line; exit 7'",
                                                 wrapper=()))
        for _ in range(2):
            screen.type(command + "\n")
            screen.expect("ready\r\n")
            screen.type(CTRL_Z)
            screen.expect(r"Stopped.*\r\n.*\$ ") # before its prompt the shell has not set the terminal up
            screen.type("echo at the prompt\n")
            screen.expect(r"at the prompt\r\n.*\$ ")
            screen.type("fg\n")
            screen.expect("exit 7'\r\n")
            screen.type("a line\n")
            screen.expect("read a line")
            screen.type("echo status $?\n")
            screen.expect("status 7\r\n")
        screen.type("exit\n")
        assert screen.wait() == 0


TIDIES_UP = """
import os, signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTSTP])
print("ready", flush=True)
signal.sigwait([signal.SIGTSTP])
time.sleep(0.3)
print("tidied", flush=True)
os.kill(os.getpid(), signal.SIGTSTP)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])
print("back", flush=True)
input()
"""


@pytest.fixture
def type_program(tmp_path):
    """Starts a program under the launcher at a shell's prompt, and waits for its first word."""
    def start(screen, text):
        program = tmp_path / "program.py"
        program.write_text(text)
        screen.type(" ".join(map(str, launcher.command_line(launcher.PYTHON, program, wrapper=()))) + "\n")
        screen.expect("ready\r\n")

    return start


def state_of(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def test_stops_after_the_command(type_program):
    """What a command does before it stops is done when the shell has its prompt."""
    with Terminal("bash", "--norc", "--noprofile", "-i") as screen:
        screen.expect(r"\$ ")
        type_program(screen, TIDIES_UP)
        screen.type(CTRL_Z)
        screen.expect("tidied\r\n(?s:.*)Stopped.*\r\n.*\\$ ")
        screen.type("fg\n")
        screen.expect("back\r\n")
        screen.type("\n")
        screen.expect(r"\$ ")
        screen.type("exit\n")
        assert screen.wait() == 0


def test_a_command_that_does_not_stop(type_program):
    with Terminal("bash", "--norc", "--noprofile", "-i") as screen:
        screen.expect(r"\$ ")
        type_program(screen, "import signal\nsignal.signal(signal.SIGTSTP, signal.SIG_IGN)\n"
                             "print('ready', flush=True)\nprint('read', input())\n")
        screen.type(CTRL_Z + "a line\n")
        screen.expect("read a line\r\n")
        screen.type("echo status $?\n")
        screen.expect("status 0\r\n")
        screen.type("exit\n")
        assert screen.wait() == 0


@contextlib.contextmanager
def shell_of_its_own(*options):
    """A launcher in a process group of its own, and the number of its shell, which ends with its input."""
    with launcher.temporary() as directory, \
         subprocess.Popen(launcher.command_line("sh", "-c", "echo $$; read line; exit 7",
                                                options=options, wrapper=()), text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0,
                          env=launcher.environment(directory)) as process:
        yield process, int(process.stdout.readline())


@pytest.mark.parametrize("version", ("--v1", "--v2"))
def test_stopped_by_a_signal(version):
    """SIGTSTP to the launcher alone stops the command, and then itself; SIGCONT lets both go on."""
    with shell_of_its_own(version, "-m", "1g") as (process, command):
        process.send_signal(signal.SIGTSTP)
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        assert state_of(command) in launcher.STOPPED
        process.send_signal(signal.SIGCONT)
        assert mounting.wait_until(lambda: state_of(command) == "S")
        process.stdin.close()
        assert process.wait() == 7


def test_going_on_at_once():
    """A SIGCONT that comes while the launcher is about to stop is not lost: a stop takes those that wait."""
    with shell_of_its_own() as (process, command):
        try:
            for step in range(60):
                process.send_signal(signal.SIGTSTP)
                end = time.monotonic() + mounting.PATIENCE
                while state_of(command) not in launcher.STOPPED:
                    assert time.monotonic() < end
                time.sleep(step * 0.00002)
                process.send_signal(signal.SIGCONT)
                assert mounting.wait_until(lambda: state_of(command) == state_of(process.pid) == "S"), step
        except AssertionError:
            process.kill()  # a stopped one would not end
            raise
        process.stdin.close()
        assert process.wait() == 7


WAITS = """
import os, sys, time
print("ready", flush=True)
print(os.getpid(), flush=True)
while not os.path.exists(__file__ + ".end"):
    time.sleep(0.05)
print("ended", flush=True)
"""


def waits_for_signals(pid):
    return state_of(pid) == "S" and "sigtimedwait" in pathlib.Path(f"/proc/{pid}/wchan").read_text()


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTSTP])
def test_the_command_stopped_by_others(type_program, tmp_path, number):
    """As by kill -STOP of its number alone: the shell has its terminal back; and it goes on as alone."""
    with Terminal("bash", "--norc", "--noprofile", "-i") as screen:
        screen.expect(r"\$ ")
        type_program(screen, WAITS)
        command = int(screen.expect("\r\n"))
        launched = parent_of(command)
        for _ in range(2):
            os.kill(command, number)
            screen.expect(r"Stopped.*\r\n.*\$ ")
            assert state_of(launched) == "T"
            screen.type("fg\n")
            # It has passed on the SIGCONT that the shell sent to all, which would end a stop that comes now.
            assert mounting.wait_until(lambda: waits_for_signals(launched) and state_of(command) == "S")
        os.kill(command, number)
        screen.expect(r"Stopped.*\r\n.*\$ ")
        os.kill(command, signal.SIGCONT)
        assert mounting.wait_until(lambda: state_of(launched) == "S"), "the launcher stays stopped"
        screen.type("wait %1; echo status $?\n")
        (tmp_path / "program.py.end").touch()
        screen.expect("ended\r\n(?s:.*)status 0\r\n")
        screen.type("exit\n")
        assert screen.wait() == 0


def parent_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


def test_frozen(start):
    """The freezer stops by SIGSTOP, and the kernel's by none: no parent is stopped by it."""
    daemon = start()
    with launcher.Inside("--root", daemon.path, "-m", "1g") as program:
        pid = program.call(os.getpid)
        group, = (daemon / "freezer").glob("run-*")
        for _ in range(3):
            (group / "freezer.state").write_text("FROZEN")
            assert mounting.wait_until(lambda: state_of(pid) in launcher.STOPPED)
            # A stop of which it hears while the freezer lets go may be taken for another one, for a moment.
            assert mounting.wait_until(lambda: state_of(program.pid) != "T")
            (group / "freezer.state").write_text("THAWED")
            assert mounting.wait_until(lambda: state_of(pid) not in launcher.STOPPED)
        assert program.call(os.getpid) == pid


def test_in_the_background():
    with Terminal("bash", "--norc", "--noprofile", "-i") as screen:
        screen.expect(r"\$ ")
        command = " ".join(launcher.command_line("sleep", "0.2", wrapper=()))
        screen.type(command + " & wait $!; echo status $?\n")
        screen.expect("status 0\r\n")
        screen.type("exit\n")
        assert screen.wait() == 0


def test_a_shell_under_it(terminal):
    """An interactive shell as the command: it has job control of its own."""
    screen = terminal("bash", "--norc", "--noprofile", "-i")
    screen.expect(r"\$ ")
    screen.type("sh -c 'echo in front; exec sleep 1000'\n")
    screen.expect("\nin front\r\n")
    screen.type(CTRL_Z)
    screen.expect(r"Stopped.*\r\n.*\$ ")
    screen.type("kill -CONT %1; kill %1; wait %1; echo status $?\n")
    screen.expect("status 143\r\n(?s:.*)\\$ ")
    screen.type("stat -f -c %T /sys/fs/cgroup/cpu\n")
    screen.expect("cgroupfs\r\n")
    screen.type("exit 5\n")
    assert screen.wait() == 5


def test_no_controlling_terminal():
    """The supervisor holds no terminal: who has it last gives it up."""
    with launcher.temporary() as directory:
        result = subprocess.run(launcher.command_line("sh", "-c", "ps -o tty= $PPID", wrapper=()), text=True,
                                stdin=subprocess.DEVNULL, capture_output=True, check=False,
                                env=launcher.environment(directory), start_new_session=True)
    assert (result.returncode, result.stdout.strip()) == (0, "?")
