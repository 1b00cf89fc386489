"""What members did, carried from one region to another by an operator."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def east(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation called east, without a film and without what shows films."""
    folder = tmp_path_factory.mktemp("east") / "data"
    folder.mkdir()
    (folder / "cuemark.toml").write_text('region = "east"\nworkers = 0\nappliances = 0\n')
    installation = Installation(folder)
    installation.up()
    yield installation
    installation.down()


def test_operators_carry_what_members_did_from_a_region_to_another(
    east: Installation, tmp_path: Path
) -> None:
    there = {"kind": "viewing-changes", "region": "west"}
    stamp = "0006370b2e1c4000.0000.west"
    rated = {"kind": "rating", "profile_id": "prf_x", "work_id": "ttl_x", "rating": "up"}
    file, exported = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    file.write_text("\n".join(map(json.dumps, (there, rated | {"stamp": stamp}))))
    first = east.json("viewing", "apply", str(file))
    assert first == {"region": "west", "changes": 1, "taken": 1}
    assert east.json("viewing", "apply", str(file))["taken"] == 0
    told = east.json("viewing", "export", "--to", str(exported))
    assert told["changes"] == 1
    head, line = map(json.loads, exported.read_text().splitlines())
    assert (head["region"], line) == ("east", rated | {"stamp": stamp})
    again = east.json("viewing", "export", "--to", str(exported), "--after", told["cursor"])
    assert (again["changes"], again["cursor"]) == (0, told["cursor"])
    file.write_text("\n".join(map(json.dumps, (there, rated | {"stamp": "soon"}))))
    refused = east.cli("viewing", "apply", str(file), expect=1)
    assert "line 2" in refused.stderr
    own = json.dumps({"kind": "viewing-changes", "region": "east"})
    file.write_text(f"{own}\n{json.dumps(rated | {'stamp': stamp})}\n")
    assert "`region`" in east.cli("viewing", "apply", str(file), expect=1).stderr
