"""The player against a real service and real encrypted media."""

import asyncio
import dataclasses
import json
import os
import re
import sys
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from cuemark.kit.clock import ManualClock, SystemClock
from cuemark.player.api import BearerToken, LoginCode, Password
from cuemark.player.appliances import Appliances
from cuemark.player.download import MAX_REDIRECTS, Downloader, DownloadFailed
from cuemark.player.errors import (
    ApiRefused,
    MediaAway,
    MediaUndecodable,
    PositionInvalid,
    TitleUnclear,
)
from cuemark.player.line import Line
from cuemark.player.manifest import Location
from cuemark.player.report import Report
from cuemark.player.session import Moment, Options, play
from cuemark.player.source import GIVE_UP_S, SILENT_S, Source
from cuemark.player.trials import Need
from tests.integration.player import film, origin
from tests.integration.player.origin import Service

FRAMES = film.SECONDS * film.FRAME_RATE
ROOMY_KBPS = 900.0


def steady(kbps: float) -> Line:
    return Line([0.0], [kbps])


def options(service: Service, **changed: Any) -> Options:
    usual = Options(
        api_url=service.url, credential=BearerToken(origin.TOKEN), title=origin.NAME, seconds=2
    )
    return msgspec.structs.replace(usual, **changed)


async def played(service: Service, **changed: Any) -> Report:
    return await asyncio.wait_for(play(options(service, **changed)), 40)


async def watched_until(service: Service, position_s: float, act: Any, **changed: Any) -> Report:
    """Play, and do ``act`` once the viewer is past ``position_s``."""
    reached = asyncio.Event()

    def watch(now: Moment) -> None:
        if now.position_s >= position_s:
            reached.set()

    task = asyncio.create_task(play(options(service, **changed), watch=watch))
    await asyncio.wait_for(reached.wait(), 20)
    await act()
    return await asyncio.wait_for(task, 40)


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_every_frame_of_the_film_is_decrypted_and_decoded(
    service: Service, form: Literal["dash", "hls"]
) -> None:
    report = await played(service, seconds=None, format=form)
    assert report.frames == FRAMES
    assert (report.decode_errors, report.stalls, report.stall_ms) == (0, 0, 0)
    assert report.appliances == ["one"]
    assert report.audio_segments == film.SECONDS // film.SEGMENT_S
    assert report.caption_cues == {"en": film.CUES}
    assert report.seconds_played == film.SECONDS
    assert sum(rung.share for rung in report.rungs) == pytest.approx(1, abs=0.001)
    assert (report.quality, report.session_id, report.version_id) == (
        "full",
        origin.SESSION,
        origin.VERSION,
    )


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_a_wrong_key_ends_in_one_sentence_without_one_good_frame(
    service: Service, form: Literal["dash", "hls"]
) -> None:
    service.keys = dict.fromkeys(film.KIDS, "ab" * 16)
    with pytest.raises(MediaUndecodable, match="does not decrypt or decode") as failure:
        await played(service, format=form)
    assert failure.value.report is not None
    assert failure.value.report.frames == 0
    assert failure.value.report.decode_errors > 0
    assert failure.value.report.error == str(failure.value)
    assert service.ended == [origin.SESSION]


@pytest.mark.parametrize("label", ["SD", "AUDIO"])
async def test_one_wrong_key_among_right_ones_is_noticed(service: Service, label: str) -> None:
    service.granted = {"SD", "AUDIO"}
    service.keys[label] = "ab" * 16
    with pytest.raises(MediaUndecodable):
        await played(service)


async def test_rungs_without_a_key_are_left_out(service: Service) -> None:
    service.granted = {"SD", "AUDIO"}
    report = await played(service, seconds=4)
    assert [rung.rung_id for rung in report.rungs] == ["low"]
    assert report.frames == 4 * film.FRAME_RATE


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_no_key_at_all_is_the_refusal_that_the_service_gave(
    service: Service, form: Literal["dash", "hls"]
) -> None:
    service.granted = set()
    with pytest.raises(ApiRefused) as refusal:
        await played(service, format=form)
    assert refusal.value.code == "licence_refused"


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_the_play_goes_on_when_its_appliance_is_killed(
    service: Service, form: Literal["dash", "hls"]
) -> None:
    report = await watched_until(
        service,
        1.5,
        service.appliances["one"].server.stop,
        seconds=None,
        format=form,
        line=steady(ROOMY_KBPS),
    )
    assert report.appliances == ["one", "two"]
    assert (report.frames, report.decode_errors, report.stalls) == (FRAMES, 0, 0)
    assert report.appliance_failures.keys() == {"one"}
    assert sum(report.segments_by_appliance.values()) == 2 * film.SECONDS // film.SEGMENT_S


