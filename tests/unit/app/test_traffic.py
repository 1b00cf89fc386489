"""What ``cuemark traffic`` makes of the sums."""

import io

import click
import msgspec
import pytest
from rich.console import Console

from cuemark.app.cli import traffic
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.telemetry import ApplianceTraffic, Outcome, Share, Source

CONTEXT, OPTION = click.Context(traffic.traffic), click.Option(["--last"])


def share(
    outcome: Outcome, requests: int, source: Source = "", wait_s: float | None = None
) -> Share:
    return Share(
        outcome=outcome,
        source=source,
        requests=requests,
        sent_bytes=requests * 1_000_000,
        wait_p50_s=wait_s,
        wait_p95_s=wait_s,
    )


TOLD = ApplianceTraffic(
    appliance_id=ApplianceId("edge-a"),
    shares=[
        share("hit", 85),
        share("health", 5),
        share("content", 6, "peer", 0.05),
        share("content", 2, "origin", 0.5),
        share("refused", 1),
        share("error", 1),
    ],
    told=40,
    starved=1,
)


def words(*appliances: ApplianceTraffic) -> list[str]:
    console = Console(width=80, file=io.StringIO())
    with console.capture() as capture:
        console.print(traffic.table_of(appliances))
    return capture.get().splitlines()[-1].split()


def test_the_edge_has_what_came_from_its_disk_whosever_miss_it_was() -> None:
    assert traffic.edge_bytes(TOLD) == 90_000_000
    assert " ".join(words(TOLD)) == ("edge-a 100 100.0 90.0 8.0 5.0 0.0 1.0 1.0 2.5")


def test_below_the_table_stands_how_long_misses_waited_and_what_was_lost() -> None:
    lossy = msgspec.structs.replace(TOLD, lost_lines=7)
    assert traffic.sentences_of([lossy])[1:] == [
        "edge-a: first byte from peer within 50 ms for half of the misses, "
        "50 ms for all but one in twenty.",
        "edge-a: first byte from origin within 500 ms for half of the misses, "
        "500 ms for all but one in twenty.",
        "edge-a: 7 lines were lost on their way.",
    ]


def test_what_appliances_ask_one_another_for_is_told_beside_the_table() -> None:
    shares = [*TOLD.shares, share("peer", 9)]
    asked = msgspec.structs.replace(TOLD, shares=shares)
    assert words(asked) == words(TOLD)
    assert traffic.sentences_of([asked])[-1] == (
        "edge-a: other appliances asked 9 times and got 9.0 MB, which is not in the table."
    )


def test_where_nothing_was_asked_nothing_has_a_share() -> None:
    idle = ApplianceTraffic(appliance_id=ApplianceId("edge-b"), shares=[])
    assert words(idle) == ["edge-b", "0", "0.0", *["-"] * 7]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400)]
)
def test_a_span_is_read_in_its_unit(text: str, seconds: int) -> None:
    assert traffic.parse_span(CONTEXT, OPTION, text) == seconds


@pytest.mark.parametrize("text", ["", "15", "0m", "m", "-1m", "1.5h", "1w", "9999999s", "1m "])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no span of time"):
        traffic.parse_span(CONTEXT, OPTION, text)
