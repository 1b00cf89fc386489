"""The table of capabilities: every row is shown by something that is there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "capabilities.md"
HEAD = ["#", "system", "works when", "proof"]
UNORDERED = "the rows are not in ascending order of their numbers"
LINK = re.compile(r"\[([^\]]+)\]\(([^)#]+)\)")


def rows_of(text: str) -> list[list[str]]:
    """The cells of the table's rows, the head first; raises ``ValueError`` for a ragged row."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    for row in rows:
        if len(row) != len(HEAD):
            raise ValueError(f"this row has {len(row)} cells: {row}")
    return [row for row in rows if set("".join(row)) != {"-"}]


def faults_of(text: str, folder: Path) -> list[str]:
    """What is wrong with a table whose links are relative to ``folder``."""
    head, *rows = rows_of(text)
    faults = [] if head == HEAD else [f"the head is {head}"]
    numbers = [row[0] for row in rows]
    if numbers != sorted(set(numbers), key=int):
        faults.append(UNORDERED)
    for number, _, _, proof in rows:
        links = LINK.findall(proof)
        if not links:
            faults.append(f"row {number} links no proof")
        faults += [
            f"row {number}: {fault}" for name, to in links if (fault := dead(name, to, folder))
        ]
    return faults


def dead(name: str, target: str, folder: Path) -> str:
    """Why a link proves nothing; empty where it does. A test's name must be in its file."""
    path = folder / target
    if not path.is_file():
        return f"{target} is not there"
    name = name.strip("`")
    if name.startswith("test_") and not name.endswith(".py"):
        defined = {
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        if name not in defined:
            return f"{target} has no {name}"
    return ""


def test_every_row_links_a_proof_that_is_there() -> None:
    assert faults_of(TABLE.read_text(encoding="utf-8"), TABLE.parent) == []


def test_dead_links_and_unordered_rows_are_faults(tmp_path: Path) -> None:
    (tmp_path / "test_there.py").write_text("async def test_it_works() -> None: ...\n")
    table = "| # | system | works when | proof |\n|---|---|---|---|\n"
    good = "| 2 | ingest | resumes | [`test_it_works`](test_there.py) |\n"
    assert faults_of(table + good, tmp_path) == []
    bad = {
        "| 3 | a | b | trust us |\n": "row 3 links no proof",
        "| 3 | a | b | [test](gone.py) |\n": "row 3: gone.py is not there",
        "| 3 | a | b | [`test_other`](test_there.py) |\n": "row 3: test_there.py has no test_other",
        "| 1 | a | b | [x](test_there.py) |\n": UNORDERED,
    }
    for row, fault in bad.items():
        assert faults_of(table + good + row, tmp_path) == [fault]
