"""Who gets media from an appliance: real nginx and njs, against the vectors that Python passes."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuemark.contracts.ids import VersionId
from cuemark.kit import cat
from tests.integration.edge.farm import Farm, assert_no_token_in_logs, farm, noise, until
from tests.integration.edge.wire import fetch
from tests.unit.edge.vectors import AUDIENCE, KEYS, OTHER_VERSION, VARIANTS, VERSION, vectors

WARM, COLD = "v1/1.m4s", "v1/9.m4s"
MARKED = range(1, 41)
FILES = {
    WARM: noise(100_000, 1),
    COLD: noise(80_000, 2),
    "v1/init.mp4": noise(900, 3),
    "v1.m3u8": b"#EXTM3U\n",
    **{
        f"m1/{variant}{number}.m4s": f"{variant}{number}".encode()
        for variant in "ab"
        for number in MARKED
    },
    "en.vtt": b"WEBVTT\n",
}
VERSION_ID, OTHER_VERSION_ID = VersionId(VERSION), VersionId(OTHER_VERSION)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """One farm for all that only reads; at its end no log of it may hold a token."""
    root = tmp_path_factory.mktemp("farm")
    built = Farm(root)
    try:
        assert built.appliance.appliance_id == AUDIENCE
        built.keys = list(KEYS)
        built.publish(FILES, VERSION_ID)
        built.publish({WARM: b"of the other version"}, OTHER_VERSION_ID)
        built.start_all()
        until(lambda: (root / "appliance" / "views" / VERSION / WARM).exists())
        yield built
        time.sleep(1.3)
        assert_no_token_in_logs(root)
    finally:
        built.stop_all()


def test_every_verifier_says_the_same_of_each_token(served: Farm) -> None:
    """njs at the first request, nginx by itself at the second, the agent without nginx."""
    wrong = []
    ports = {"njs": served.appliance.port, "nginx": served.appliance.port}
    ports["agent"] = served.appliance.agent_port
    for vector in vectors(int(time.time())):
        for who, port in ports.items():
            status = fetch(port, f"/t/{vector.token}{vector.path}").status
            if status != vector.status:
                wrong.append((who, vector.name, status, vector.status))
    assert wrong == []


def test_a_request_that_nginx_judges_by_itself_is_answered_as_one_that_njs_judges(
    served: Farm,
) -> None:
    target = served.target(VERSION_ID, WARM)
    # The condition is one that nothing meets, and that nginx leaves to njs.
    by_njs = [served.get(target, If_None_Match='"-"') for _ in range(2)][1]
    by_nginx = [served.get(target) for _ in range(2)][1]
    assert by_njs.body == by_nginx.body == FILES[WARM]
    assert by_njs.status == by_nginx.status == 200
    assert {**by_njs.headers, "date": ""} == {**by_nginx.headers, "date": ""}


def test_no_request_writes_its_own_verdict(served: Farm) -> None:
    """What clients send is in no pattern by which nginx judges, whatever they put there."""
    forged = "A" * 40
    path = f"/{VERSION}/{WARM}"
    line = f"1 {forged} {VERSION} 127.0.0.1|{forged} {VERSION} - 7 ses_1 x 9999999999 1"
    for headers in ({"If_None_Match": line}, {"Range": line}, {"X_Forwarded_For": "127.0.0.1"}):
        assert served.get(f"/t/{forged}{path}", **headers).status == 401
    for target in (f"/t/{forged}{path}?{line.replace(' ', '%20')}", f"/t/{forged}|{forged}{path}"):
        assert served.get(target).status == 401
    assert served.get(f"/t/{forged}{path}", "1").status in (400, 405)


def test_who_has_the_tag_of_a_known_token_has_not_the_token(served: Farm) -> None:
    """A token that shares its slot with one that nginx knows is judged for itself."""
    token = served.token(VERSION_ID)
    assert [served.get(f"/t/{token}/{VERSION}/{WARM}").status for _ in range(2)] == [200, 200]
    other = token[:60] + ("A" if token[60] != "A" else "B") + token[61:]
    assert served.get(f"/t/{other}/{VERSION}/{WARM}").status == 401
    assert served.get(f"/t/{token}/{VERSION}/{WARM}").status == 200


def test_a_revoked_session_is_refused_within_a_second_and_no_other_is(tmp_path: Path) -> None:
    with farm(tmp_path, FILES) as built:
        version_id = built.versions[0].version_id

        def target(session: str) -> str:
            return f"/t/{built.token(version_id, subject=session)}/{version_id}/{WARM}"

        stopped, going_on = target("play_stopped"), target("play_going_on")
        fresh = target("play_stopped").replace("1.m4s", "9.m4s")
        for each in (stopped, going_on):
            until(lambda each=each: built.get(each).status == 200)  # type: ignore[misc]
            assert built.get(each).status == 200
        built.revoke("play_stopped")
        begun_s = time.monotonic()
        until(lambda: built.get(stopped).status == 401, 3)
        assert time.monotonic() - begun_s < 1.2
        assert built.get(stopped).body == b"the play of this token has ended\n"
        assert built.get(fresh).status == 401
        assert fetch(built.appliance.agent_port, stopped).status == 401
        for _ in range(2):
            assert built.get(going_on).status == 200
        for name in ("nginx", "agent"):
            built.children[name].kill()
            built.start(name)
            until(lambda: built.answers() and built.get(going_on).status == 200)
            assert built.get(stopped).status == 401, f"forgotten after a restart of {name}"


def test_the_agent_serves_without_nginx_before_it(served: Farm) -> None:
    port, target = served.appliance.agent_port, served.target(VERSION_ID, WARM)
    assert fetch(port, target).body == FILES[WARM]
    part = fetch(port, target, {"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, FILES[WARM][10:20])
    marked = served.token(VERSION_ID, variants=VARIANTS)
    told = [fetch(port, f"/t/{marked}/{VERSION}/m1/x{n}.m4s").body.decode() for n in MARKED]
    assert "".join(each[0] for each in told) == "abaabbbaabbabbbb" * 2 + "abaabbba"
    for name in ("a1.m4s", "x0.m4s", "x41.m4s"):
        assert fetch(port, f"/t/{marked}/{VERSION}/m1/{name}").status == 404


def test_a_verdict_is_the_same_when_it_is_remembered(served: Farm) -> None:
    token = served.token(VERSION_ID)
    for _ in range(2):
        assert served.get(f"/t/{token}/{VERSION}/{WARM}").status == 200
        assert served.get(f"/t/{token}/{OTHER_VERSION}/{WARM}").status == 403


def test_a_remembered_verdict_does_not_outlast_the_token(served: Farm) -> None:
    target = f"/t/{served.token(VERSION_ID, expires_at_s=int(time.time()) + 2)}/{VERSION}/{WARM}"
    assert served.get(target).status == 200
    until(lambda: served.get(target).status == 401, 4)


def test_each_segment_of_marked_pictures_is_the_variant_of_the_session(served: Farm) -> None:
    token = served.token(VERSION_ID, variants=VARIANTS)
    told = "".join(
        served.get(f"/t/{token}/{VERSION}/m1/x{number}.m4s").body.decode()[0] for number in MARKED
    )
    assert told == "abaabbbaabbabbbb" * 2 + "abaabbba"
    assert served.get(f"/t/{token}/{VERSION}/{WARM}").body == FILES[WARM]


@pytest.mark.parametrize("name", ["a1.m4s", "b1.m4s", "x0.m4s", "x01.m4s", "x41.m4s", "x.m4s"])
def test_nobody_chooses_a_variant(served: Farm, name: str) -> None:
    token = served.token(VERSION_ID, variants=VARIANTS)
    assert served.get(f"/t/{token}/{VERSION}/m1/{name}").status == 404


def test_without_a_row_of_variants_there_are_no_marked_pictures(served: Farm) -> None:
    assert served.get(f"/t/{served.token(VERSION_ID)}/{VERSION}/m1/x1.m4s").status == 404


@pytest.mark.parametrize(
    "path",
    [
        f"/{VERSION}/../{OTHER_VERSION}/{WARM}",
        f"/{VERSION}/..%2f{OTHER_VERSION}/{WARM}",
        f"/{VERSION}/%2e%2e/{OTHER_VERSION}/{WARM}",
        f"/{VERSION}/..%252f{OTHER_VERSION}/{WARM}",
        f"/{VERSION}/v1/..\\..\\{OTHER_VERSION}\\{WARM}",
        f"/{VERSION}/v1%2f1.m4s",
        f"/{VERSION}/v1/1%2em4s",
        f"/{VERSION}//v1/1.m4s",
        f"//{VERSION}/v1/1.m4s",
        f"/{VERSION}/v1/./1.m4s",
        f"/./{VERSION}/v1/1.m4s",
        f"/{VERSION}/v1/1.m4s/",
        f"/{VERSION}/v1/1.m4s%00",
        f"/{VERSION}/v1/1.m4s%00.vtt",
        f"/{VERSION}/",
        f"/{VERSION}",
        f"/{VERSION}/v1",
        f"/{VERSION}/index.json",
        f"/{VERSION}/../../run/token_keys.json",
        f"/{VERSION}/../../../run/token_keys.json",
        f"/{VERSION}/%2e%2e/%2e%2e/nginx.conf",
        f"/{VERSION}/../../../../../../../../etc/passwd",
        f"/{VERSION.upper()}/v1/1.m4s",
        f"/{VERSION}/v1/1.m4s;a=b",
        f"/{VERSION}/v1/1.m4s#x",
        f"/{VERSION}/a/b/c/d/e.m4s",
        f"/{VERSION}/{'x' * 65}",
        "",
        "/",
    ],
)
def test_no_spelling_of_a_path_leads_anywhere_else(served: Farm, path: str) -> None:
    token = served.token(VERSION_ID)
    assert served.get(f"/t/{token}/{VERSION}/{WARM}").status == 200
    for port in (served.appliance.port, served.appliance.agent_port):
        reply = fetch(port, f"/t/{token}{path}")
        assert reply.status in (400, 401, 403, 404)
        assert b"token_keys" not in reply.body
        assert FILES[WARM][:20] not in reply.body
        assert b"of the other version" not in reply.body


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"/t",
        b"/t/",
        b"/t//",
        b"/views/" + VERSION.encode() + b"/v1/1.m4s",
        b"/%74/x/" + VERSION.encode() + b"/v1/1.m4s",
        b"/t/x\x00/" + VERSION.encode() + b"/v1/1.m4s",
        b"/t/\xff\xfe/" + VERSION.encode() + b"/v1/1.m4s",
        b"/t/" + b"A" * 20_000 + b"/" + VERSION.encode() + b"/v1/1.m4s",
        b"http://localhost/t/x/" + VERSION.encode() + b"/v1/1.m4s",
        b"/health/../views/" + VERSION.encode() + b"/v1/1.m4s",
    ],
)
def test_nothing_is_served_without_a_token(served: Farm, target: bytes) -> None:
    assert served.get(target).status in (400, 401, 404, 414)


def test_refusals_tell_what_is_wrong_and_are_not_cached(served: Farm) -> None:
    forged = served.get(f"/t/{'A' * 100}/{VERSION}/{WARM}")
    assert (forged.status, forged.headers["www-authenticate"]) == (401, "CommonAccessToken")
    assert forged.headers["cache-control"] == "no-store"
    assert forged.headers["access-control-allow-origin"] == "*"
    assert forged.body == b"no token of this appliance that is in time\n"
    other = served.get(f"/t/{served.token(VERSION_ID)}/{OTHER_VERSION}/{WARM}")
    assert (other.status, other.body) == (403, b"the token does not cover this path\n")


def test_a_file_that_is_not_in_the_version_is_not_found(served: Farm) -> None:
    reply = served.get(served.target(VERSION_ID, "v1/77.m4s"))
    assert (reply.status, reply.body) == (404, b"no such file in this version\n")


def test_a_preflight_needs_no_token_and_other_methods_are_not_allowed(served: Farm) -> None:
    preflight = served.get(f"/t/x/{VERSION}/{WARM}", "OPTIONS", Origin="http://page")
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert "Range" in preflight.headers["access-control-allow-headers"]
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        assert served.get(served.target(VERSION_ID, WARM), method).status == 405


def test_the_agent_answers_only_its_own_nginx(served: Farm) -> None:
    port = served.appliance.agent_port
    assert fetch(port, f"/{VERSION}/{WARM}").status == 403
    assert fetch(port, f"/{VERSION}/{WARM}", {"X-Agent-Key": "x"}).status == 403
    genuine = {"X-Agent-Key": served.appliance.agent_key}
    assert fetch(port, f"/{VERSION}/{WARM}", genuine).body == FILES[WARM]
    assert fetch(port, "/health").status == 403
    assert fetch(port, "/health", {"X-Agent-Key": "x"}).status == 403
    assert fetch(port, "/health", genuine).status == 200


def test_the_origin_answers_only_those_with_its_key(served: Farm) -> None:
    port, key = served.origin.port, {"X-Origin-Key": served.origin.key}
    assert fetch(port, f"/{VERSION}/{WARM}").status == 403
    assert fetch(port, f"/{VERSION}/{WARM}", {"X-Origin-Key": "x"}).status == 403
    assert fetch(port, f"/{VERSION}/{WARM}", key).body == FILES[WARM]
    for path in ("..%2f..%2f", "../", "%2e%2e/", "v1/../../", "/v1/", ""):
        assert fetch(port, f"/{VERSION}/{path}{OTHER_VERSION}/{WARM}", key).status in (400, 404)
    assert fetch(port, f"/{VERSION}/{WARM}", key, "DELETE").status == 405


def test_two_keys_overlap_while_they_turn_over(tmp_path: Path) -> None:
    with farm(tmp_path, FILES) as built:
        version_id = built.versions[0].version_id
        first, second = built.keys[0], built.key_for("2026b")

        def status(key: cat.TokenKey) -> int:
            return built.get(f"/t/{built.token(version_id, key)}/{version_id}/{WARM}").status

        until(lambda: status(first) == 200)
        assert status(second) == 401
        built.keys = [second, first]
        built.tell()
        until(lambda: status(second) == 200, 3)
        assert status(first) == 200
        remembered = f"/t/{built.token(version_id, first)}/{version_id}/{WARM}"
        assert built.get(remembered).status == 200
        built.keys = [second]
        built.tell()
        until(lambda: status(first) == 401, 3)
        until(lambda: built.get(remembered).status == 401, 3)


def test_an_appliance_without_keys_says_so_and_takes_no_token(tmp_path: Path) -> None:
    built = Farm(tmp_path)
    try:
        version_id = built.publish(FILES)
        for name in ("origin", "nginx"):
            built.start(name)
        until(lambda: built.answers())
        reply = built.get(built.target(version_id, WARM))
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    finally:
        built.stop_all()
