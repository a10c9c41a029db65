"""The recorded answers of the kernel: a file a scenario, a block a group of equal hierarchies."""
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
DIRECTORY = HERE / "recorded"


def facts():
    """Of the machine the recording was made on."""
    return json.loads((DIRECTORY / "machine.json").read_text())


def load(name):
    """{hierarchy: {step: answer}} of a scenario."""
    path = DIRECTORY / f"{name}.txt"
    found = {}
    answers = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("## "):
            answers = {}
            found.update(dict.fromkeys(line[3:].split(), answers))
        elif line:
            step, answer = line.split(" => ", 1)
            answers[step] = answer
    return found


def save(name, results):
    """Writes {hierarchy: {step: answer}} of a scenario."""
    groups = {}
    for hierarchy, answers in results.items():
        text = "".join(f"{step} => {answer}\n" for step, answer in answers.items())
        groups.setdefault(text, []).append(hierarchy)
    blocks = [f"## {' '.join(hierarchies)}\n{text}" for text, hierarchies in groups.items()]
    (DIRECTORY / f"{name}.txt").write_text("\n".join(blocks))


def save_facts(values):
    (DIRECTORY / "machine.json").write_text(json.dumps(values, indent=1) + "\n")


def extra_files():
    """{hierarchy: names} that we serve although Linux 6.18 does not."""
    found = {}
    for line in (HERE / "extra_files").read_text().splitlines():
        if line and not line.startswith("#"):
            hierarchy, *names = line.split()
            found.setdefault(hierarchy, set()).update(names)
    return found
