"""What devices, appliances and scripts send: whole requests, as far as a server passes them on."""

import asyncio
import contextlib
import functools
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from stripe import WebhookSignature

from cuemark.app.events import EVENTS
from cuemark.contexts.billing.psp import Psp
from cuemark.contexts.billing.psp.sandbox.adapter import NoAnswer, SandboxPsp
from cuemark.contexts.billing.psp.sandbox.wire import signature_of
from cuemark.contexts.billing.psp.stripe.adapter import Account, StripePsp
from cuemark.contexts.billing.psp.stripe.transport import Transport
from cuemark.contexts.fraud.model.challenges import Challenges
from cuemark.contexts.functions.model import header
from cuemark.contexts.functions.model.header import FunctionInvalid
from cuemark.contexts.functions.wiring import kinds_of
from cuemark.contexts.playback.model import dash, hls
from cuemark.contexts.steering.model import reports, tokens
from cuemark.contexts.steering.model.pathways import PlayTokens
from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contexts.steering.model.redirects import RedirectTokens
from cuemark.contexts.steering.service import SteeringService
from cuemark.contexts.steering.service.holding import Holding
from cuemark.contexts.steering.service.rolling import Rolling
from cuemark.contexts.steering.service.routing import Routing
from cuemark.contexts.steering.store.atlas import Atlas
from cuemark.contracts.billing import WebhookRejected
from cuemark.contracts.encoding.uploads import OpenUpload
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import Rank, Steering
from cuemark.contracts.steering.reports import Report, ReportInvalid
from cuemark.gateway.app import build_gateway
from cuemark.gateway.badges import NOBODY, Badges
from cuemark.kit import cat, deadline, passport, puzzle
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.ids import Ids
from cuemark.kit.link import InternalApp, route_of, serve
from cuemark.kit.outbox import Log
from cuemark.player import dash as player_dash
from cuemark.player import hls as player_hls
from tests.fuzz.tables import DEEP, Table
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import OPERATOR, Town
from tests.unit.playback.versions import version
from tests.unit.steering.teller import untold

EDGE = ApplianceId("edge-a")
NOWHERE = "postgresql+psycopg://cuemark@/cuemark?host=/nowhere"
ANNOUNCED_BYTES = 64
CLOCK = SystemClock()
OFFICE = passport.PassportOffice(b"p" * 32, CLOCK)
KINDS = kinds_of(EVENTS)
MASTERS = [cat.TokenKey("k1", b"k" * 32)]
BADGES = Badges(b"b" * 32, CLOCK)
CHALLENGES = Challenges(b"c" * 32)
KEYRING = tokens.Keyring([EDGE], MASTERS)


