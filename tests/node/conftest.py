# SPDX-License-Identifier: MIT
"""A Kubernetes node in our tree, run by the scripts that users run."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
