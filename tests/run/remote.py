# SPDX-License-Identifier: MIT
"""The program under the launcher: calls what launcher.Inside asks for."""

import os
import pathlib
import pickle
import sys

sys.path[0:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "mount")]

requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
while True:
    try:
        function, arguments = pickle.load(requests)
    except EOFError:
        break
    try:
        answer = (function(*arguments), None)
    except Exception as error:  # pylint: disable=broad-except
        answer = (None, error)
    pickle.dump(answer, answers)
    answers.flush()
