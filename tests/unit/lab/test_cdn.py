"""The lab of namespaces, as far as it is decided: faults by name, who is where, what came of it."""

import ipaddress
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cuemark.app.cli.main import commands
from cuemark.lab.cdn.client import Ending, Glance
from cuemark.lab.cdn.faults import KINDS, Fault, FaultInvalid, fault_of, steps_of
from cuemark.lab.cdn.layout import CORE, MOST_CLIENTS, MOST_EDGES, MOST_NETWORKS, layout, prefix_of
from cuemark.lab.cdn.outcome import Outcome, outcome_of, viewer_of
from cuemark.lab.cdn.picture import page
from cuemark.player.report import Move, Report

PLACES = {"edge-1", "net-1", "client-1", "hub", "control", "origin"}
ZERO_S = 1000.0


@st.composite
def some_faults(draw: st.DrawFn) -> Fault:
    name = draw(st.sampled_from(sorted(KINDS)))
    kind = KINDS[name]
    place = draw(st.sampled_from([p for p in sorted(PLACES) if p.partition("-")[0] in kind.of]))
    span = draw(st.none() | st.integers(1, 10**7)) if kind.ends else None
    return Fault(
        name,
        place,
        draw(st.integers(0, 10**7)) / 1000,
        None if span is None else span / 1000,
        draw(st.integers(1, 10**6)) if kind.unit else 0,
    )


@given(some_faults())
def test_a_fault_is_read_from_its_name(fault: Fault) -> None:
    assert fault_of(fault.name, PLACES) == fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no fault"),
        ("kill:edge-1", "is no fault"),
        ("kill:edge-1@-1", "is no fault"),
        ("kill:edge-1@1e9", "is no fault"),
        ("explode:edge-1@1", "there is no 'explode'"),
        ("kill:net-1@1", "kill befalls edge or hub, not net-1"),
        ("kill:edge-9@1", "the lab has no edge-9"),
        ("kill:edge-1=3@1", "it takes no value"),
        ("slow:edge-1@1", "how many kbps"),
        ("slow:edge-1=0@1", "more than 0 kbps"),
        ("rot:edge-1=3@1+2", "rot has no end"),
        ("cut:hub@1+0", "more than 0 s"),
    ],
)
def test_what_is_no_fault_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(FaultInvalid, match=said):
        fault_of(text, PLACES)


@given(st.lists(some_faults(), max_size=6), st.floats(1, 20_000))
def test_steps_are_in_order_within_the_run_and_each_end_follows_its_beginning(
    faults: list[Fault], seconds: float
) -> None:
    steps = steps_of(faults, seconds)
    assert [step.at_s for step in steps] == sorted(step.at_s for step in steps)
    assert all(step.at_s <= seconds for step in steps)
    begun = [step.fault for step in steps if step.begins]
    ended = [step.fault for step in steps if not step.begins]
    assert sorted(map(repr, begun)) == sorted(repr(f) for f in faults if f.at_s <= seconds)
    assert all(fault in begun and fault.until_s <= seconds for fault in ended)


@given(st.integers(1, MOST_EDGES), st.integers(1, MOST_NETWORKS), st.integers(1, MOST_CLIENTS))
def test_no_two_places_share_an_address_and_clients_are_in_what_their_router_announces(
    edges: int, networks: int, clients: int
) -> None:
    made = layout(edges, networks, clients)
    assert len(made.places) == 1 + edges + networks + clients + 1
    cables = [ipaddress.ip_network(f"{each.address}/30", strict=False) for each in made.places]
    assert len(set(cables)) == len(cables)
    announced = [ipaddress.ip_network(prefix_of(each.network)) for each in made.networks]
    assert len(set(announced)) == networks
    for place, cable in zip(made.places, cables, strict=True):
        assert ipaddress.ip_address(place.gateway) in cable
        assert place.gateway != place.address
        assert len(place.name) <= 15, "no device has a longer name"
    for client in (*made.clients, made.visitor):
        of = [
            number
            for number, network in enumerate(announced, start=1)
            if ipaddress.ip_address(client.address) in network
        ]
        assert of == [client.network]
        assert client.to == f"net-{client.network}"
    assert {each.to for each in (*made.edges, *made.networks)} == {CORE}
    assert all(made.edges_of(each.network) for each in made.networks[:edges])