@pytest.mark.parametrize("mood", ["corrupt", "flipped"])
@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_an_appliance_that_begins_to_serve_wrong_bytes_is_left_for_good(
    service: Service, mood: origin.Mood, form: Literal["dash", "hls"]
) -> None:
    async def corrupt() -> None:
        # The one in use: on a busy machine the first may have been passed over as slow.
        in_use = max(service.appliances.values(), key=lambda each: each.asked_s)
        in_use.mood = mood

    report = await watched_until(
        service, 1.0, corrupt, seconds=None, line=steady(ROOMY_KBPS), format=form
    )
    (bad,) = (each.name for each in service.appliances.values() if each.mood == mood)
    assert set(report.appliances) == {"one", "two"}
    assert (report.frames, report.stalls, report.decode_errors) == (FRAMES, 0, 0)
    assert report.left == [bad]
    assert report.wrong_digests == report.appliance_failures[bad] == 1


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_of_marked_pictures_either_variant_is_the_films_and_wrong_bytes_are_not(
    made: film.Film, form: Literal["dash", "hls"]
) -> None:
    async with Service(dataclasses.replace(made, marked=True)) as service:
        report = await played(service, seconds=3, format=form)
        assert (report.frames, report.left) == (3 * film.FRAME_RATE, [])
        asked = [path for each in service.appliances.values() for path in each.asked]
        assert "low/x1.m4s" in asked or "high/x1.m4s" in asked
        service.appliances["one"].mood = "flipped"
        report = await played(service, seconds=3, format=form)
        assert (report.frames, report.left) == (3 * film.FRAME_RATE, ["one"])
        assert report.wrong_digests > 0


async def test_without_digests_wrong_bytes_are_found_by_decoding(service: Service) -> None:
    service.with_digests = False

    async def corrupt() -> None:
        service.appliances["one"].mood = "corrupt"

    report = await watched_until(service, 1.0, corrupt, seconds=None, line=steady(ROOMY_KBPS))
    assert (report.frames, report.stalls, report.left) == (FRAMES, 0, ["one"])
    assert report.decode_errors > 0
    assert 1 <= report.refetched_segments <= 3


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_bytes_that_decode_but_are_not_the_films_are_never_shown(
    service: Service, form: Literal["dash", "hls"]
) -> None:
    """Another rendition's segment, under the same key: no decoder would complain."""
    service.appliances["one"].mood = "swapped"
    report = await played(service, seconds=2, format=form)
    assert (report.left, report.appliances) == (["one"], ["two"])
    assert (report.frames, report.decode_errors) == (2 * film.FRAME_RATE, 0)


async def test_a_slow_appliance_is_passed_over_after_its_first_answers(service: Service) -> None:
    service.appliances["one"].delay_s = 0.5
    report = await played(service, seconds=None, line=steady(ROOMY_KBPS))
    assert (report.frames, report.stalls) == (FRAMES, 0)
    asked = len(service.appliances["one"].asked)
    assert report.segments_by_appliance["two"] > report.segments_by_appliance.get("one", 0)
    assert asked <= 6, "some fifteen files are fetched: it is not asked again and again"
    assert 1 <= report.hedged_requests <= 3


async def from_whom(service: Service, files: int) -> tuple[Source, list[str]]:
    """Who delivers a segment that is fetched so often, of a play that wants a better rung.

    Between two of them it has watched for four seconds.
    """
    clock = Skipping()
    locations = [Location(each.name, each.base_url) for each in service.appliances.values()]
    need = Need(least_kbps=20, most_kbps=1e6)
    async with Downloader(clock) as downloader:
        source = Source(Appliances(locations), downloader, clock, nobody_says)
        delivered = []
        for _ in range(files):
            delivery = await source.fetch("high/1.m4s", lambda _: True, need=need)
            delivered.append(delivery.appliance_id)
            clock.skipped_s += 4
    return source, delivered


class Skipping(SystemClock):
    """The machine's clock, some seconds on."""

    skipped_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.skipped_s


async def nobody_says() -> list[Location]:
    return []


