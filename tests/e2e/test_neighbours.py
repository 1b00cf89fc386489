"""One neighbour of a play is bad; the film is not."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import FILM, FRAMES, LONG_FRAME_RATE, LONG_S
from tests.e2e.installation import Installation
from tests.e2e.neighbours import SOUND_KBPS, BadDisk, SlowOrigin, Street, settled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def filled(running_cuemark: Installation) -> Installation:
    settled(running_cuemark, files=8)
    return running_cuemark


def watch(street: Street, installation: Installation, *flags: str) -> dict[str, object]:
    report = installation.json(
        "play", FILM, "--api", street.api_url, "--code", installation.login_code(), *flags
    )
    assert (report["frames"], report["decode_errors"]) == (FRAMES, 0), report
    assert report["stalls"] == 0, report
    return dict(report)


@pytest.mark.parametrize("form", ["dash", "hls"])
def test_an_appliance_with_wrong_bytes_on_its_disk_is_found_out_and_left(
    filled: Installation, form: str
) -> None:
    bad: list[BadDisk] = []

    def spoil(street: Street, ranking: list[str]) -> None:
        if not bad:
            bad.append(BadDisk(filled, ranking[0]))
            bad[0].__enter__()

    with Street(filled, spoil) as street:
        try:
            report = watch(street, filled, f"--format={form}", "--from=0")
        finally:
            for each in bad:
                each.__exit__(None, None, None)
    assert report["left"] == street.ranking[:1]
    assert report["appliances"] == street.ranking[1:]
    assert report["wrong_digests"] == 1


@pytest.mark.parametrize("fault", ["slow", "refuses", "thin"])
def test_a_bad_way_to_the_first_appliance_is_gone_around(filled: Installation, fault: str) -> None:
    def spoil(street: Street, ranking: list[str]) -> None:
        wire = street.wires[ranking[0]]
        wire.delay_s = 0.5 if fault == "slow" else 0.0
        wire.kbps = 150.0 if fault == "thin" else 0.0
        wire.refuses = fault == "refuses"

    with Street(filled, spoil) as street:
        report = watch(street, filled, "--from=0")
    if fault == "thin":
        # Two take turns before one is left for being slow, and the film is short.
        moves = report["moves"]
        assert isinstance(moves, list)
        assert (moves[-1]["left"], moves[-1]["to"]) == tuple(street.ranking), moves
        return
    shares = report["segments_by_appliance"]
    assert isinstance(shares, dict)
    assert shares.get(street.ranking[1], 0) > shares.get(street.ranking[0], 0)


def test_the_rung_follows_the_line_down_and_up_without_a_stall(
    running_cuemark: Installation, long_title_id: str
) -> None:
    """The line carries less than the lowest rung with its sound, for as long as buffers last."""
    line = f"2000,{SOUND_KBPS + 30}@3s,2000@24s"
    report = running_cuemark.json("play", long_title_id, "--from=0", f"--throttle-kbps={line}")
    assert (report["frames"], report["decode_errors"]) == (LONG_S * LONG_FRAME_RATE, 0)
    assert [at_s for at_s in report["stalled_at_s"] if at_s > 5] == []
    kbps_of = {each["rung_id"]: each["bitrate_kbps"] for each in report["rungs"]}
    shown_kbps = [kbps_of[each["rung_id"]] for each in report["timeline"]]
    best_kbps = max(shown_kbps)
    assert min(shown_kbps[shown_kbps.index(best_kbps) :]) < best_kbps, "the rung went down"
    assert shown_kbps[-1] == best_kbps, "and up again"


def test_a_slow_origin_behind_an_appliance_that_lost_its_files_costs_no_picture(
    filled: Installation,
) -> None:
    lost: list[Path] = []

    def lose(street: Street, ranking: list[str]) -> None:
        for link in (filled.folder / "appliances" / ranking[0] / "views").rglob("*.m4s"):
            lost.append(link)
            link.resolve().unlink(missing_ok=True)

    with SlowOrigin(filled) as origin, Street(filled, lose) as street:
        watch(street, filled, "--from=0")
    assert lost, "the appliance had files to lose"
    assert origin.stops > 3
    again = filled.json("play", FILM, "--from=0", "--as=later@cuemark.example")
    assert (again["frames"], again["stalls"], again["left"]) == (FRAMES, 0, [])
    assert any(link.exists() for link in lost), "what was asked for is there again"


def test_an_appliance_that_lost_its_files_gets_them_from_its_peer_while_the_origin_stands_still(
    filled: Installation,
) -> None:
    settled(filled, files=8)
    origin = int(filled.status()["pids"]["origin"])

    def lose(street: Street, ranking: list[str]) -> None:
        for link in (filled.folder / "appliances" / ranking[0] / "views").rglob("*.m4s"):
            link.resolve().unlink(missing_ok=True)
        os.killpg(origin, signal.SIGSTOP)

    try:
        with Street(filled, lose) as street:
            watch(street, filled, "--from=0")
    finally:
        os.killpg(origin, signal.SIGCONT)
    log = (filled.folder / "logs" / "cuemark.jsonl").read_text().splitlines()
    filled_by = {
        (line["process"], line["source"])
        for line in map(json.loads, log)
        if line["event"] == "filled"
    }
    first, second = street.ranking[:2]
    assert (f"{first}-agent", second) in filled_by