@pytest.mark.parametrize("counts", [(0, 1, 1), (1, MOST_NETWORKS + 1, 1), (1, 1, 0)])
def test_a_lab_is_neither_empty_nor_without_bound(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="a lab has 1 to"):
        layout(*counts)


def report_of(moves: list[Move], seconds: float = 30.0) -> Report:
    return Report(
        startup_ms=200,
        startup_control_ms=100,
        stalls=1,
        stall_ms=1500,
        mean_bitrate_kbps=400,
        switches=0,
        frames=750,
        decode_errors=0,
        appliances=["edge-1"],
        resumed_from_s=0,
        title_id="t",
        session_id="s",
        version_id="v",
        quality="full",
        format="dash",
        started_at_s=0,
        seconds_played=seconds,
        duration_s=60,
        audio_segments=15,
        caption_cues={},
        rungs=[],
        segments_by_appliance={"edge-1": 20, "edge-2": 10},
        appliance_failures={},
        refetched_segments=0,
        abandoned_downloads=0,
        trace_id="",
        moves=moves,
    )


def glance(at_s: float, stalled: bool) -> Glance:
    return Glance(
        clock_s=ZERO_S + at_s,
        position_s=0,
        buffer_s=0,
        rung="",
        appliance_id="edge-1",
        stalled=stalled,
    )


def watched(faults: list[Fault]) -> Outcome:
    """One viewer who left edge-1 at 12 s, another whose program was killed."""
    move = Move(at_s=11.0, left="edge-1", to="edge-2", why="failed", waited_s=0.7)
    ending = Ending(began_s=ZERO_S + 1, ended_s=ZERO_S + 32, report=report_of([move]))
    glances = [glance(at_s, 12 <= at_s < 14) for at_s in range(1, 32)]
    viewers = [
        viewer_of("client-1", "net-1", glances, ending, ZERO_S),
        viewer_of("client-2", "net-1", [], None, ZERO_S),
    ]
    return outcome_of(40, 2, viewers, faults, [ending, None])


def test_a_viewers_time_is_told_by_whom_he_fetched_from_and_when_he_waited() -> None:
    found = watched([])
    first, second = found.viewers
    spans = [(span.appliance_id, span.from_s, span.to_s) for span in first.spans]
    assert spans == [("edge-1", 1, 12), ("edge-2", 12, 32)]
    assert [(wait.from_s, wait.to_s) for wait in first.waits] == [(12, 14)]
    assert (first.moves, first.longest_move_s, first.error) == ({"failed": 1}, 0.7, "")
    assert (second.spans, second.error) == ([], "the viewer's program ended without a word")
    assert found.failed == 1
    assert found.rebuffer_ratio == pytest.approx(1.5 / 31.5)
    assert found.served == {"edge-1": 20, "edge-2": 10}


def test_a_move_counts_for_the_last_fault_before_it() -> None:
    faults = [Fault("kill", "edge-1", 5), Fault("drain", "edge-1", 9), Fault("cut", "hub", 35)]
    faults.append(Fault("drain", "edge-2", 9))
    found = watched(faults).faults
    assert [each.moved for each in found] == [0, 1, 0, 0], "he was not on edge-2"
    assert [each.first_s for each in found] == [None, 1.0, None, None]
    assert found[1].at_s == 11


def test_the_picture_is_whole_and_says_what_strangers_wrote_as_text() -> None:
    faults = [Fault("kill", "edge-1", 5, 10), Fault("drain", "edge-1", 9)]
    found = watched(faults)
    text = page(found)
    seen: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)

    Tags().feed(text)
    assert seen.count("rect") == 2 + 2 + 1, "faults, spans and a wait"
    assert "kill:edge-1@5+10" in text
    assert "without a word" in text
    assert "<script" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "kill:edge-9@1"], "the lab has no edge-9"),
        (["--fault", "explode"], "'explode' is no fault"),
        (["--appliances", "0"], "Invalid value for '--appliances'"),
        (["--film", "/no/film.mp4"], "does not exist"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_starts(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(commands, ["lab", "cdn", *arguments])
    assert result.exit_code in (1, 2)
    assert said in " ".join(result.output.split())


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    result = CliRunner().invoke(commands, ["lab", "cdn"])
    assert result.exit_code == 1
    assert "needs root" in " ".join(result.output.split())


def test_every_fault_is_listed() -> None:
    result = CliRunner().invoke(commands, ["lab", "cdn", "--list-faults"])
    assert result.exit_code == 0
    assert all(name in result.output for name in KINDS)