async def test_on_a_line_that_is_narrow_from_everywhere_a_play_stays_where_it_is(
    service: Service,
) -> None:
    for appliance in service.appliances.values():
        appliance.trickle_kbps = 1500
    source, delivered = await from_whom(service, 12)
    assert [move.why for move in source.moves] == ["tried", "back"] * 2
    assert delivered.count("two") == 2
    assert source.hedged == 0, "a narrow line is no appliance that does not answer"
    assert source.failures == {}


async def test_an_appliance_that_falls_silent_in_the_midst_is_left_before_it_has_failed(
    service: Service,
) -> None:
    service.appliances["one"].halt_s = 60
    source, delivered = await from_whom(service, 3)
    assert delivered == ["two"] * 3
    assert source.hedged == 2, "whom it is led away from twice is asked no more"
    assert source.failures == {}


async def test_an_appliance_that_goes_on_in_time_delivers(service: Service) -> None:
    service.appliances["one"].halt_s = SILENT_S + 0.4
    service.appliances["two"].delay_s = 60
    source, delivered = await from_whom(service, 2)
    assert (delivered, source.hedged, source.moves) == (["one"] * 2, 2, [])


async def test_an_appliance_that_trickles_is_left_for_one_that_flows(service: Service) -> None:
    service.appliances["one"].trickle_kbps = 2000
    source, delivered = await from_whom(service, 12)
    at = delivered.index("two")
    assert delivered[at:] == ["two", "one", *["two"] * (10 - at)]
    assert [move.why for move in source.moves] == ["tried", "back", "faster"]


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_a_play_is_led_to_another_appliance_while_it_runs(
    service: Service, form: Literal["dash", "hls"]
) -> None:
    """The line carries little more than the film, so that there is something left to fetch."""
    service.steer("one", "two")

    async def drain() -> None:
        service.steer("two")

    line = steady(ROOMY_KBPS / 2)
    report = await watched_until(service, 0.5, drain, seconds=None, format=form, line=line)
    assert (report.frames, report.stalls) == (FRAMES, 0)
    assert {"one", "two"} == set(report.appliances)
    assert (report.timeline[-1].appliance_id, report.moves[-1].to) == ("two", "two")
    assert report.appliance_failures == {}
    assert service.steered[0].startswith("play=abc.def")
    kind = form.upper()
    again = rf"play=again&_{kind}_pathway=(one|two)&_{kind}_throughput=\d+"
    assert all(re.fullmatch(again, asked) for asked in service.steered[1:])
    assert service.steered[-1].startswith(f"play=again&_{kind}_pathway=two")


@pytest.mark.parametrize(
    ("answer", "asked"),
    [(origin.Answer(410), 1), (origin.Answer(503), 1), (origin.Answer(200, b"nonsense"), 1)],
)
async def test_a_play_goes_on_with_what_it_has_where_nobody_steers_it(
    service: Service, answer: origin.Answer, asked: int
) -> None:
    service.steering = answer
    report = await played(service, seconds=None)
    assert (report.frames, report.appliances, report.moves) == (FRAMES, ["one"], [])
    assert (report.steering_answers, len(service.steered)) == (0, asked)


@pytest.mark.parametrize("mood", ["away", "corrupt", "silent", "cut", "empty", "elsewhere", "fat"])
async def test_a_play_begins_although_the_best_appliance_fails(
    service: Service, mood: origin.Mood
) -> None:
    service.appliances["one"].mood = mood
    report = await played(service, seconds=1)
    assert report.frames == film.FRAME_RATE
    assert report.appliances == ["two"]
    assert report.appliance_failures.get("one", 0) + report.hedged_requests >= 1


async def test_media_goes_on_while_the_service_is_away(service: Service) -> None:
    report = await watched_until(service, 0.5, service.stop_api, seconds=6, line=steady(ROOMY_KBPS))
    assert report.frames == 6 * film.FRAME_RATE


async def test_a_play_outlasts_the_absence_of_all_appliances_and_the_service(
    service: Service,
) -> None:
    servers = [each.server for each in service.appliances.values()]

    async def blink() -> None:
        await service.stop_api()
        for server in servers:
            await server.stop()
        await asyncio.sleep(1.5)
        await servers[1].start()

    report = await watched_until(service, 0.3, blink, seconds=6, line=steady(ROOMY_KBPS))
    assert report.frames == 6 * film.FRAME_RATE
    assert report.appliances == ["one", "two"]


