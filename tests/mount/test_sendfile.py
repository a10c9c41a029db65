# SPDX-License-Identifier: MIT
"""-o sendfile: copies inside the kernel see what a read sees."""
import os


def sendfile(path):
    """The file's content as sendfile(2) copies it, which is what busybox cat does."""
    reading, writing = os.pipe()
    descriptor = os.open(path, os.O_RDONLY)
    content = b""
    try:
        while os.sendfile(writing, descriptor, None, 4096):
            content += os.read(reading, 4096)
        return content.decode()
    finally:
        for each in (descriptor, reading, writing):
            os.close(each)


def test_lengths_that_change(start):
    file = start("-o", "sendfile").path / "cpu" / "a" / "cpu.shares"
    file.parent.mkdir()
    for value in (5, 1000, 100000, 22, 262144):
        file.write_text(f"{value}\n", encoding="ascii")
        assert sendfile(file) == f"{value}\n"
        assert file.read_text(encoding="ascii") == f"{value}\n"


def test_long_content(start):
    path = start("-o", "sendfile").path / "memory"
    for _ in range(20):
        text = sendfile(path / "memory.stat")
        assert text.count("\n") > 30 and text.endswith("\n")


def test_size_is_the_kernels_without_it(mount):
    assert os.stat(mount / "cpu" / "cpu.shares").st_size == 0