class Uploading:
    """A gateway that takes uploads into a folder of its own."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.town = Town(Path(self._folder.name))
        self.ask = Asker(build_gateway(self.town.parts))

    async def open(self, received: bytes) -> tuple[str, Path]:
        """A new upload of which so much has arrived; its id and where it lies."""
        self.town.studio.uploads.clear()
        upload = await self.town.studio.open_upload(
            OpenUpload(name="f.mp4", size_bytes=ANNOUNCED_BYTES, sha256="")
        )
        path = self.town.objects.path(upload.spool_key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(received)
        return upload.upload_id, path


@functools.cache
def loop() -> asyncio.Runner:
    return asyncio.Runner()


@functools.cache
def uploading() -> Uploading:
    return Uploading()


def read_upload(data: bytes) -> None:
    """Header lines, an empty line, a body: what is taken is appended, and nothing else happens."""
    loop().run(_send_upload(data))


async def _send_upload(data: bytes) -> None:
    head, _, body = data.partition(b"\n\n")
    headers = [
        (name.strip(), value.strip())
        for name, _, value in (line.partition(":") for line in head.decode("latin-1").split("\n"))
    ]
    there = b"0123456789"
    upload_id, path = await uploading().open(there)
    answer = await uploading().ask(
        "PATCH", f"/api/v1/uploads/{upload_id}", token=OPERATOR, headers=headers, chunks=[body]
    )
    holds = path.read_bytes()
    if answer.status == 200:
        assert holds == there + body
        assert answer.json()["received_bytes"] == len(holds)
    elif answer.status == 413:
        assert holds == (there + body)[:ANNOUNCED_BYTES]
    else:
        assert answer.status in (400, 401, 403, 409, 415, 422), answer
        assert holds == there


@functools.cache
def internal() -> InternalApp:
    """Steering as appliances reach it; what it would store finds no database, which is a 503."""
    database = Database(NOWHERE, pool_size=1)
    routing, atlas = Routing(database), Atlas((), CLOCK)
    steering = SteeringService(
        database,
        Log(CLOCK),
        CLOCK,
        KEYRING,
        routing,
        Rolling(database, CLOCK, Ids(CLOCK), (), ()),
        Holding(untold()),
        atlas,
        PlayTokens(MASTERS),
        RedirectTokens(MASTERS),
    )
    return InternalApp([serve(Steering, steering)], OFFICE)


def read_report(data: bytes) -> None:
    """A deadline, an empty line, the body of a report: refused, or such that viewers can be sent
    where it says, with manifests that players read."""
    budget, _, body = data.partition(b"\n\n")
    status = loop().run(_report(budget, body))
    try:
        report = msgspec.json.decode(body, type=Report)
        reports.check_report(report)
    except (*UNREADABLE, ReportInvalid):
        assert status in (400, 422)
        return
    assert status == (503 if report.appliance_id == EDGE else 422)
    said = Appliance(EDGE, report.url, report.healthy, report.in_flight, CLOCK.now())
    rank = Rank(
        session_id=PlaySessionId("ses_1"), version_id=VersionId("ver_1"), expires_at=CLOCK.now()
    )
    ranking = [tokens.media_address(said, rank, KEYRING.current_of(EDGE), CLOCK.now())]
    player_dash.parse(dash.manifest(version(), ranking))
    player_hls.parse_multivariant(hls.manifest(version(), ranking, "https://films.test/p/licence"))


async def _report(budget: bytes, body: bytes) -> int:
    caller = OFFICE.mint(passport.Passport(subject="edge-a", role="service"))
    headers = [(passport.HEADER.encode(), caller.encode()), (deadline.HEADER.encode(), budget)]
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    path = route_of(Steering, "report")
    await internal()({"type": "http", "path": path, "headers": headers}, receive, send)
    status: int = messages[0]["status"]
    return status


_REPORT = (
    b'{"appliance_id":"edge-a","url":"http://127.0.0.1:8081","healthy":true,"in_flight":1,'
    b'"inventory_revision":1,"versions":["ver_1"]}'
)


def read_function(data: bytes) -> None:
    with contextlib.suppress(FunctionInvalid):
        toml = header.inline(data)
        if toml is not None:
            header.read(toml, KINDS, is_inline=True)


def read_payment_webhook(data: bytes) -> None:
    """A line that is the signature, then the body; and the same body with the right signature."""
    signature, _, body = data.partition(b"\n")
    secret = "whsec_fuzz"
    psps: list[Psp] = [
        SandboxPsp(_nobody, b"fuzz"),
        StripePsp(Account("sk_1", secret, ""), Transport()),
    ]
    right = [signature_of(b"fuzz", body)]
    with contextlib.suppress(UnicodeDecodeError):
        right.append(str(WebhookSignature.generate_signature_header(body.decode(), secret)))
    for psp in psps:
        for shown in (signature.decode("latin-1"), *right):
            with contextlib.suppress(WebhookRejected):
                assert psp.parse_webhook(body, shown).event_id is not None


async def _nobody(path: str, body: bytes) -> tuple[int, bytes]:
    raise NoAnswer(path)


def read_badge(data: bytes) -> None:
    """A cookie that nobody of us made says nothing."""
    assert BADGES.read(data.decode("latin-1")) == NOBODY


def read_answer(data: bytes) -> None:
    """An answer to no challenge of ours opens nothing."""
    text = data.decode(errors="replace")
    assert not CHALLENGES.spend(text, "login mail_x", CLOCK.now().timestamp())
    puzzle.solves("challenge", text, 8)


PARSERS: Table = {
    "payment-webhook": (
        read_payment_webhook,
        [
            b'0\n{"event_id":"evt_1","key":"inv_1:1"}',
            b't=1,v1=0\n{"id":"evt_1","data":{"object":{"metadata":{"cuemark_key":"inv_1:1"}}}}',
            b"t=1,v1=\xfc\n{}",
            b"\n" + DEEP,
        ],
    ),
    "badge": (
        read_badge,
        [b"WyJkIiw5LFsibSJdXQ.c2lnbmF0dXJl", b".", b"e30.", b"a" * 990 + b".a"],
    ),
    "answer": (read_answer, [b"WyJuIiwicyIsMCw5XQ.c2lnbmF0dXJl:7", b":", b".:0", b"a.b:99999"]),
    "upload": (
        read_upload,
        [
            b"Upload-Offset: 10\n\nabc",
            b"Upload-Offset: 10\n\n" + b"x" * 80,
            b"upload-offset: 0\ncontent-type: application/json\ncontent-length: 3\n\nabc",
        ],
    ),
    "function": (
        read_function,
        [
            b'# /// script\n# [tool.cuemark]\n# on = ["encoding.*"]\n# reads = ["report"]\n# ///\n',
            b"# /// script\r\n# on = 1\r\n# ///\r\n# /// script\n#\n# ///\n",
            b"# /// script\n# a" + b".a" * 3000 + b" = 1\n# ///\n",
            b"# /// script\n# a = " + b"[" * 3000 + b"\n# ///\n",
        ],
    ),
    "report": (read_report, [b"1500\n\n" + _REPORT, b"\n\n" + DEEP]),
}