async def test_a_viewer_is_told_when_no_appliance_delivers(service: Service) -> None:
    clock = ManualClock()

    async def refresh() -> list[Location]:
        clock.advance(GIVE_UP_S)
        return []

    locations = [Location(each.name, each.base_url) for each in service.appliances.values()]
    for appliance in service.appliances.values():
        await appliance.server.stop()
    async with Downloader(clock) as downloader:
        source = Source(Appliances(locations), downloader, clock, refresh)
        with pytest.raises(MediaAway, match=r"no appliance delivers low/1.m4s .one: .*two: "):
            await source.fetch("low/1.m4s")


async def test_a_device_on_a_thin_line_takes_the_low_rung_and_does_not_stall(
    service: Service,
) -> None:
    low, sound = (service.film.bandwidth_bps[name] / 1000 for name in ("low", "sound"))
    thin_kbps = 1.5 * (low + sound)
    assert thin_kbps < service.film.bandwidth_bps["high"] / 1000
    report = await played(service, seconds=6, line=steady(thin_kbps))
    assert (report.frames, report.stalls) == (6 * film.FRAME_RATE, 0)
    assert {rung.rung_id: rung.share for rung in report.rungs} == {"low": 1.0, "high": 0.0}


async def test_a_roomy_line_leads_to_the_high_rung(service: Service) -> None:
    report = await played(service, seconds=4)
    shares = {rung.rung_id: rung.share for rung in report.rungs}
    assert shares["high"] >= 0.5
    assert report.switches <= 1
    assert report.mean_bitrate_kbps > service.film.bandwidth_bps["low"] / 1000


async def test_a_line_that_carries_too_little_stalls_and_says_so(service: Service) -> None:
    low, sound = (service.film.bandwidth_bps[name] / 1000 for name in ("low", "sound"))
    report = await played(service, seconds=4, line=steady(0.7 * (low + sound)))
    assert report.frames == 4 * film.FRAME_RATE
    assert report.stalls >= 1
    assert report.stall_ms > 500


async def test_a_play_resumes_where_the_member_stopped(service: Service) -> None:
    service.resume_s = 3.25
    report = await played(service, seconds=2)
    assert (report.resumed_from_s, report.started_at_s) == (3.25, 3.25)
    assert report.frames == 2 * film.FRAME_RATE
    assert "low/1.m4s" not in service.appliances["one"].asked


async def test_a_play_from_a_given_place_does_not_resume(service: Service) -> None:
    service.resume_s = 3.0
    report = await played(service, from_s=6.5, seconds=None)
    assert (report.resumed_from_s, report.started_at_s) == (0, 6.5)
    assert report.frames == 1.5 * film.FRAME_RATE


async def test_a_place_outside_of_the_film_is_refused(service: Service) -> None:
    with pytest.raises(PositionInvalid, match="lasts 8 s"):
        await played(service, from_s=8.0)
    assert service.ended == [origin.SESSION]


async def test_progress_grows_and_the_play_is_ended(service: Service) -> None:
    await played(service, seconds=6)
    positions, sequences = zip(*service.progress, strict=True)
    assert list(sequences) == list(range(1, len(sequences) + 1))
    assert list(positions) == sorted(positions)
    assert positions[-1] == pytest.approx(6)
    assert service.ended == [origin.SESSION]


async def test_the_login_reaches_no_appliance(service: Service) -> None:
    await played(service, format="hls")
    assert service.appliances["one"].asked
    assert service.appliances["one"].credentials == []


async def test_one_trace_runs_through_the_whole_play(service: Service) -> None:
    report = await played(service)
    assert service.traces == {report.trace_id}


async def test_a_busy_service_is_waited_for(service: Service) -> None:
    service.busy = 2
    assert (await played(service, seconds=1)).frames == film.FRAME_RATE


async def test_a_service_that_is_restarted_under_a_request_is_asked_again(
    service: Service,
) -> None:
    service.breaking = 2
    assert (await played(service, seconds=1)).frames == film.FRAME_RATE


@pytest.mark.parametrize(
    "credential", [LoginCode(origin.CODE), Password("a@b.example", origin.PASSWORD)]
)
async def test_a_device_logs_in(service: Service, credential: LoginCode | Password) -> None:
    assert (await played(service, seconds=1, credential=credential)).frames == film.FRAME_RATE


