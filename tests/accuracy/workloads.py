# SPDX-License-Identifier: MIT
"""Programs that are measured. Run as: workloads.py NAME."""
import mmap
import os
import sys
import time

MIB = 1 << 20


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def orphans():
    """A tree that double-forks: who works is never the child of who started it."""
    for _ in range(20):
        if os.fork() == 0:
            if os.fork() == 0:
                burn(0.25)
                if os.fork() == 0:
                    burn(0.1)
                    os._exit(0)
                os.wait()
            os._exit(0)
        os.wait()
    time.sleep(0.2)
    wait_for_quiet()


def wait_for_quiet():
    """Until nobody but us is in our process group any more."""
    own = os.getpgrp()
    while True:
        others = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == own and fields[0] != "Z" and int(pid) != os.getpid():
                others += 1
        if not others:
            return
        time.sleep(0.05)


def elsewhere():
    """Children that are born and waited for here, and work in another cgroup."""
    for _ in range(20):
        child = os.fork()
        if child == 0:
            for procs in sys.argv[2:]:
                with open(procs, "w", encoding="ascii") as file:
                    file.write("0")
            burn(0.15)
            os._exit(0)
        os.waitpid(child, 0)


def unreaped(count=200):
    """Short processes whose parent ignores their end."""
    import signal
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in range(count):
        if os.fork() == 0:
            burn(0.02)
            os._exit(0)
        time.sleep(0.021)
    wait_for_quiet()


def stage(name):
    """Tells the measurer that we rest, and waits until it has looked."""
    print(name, flush=True)
    sys.stdin.readline()


def memory():
    """Anonymous, shared, mapped and tmpfs memory that grows and shrinks."""
    stage("nothing")
    anonymous = mmap.mmap(-1, 200 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    anonymous.write(b"a" * (200 * MIB))
    stage("200 MiB anonymous")
    shared = mmap.mmap(-1, 64 * MIB)
    shared.write(b"s" * (64 * MIB))
    child = os.fork()
    if child == 0:
        for at in range(0, 64 * MIB, 4096):
            shared[at]
        time.sleep(600)
    time.sleep(0.5)
    stage("64 MiB shared by two")
    with open("mapped", "w+b") as file:
        file.write(b"m" * (96 * MIB))
        file.flush()
        mapped = mmap.mmap(file.fileno(), 96 * MIB, prot=mmap.PROT_READ)
    sum(mapped[at] for at in range(0, 96 * MIB, 4096))
    stage("96 MiB mapped file")
    descriptor = os.memfd_create("tmpfs")
    os.ftruncate(descriptor, 48 * MIB)
    tmpfs = mmap.mmap(descriptor, 48 * MIB)
    tmpfs.write(b"t" * (48 * MIB))
    stage("48 MiB tmpfs, mapped")
    anonymous.close()
    stage("anonymous freed")
    os.kill(child, 9)
    os.wait()
    shared.close()
    stage("shared freed")
    huge = mmap.mmap(-1, 64 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    huge.madvise(mmap.MADV_HUGEPAGE)
    huge.write(b"h" * (64 * MIB))
    stage("64 MiB huge pages")


def peak():
    """100 MiB that are held so many seconds; then one sees only what is left, or an end."""
    memory = mmap.mmap(-1, 100 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(b"p" * (100 * MIB))
    time.sleep(float(sys.argv[2]))
    if sys.argv[3] == "freed":
        memory.close()
        print("freed", flush=True)
        sys.stdin.readline()


def direct_io():
    """200 MiB to a file and back, past the page cache."""
    block = mmap.mmap(-1, MIB)
    block.write(b"d" * MIB)
    descriptor = os.open("direct", os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o600)
    for _ in range(200):
        os.write(descriptor, block)
    os.lseek(descriptor, 0, os.SEEK_SET)
    for _ in range(200):
        os.readv(descriptor, [block])
    os.close(descriptor)
    os.unlink("direct")


def buffered_io():
    """The same through the page cache, which is emptied in between."""
    block = b"b" * MIB
    descriptor = os.open("buffered", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(200):
        os.write(descriptor, block)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.lseek(descriptor, 0, os.SEEK_SET)
    while os.read(descriptor, MIB):
        pass
    os.close(descriptor)
    os.unlink("buffered")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
