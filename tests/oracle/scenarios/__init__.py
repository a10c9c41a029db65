# SPDX-License-Identifier: MIT
"""Importing this package registers every scenario."""
import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