async def test_a_wrong_password_is_refused(service: Service) -> None:
    with pytest.raises(ApiRefused, match="do not match"):
        await played(service, credential=Password("a@b.example", "wrong"))


async def test_a_title_is_found_by_id_and_by_name_in_any_case(service: Service) -> None:
    assert (await played(service, seconds=0.5, title=origin.TITLE_ID)).frames == 12
    assert (await played(service, seconds=0.5, title=origin.NAME.upper())).frames == 12
    with pytest.raises(TitleUnclear, match="no title is named 'Nobody'"):
        await played(service, title="Nobody")


async def test_a_title_that_is_not_published_is_refused(service: Service) -> None:
    with pytest.raises(ApiRefused, match="not published"):
        await played(service, title="another")


_STRANGER = """
import os, sys
from cuemark.kit.process import run_and_leave
from cuemark.player.__main__ import main
private = sys.argv.pop()
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    try:
        os.listdir(private)
    except PermissionError:
        pass
    else:
        sys.exit("the stranger can read the folder")
run_and_leave(main)
"""


async def test_the_command_plays_as_a_user_who_owns_nothing(
    service: Service, tmp_path: Path
) -> None:
    """The interpreter may lie where only its owner enters, so the child drops its rights itself."""
    tmp_path.chmod(0o700)
    argv = ["--api", service.url, "--code", origin.CODE, origin.NAME, "--seconds", "1", "--json"]
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _STRANGER,
        *argv,
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(child.communicate(), 40)
    assert child.returncode == 0, err.decode()
    report = json.loads(out.splitlines()[-1])
    assert (report["frames"], report["decode_errors"]) == (film.FRAME_RATE, 0)


async def test_the_command_reports_a_play_that_failed(service: Service) -> None:
    service.keys = dict.fromkeys(film.KIDS, "ab" * 16)
    argv = ["-m", "cuemark.player", "--api", service.url, "--email", "a@b.example", "--json"]
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *argv,
        origin.NAME,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "CUEMARK_PASSWORD": origin.PASSWORD},
    )
    out, err = await asyncio.wait_for(child.communicate(), 40)
    assert child.returncode == 1
    assert json.loads(out.splitlines()[-1])["frames"] == 0
    assert "does not decrypt or decode" in " ".join(err.decode().split())


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_a_play_by_redirects_alone_shows_every_frame(
    service: Service, form: Literal["dash", "hls"]
) -> None:
    report = await played(service, seconds=None, format=form, redirected=True)
    assert (report.frames, report.decode_errors, report.stalls) == (FRAMES, 0, 0)
    assert report.appliances == ["redirected"]
    one, two = service.appliances.values()
    assert {path for path in service.sent if path.endswith(".m4s")} == {
        path for path in one.asked if path.endswith(".m4s")
    }
    assert (two.asked, one.credentials, service.steered) == ([], [], [])


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_a_redirected_play_goes_on_where_it_is_sent_when_an_appliance_dies(
    service: Service, form: Literal["dash", "hls"]
) -> None:
    async def die() -> None:
        await service.appliances["one"].server.stop()
        service.sends_to = ["two"]

    report = await watched_until(
        service, 1.0, die, seconds=None, format=form, redirected=True, line=steady(ROOMY_KBPS)
    )
    assert (report.frames, report.decode_errors) == (FRAMES, 0)
    assert any(path.endswith(".m4s") for path in service.appliances["two"].asked)


async def test_who_sends_on_and_on_is_followed_a_few_times_only(service: Service) -> None:
    service.sends_to = ["here"]
    async with Downloader(SystemClock(), max_redirects=MAX_REDIRECTS) as downloader:
        with pytest.raises(DownloadFailed, match="on and on"):
            await downloader.fetch(f"{service.url}/api/v1/media/{origin.REDIRECT}/low/1.m4s")
    assert service.sent == ["low/1.m4s"] * (MAX_REDIRECTS + 1)


async def test_a_redirect_leads_to_no_file_of_this_device(service: Service) -> None:
    async def answer(request: origin.Request) -> origin.Answer:
        return origin.Answer(302, headers=(("location", "file:///etc/passwd"),))

    server = origin.Server(answer)
    await server.start()
    async with Downloader(SystemClock(), max_redirects=MAX_REDIRECTS) as downloader:
        with pytest.raises(DownloadFailed, match="no address of the web"):
            await downloader.fetch(server.url)
    await server.stop()
