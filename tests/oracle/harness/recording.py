# SPDX-License-Identifier: MIT
"""The recorded answers of the kernel: a file a scenario, a block a group of equal hierarchies."""
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
DIRECTORY = HERE / "recorded"


def facts():
    """Of the machine the recording was made on."""
    return json.loads((DIRECTORY / "machine.json").read_text())


def _sections(name, answers):
    """{file: {step: answer}}: the grammars have a section a file, others one in all."""
    found = {}
    for step, answer in answers.items():
        file, separator, _ = step.partition(" < ") if name.startswith("grammar") else ("", "", "")
        found.setdefault(file if separator else "", {})[step] = answer
    return found


def load(name):
    """{hierarchy: {step: answer}} of a scenario."""
    path = DIRECTORY / f"{name}.txt"
    found = {}
    places = []
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("## "):
            places = [place.partition("/")[::2] for place in line[3:].split()]
        elif line:
            step, answer = line.split(" => ", 1)
            for hierarchy, file in places:
                found.setdefault(hierarchy, {})[file + step] = answer
    return found


def save(name, results):
    """Writes {hierarchy: {step: answer}} of a scenario."""
    groups = {}
    for hierarchy, answers in results.items():
        for file, section in _sections(name, answers).items():
            text = "".join(f"{step.removeprefix(file)} => {answer}\n"
                           for step, answer in section.items())
            groups.setdefault(text, []).append(f"{hierarchy}/{file}" if file else hierarchy)
    blocks = [f"## {' '.join(places)}\n{text}" for text, places in groups.items()]
    (DIRECTORY / f"{name}.txt").write_text("\n".join(blocks))


def save_facts(values):
    (DIRECTORY / "machine.json").write_text(json.dumps(values, indent=1) + "\n")


def not_compared(tree):
    """{hierarchy: names} that only this tree has: "kernel", or anything else for ours."""
    found = {}
    listed = HERE / ("vendor_files" if tree == "kernel" else "extra_files")
    for line in listed.read_text().splitlines():
        if line and not line.startswith("#"):
            hierarchy, *names = line.split()
            found.setdefault(hierarchy, set()).update(names)
    return found
