"""
Every snippet of README and of the documentation runs as it is printed, each page by itself in an empty folder.

A page needs nothing but itself: its blocks run from top to bottom in one namespace, Python by ``exec``, sessions with
prompts as doctests, and lines of the shell that call ``sunpy-scss`` by the function behind that command. Two kinds of
comments in a page, which readers do not see, speak to this test:

``.. given: NAME ...``
    files that the reader is taken to have; `readers_files` makes small ones
``.. not run: REASON``
    before a block that cannot run here, such as one that installs something
"""

import doctest
import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_doctestplus.output_checker import FLOAT_CMP, OutputChecker
from readers_files import make_file, web

from sunpy_scss.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.rst"), *ROOT.glob("docs/**/*.rst")]
    if not {"_build", "api", "generated"} & set(path.relative_to(ROOT).parts)
    and re.search(r"code-block:: (python|console)|>>> ", path.read_text(encoding="utf-8"))
)
# How many blocks of a page are not run; no others are left out.
NOT_RUN = {
    "CONTRIBUTING.rst": 3,
    "README.rst": 1,
    "docs/how_to/command.rst": 2,
    "docs/how_to/label.rst": 3,
    "docs/how_to/many_files.rst": 3,
    "docs/how_to/train.rst": 3,
    "docs/how_to/uncertainty.rst": 1,
    "docs/installation.rst": 6,
    "docs/topic_guide/archive.rst": 1,
    "docs/topic_guide/from_scss_net.rst": 1,
    "docs/topic_guide/performance.rst": 2,
}

# What a newcomer tries again.
RUN_TWICE = {"README.rst", "tutorial.rst"}

_BLOCK = re.compile(
    r"^(?P<indent> *)\.\. (code-block:: (?P<language>python|console)|(?P<comment>given|not run): (?P<text>.*))$"
)


@dataclass
class Block:
    line: int
    language: str
    code: str


def blocks_of(page):
    """The blocks of a page in their order, the files it takes for given, and how many blocks are not run."""
    lines = page.read_text(encoding="utf-8").splitlines()
    blocks, given, not_run, skip, number = [], [], 0, False, 0
    while number < len(lines):
        found = _BLOCK.match(lines[number])
        session = lines[number].lstrip().startswith(">>> ")
        number += 1
        if found and found["comment"] == "given":
            given += found["text"].split()
        elif found and found["comment"]:
            skip = True
        elif found or session:
            start = number - (not found)
            indent = len(found["indent"]) if found else -1
            while number < len(lines) and (_indent(lines[number]) > indent if found else lines[number].strip()):
                number += 1
            code = textwrap.dedent("\n".join(lines[start:number]))
            language = found["language"] if found else "python"
            language = "session" if ">>> " in code else language
            if skip:
                not_run += 1
            else:
                blocks.append(Block(start, language, code))
            skip = False
    return blocks, given, not_run


def _indent(line):
    return len(line) - len(line.lstrip()) if line.strip() else 10**6


def run_python(block, page, namespace):
    # Empty lines before it, so that a traceback names the line of the page.
    exec(compile("\n" * block.line + block.code, page, "exec"), namespace)


def run_session(block, page, namespace):
    test = doctest.DocTestParser().get_doctest(block.code, namespace, page.name, str(page), block.line)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | FLOAT_CMP
    runner, report = doctest.DocTestRunner(OutputChecker(), verbose=False, optionflags=flags), []
    runner.run(test, out=report.append, clear_globs=False)
    assert not runner.failures, "".join(report)
    namespace.update(test.globs)


def run_console(block, page, namespace):
    commands = [line[2:] for line in block.code.replace("\\\n", "").splitlines() if line.startswith("$ ")]
    assert commands, f"{page}:{block.line}: no line begins with a prompt"
    for command in commands:
        program, *arguments = shlex.split(command, comments=True)
        assert program == "sunpy-scss", f"{page}:{block.line}: mark what is not run (got {command})"
        try:
            status = main(arguments)
        except SystemExit as end:
            status = end.code
        assert status == 0, f"{page}:{block.line}: exit status {status} of {command}"


RUN = {"python": run_python, "session": run_session, "console": run_console}


# A page trains for an epoch on a few small images, and tells its reader that this finds nothing.
@pytest.mark.filterwarnings("ignore::sunpy_scss.exceptions.NothingFoundWarning")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_runs_as_printed(page, tmp_path, monkeypatch):
    blocks, given, not_run = blocks_of(page)
    assert not_run == NOT_RUN.get(str(page.relative_to(ROOT)), 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    with web(monkeypatch):
        for name in given:
            make_file(name)
        for _ in range(2 if page.name in RUN_TWICE else 1):
            namespace = {"__name__": "__main__"}
            for block in blocks:
                RUN[block.language](block, page, namespace)


def test_pages_are_found():
    assert {"README.rst", "tutorial.rst", "regions.rst"} <= {page.name for page in PAGES}
    assert all(str(ROOT / page) in map(str, PAGES) for page in NOT_RUN)
