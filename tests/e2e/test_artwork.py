"""What stands for a title, from its frames to the member's page and back."""

from pathlib import Path

import numpy as np
from PIL import Image

from cuemark.app.cli.client import Operator
from cuemark.app.folder import DataFolder
from tests.e2e.conftest import FILM
from tests.e2e.installation import Installation, wait_until


def shown(installation: Installation, title_id: str) -> bytes:
    """What the gateway gives as the title's artwork now."""
    with Operator(DataFolder(installation.folder)) as operator:
        return operator.get_bytes(f"/titles/{title_id}/artwork")


def grid(picture: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    with Image.open(picture) as image:
        small = image.convert("L").resize((64, 36), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float64)


def test_an_operator_looks_picks_and_takes_it_back(
    running_cuemark: Installation, tmp_path: Path
) -> None:
    listed = running_cuemark.json("artwork", FILM, "--list", f"--save={tmp_path}")
    numbers = [each["number"] for each in listed["artworks"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 2
    pictures = {number: tmp_path / f"{number}.jpg" for number in numbers}
    for each in listed["artworks"]:
        frame = running_cuemark.film_frame(FILM, each["at_s"])
        assert np.abs(grid(pictures[each["number"]]) - grid(frame)).mean() < 4, each
    title_id = listed["title_id"]
    assert shown(running_cuemark, title_id) == pictures[1].read_bytes()
    assert [each["number"] for each in listed["artworks"] if each["shown"]] == [1]

    picked = running_cuemark.json("artwork", FILM, "--pick", str(numbers[-1]))
    assert [each["number"] for each in picked["artworks"] if each["shown"]] == [numbers[-1]]
    wanted = pictures[numbers[-1]].read_bytes()
    wait_until(lambda: shown(running_cuemark, title_id) == wanted, 10, "the picked one is shown")
    assert running_cuemark.json("artwork", title_id)["chosen"] is True

    running_cuemark.cli("artwork", FILM, "--pick", "0")
    first = pictures[1].read_bytes()
    wait_until(lambda: shown(running_cuemark, title_id) == first, 10, "the best one is shown")
    assert "shown" in running_cuemark.cli("artwork", FILM).stdout


def test_the_name_stands_on_the_artwork_where_an_operator_wants_it(
    running_cuemark: Installation, tmp_path: Path
) -> None:
    plain, named = tmp_path / "plain", tmp_path / "named"
    running_cuemark.cli("artwork", FILM, f"--save={plain}")
    listed = running_cuemark.json("artwork", FILM, "--with-name", f"--save={named}")
    assert listed["with_name"] is False, "saving shows nothing to members"
    for each in listed["artworks"]:
        with Image.open(named / f"{each['number']}.jpg") as image:
            assert (np.asarray(image.convert("L")) > 250).sum() > 100, "white type"
    running_cuemark.json("artwork", FILM, "--pick", "2", "--with-name")
    title_id, wanted = listed["title_id"], (named / "2.jpg").read_bytes()
    wait_until(lambda: shown(running_cuemark, title_id) == wanted, 10, "the card is shown")
    assert "with the name" in running_cuemark.cli("artwork", FILM).stdout
    running_cuemark.cli("artwork", FILM, "--pick", "0")
    first = (plain / "1.jpg").read_bytes()
    wait_until(lambda: shown(running_cuemark, title_id) == first, 10, "the frame is shown")


def test_what_cannot_be_picked_is_refused_in_one_sentence(
    running_cuemark: Installation,
) -> None:
    refusals = {
        ("artwork", FILM, "--pick", "99"): "choose from 1 to",
        ("artwork", "No such film"): "no title is named",
        ("artwork", FILM, "--save", "/proc/nowhere"): "choose another with --save",
    }
    for command, says in refusals.items():
        said = running_cuemark.cli(*command, expect=1).stderr.strip()
        assert says in said
        assert "\n" not in said
    both = running_cuemark.cli("artwork", FILM, "--list", "--pick", "1", expect=2).stderr
    assert "exclude each other" in both
    alone = running_cuemark.cli("artwork", FILM, "--with-name", expect=2).stderr
    assert "--pick or --save" in alone
