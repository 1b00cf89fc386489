"""One neighbour of a play is bad; the film is not."""

import pytest

from tests.e2e.conftest import FILM, FRAMES
from tests.e2e.installation import Installation
from tests.e2e.neighbours import BadDisk, Street, settled

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
    shares = report["segments_by_appliance"]
    assert isinstance(shares, dict)
    assert shares.get(street.ranking[1], 0) > shares.get(street.ranking[0], 0)
