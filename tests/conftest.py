"""What holds for all tests that pytest runs."""

import signal


def pytest_configure():
    # A job in the background, or under nohup, has these ignored, and so would what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
