"""Letters on a real PostgreSQL, into a folder and to a real SMTP server."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from sqlalchemy import text

from cuemark.kit import mail
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids
from cuemark.kit.mail import folder as mail_folder
from cuemark.kit.mail import post as mail_post
from cuemark.kit.mail.folder import FolderWay
from cuemark.kit.mail.letter import Envelope, From, Letter, letter
from cuemark.kit.mail.post import Post
from cuemark.kit.mail.sender import FIRST_WAIT_S, LEASE, Outcome, Sender, Way, WayClosed
from cuemark.kit.mail.smtp import SmtpServer, SmtpWay
from tests.databases import opened

KINO = From("Kino", "films@films.example")
DAY = timedelta(days=1)


def to(recipient: str) -> Letter:
    return letter(to=recipient, subject="Hello", greeting="Hi,", paragraphs=["x"], signed="Kino")


class House:
    """The table of letters with a clock, and senders by any way."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = ManualClock()
        self.post = Post(self.clock, Ids(self.clock))

    async def put(self, recipient: str = "ada@example.org") -> None:
        async with self.database.transaction() as transaction:
            await self.post.put(transaction, to(recipient), useless_after=DAY)

    async def waiting(self) -> int:
        async with self.database.transaction() as transaction:
            found = await transaction.execute(text("select count(*) from mail.letter"))
            return int(found.scalar_one())

    async def is_closed(self) -> bool:
        async with self.database.transaction() as transaction:
            return await self.post.is_closed(transaction)

    def sender(self, way: Way) -> Sender:
        return Sender(self.database, self.post, way)


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, mail) as database:
        yield House(database)


class Broken:
    """A way that is closed."""

    async def send(self, envelopes: list[Envelope]) -> Mapping[str, Outcome]:
        raise WayClosed("the line is cut")


class Killed:
    """Sends, and is killed before it can say so."""

    def __init__(self, way: Way) -> None:
        self._way = way

    async def send(self, envelopes: list[Envelope]) -> Mapping[str, Outcome]:
        await self._way.send(envelopes)
        raise asyncio.CancelledError


async def test_a_letter_is_written_with_what_causes_it_or_not_at_all(house: House) -> None:
    async def fails() -> None:
        async with house.database.transaction() as transaction:
            await house.post.put(transaction, to("ada@example.org"), useless_after=DAY)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await house.waiting() == 0


async def test_letters_to_a_folder_are_files_that_are_gone_from_the_table(
    house: House, tmp_path: Path
) -> None:
    await house.put("ada@example.org")
    await house.put("ben@example.org")
    assert await house.sender(FolderWay(tmp_path / "mail", KINO)).send_due() == 2
    assert await house.waiting() == 0
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in eml(tmp_path)]
    assert [each["To"] for each in mails] == ["ada@example.org", "ben@example.org"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in eml(tmp_path))


def eml(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "mail").glob("*.eml"))


async def test_a_sender_that_is_killed_leaves_the_letter_to_the_next_and_it_is_the_same_mail(
    house: House, tmp_path: Path
) -> None:
    await house.put()
    folder = FolderWay(tmp_path / "mail", KINO)
    with pytest.raises(asyncio.CancelledError):
        await house.sender(Killed(folder)).send_due()
    (first,) = (message_from_bytes(path.read_bytes(), policy=default) for path in eml(tmp_path))
    assert await house.sender(folder).send_due() == 0, "it is still taken"
    house.clock.advance(LEASE.total_seconds())
    assert await house.sender(folder).send_due() == 1
    (second,) = (message_from_bytes(path.read_bytes(), policy=default) for path in eml(tmp_path))
    assert first["Message-ID"] == second["Message-ID"]


async def test_senders_at_once_take_letters_of_their_own(house: House, tmp_path: Path) -> None:
    for number in range(30):
        await house.put(f"a{number}@example.org")
    folder = FolderWay(tmp_path / "mail", KINO)
    sent = await asyncio.gather(*(house.sender(folder).send_due() for _ in range(4)))
    assert sum(sent) == 30


async def test_while_the_way_is_closed_letters_wait_and_it_is_told(
    house: House, tmp_path: Path
) -> None:
    await house.put()
    sender = house.sender(Broken())
    for wait in (FIRST_WAIT_S, 2 * FIRST_WAIT_S):
        assert await sender.send_due() == 0
        assert await house.is_closed()
        house.clock.advance(wait - 1)
        assert await house.sender(FolderWay(tmp_path / "mail", KINO)).send_due() == 0
        house.clock.advance(1)
    assert await house.sender(FolderWay(tmp_path / "mail", KINO)).send_due() == 1
    assert not await house.is_closed()


async def test_a_letter_that_comes_too_late_is_thrown_away(house: House, tmp_path: Path) -> None:
    await house.put()
    house.clock.advance(DAY.total_seconds())
    assert await house.sender(FolderWay(tmp_path / "mail", KINO)).send_due() == 0
    assert await house.waiting() == 0
    assert eml(tmp_path) == []


async def test_the_table_has_a_bound(house: House) -> None:
    await house.put()
    async with house.database.transaction() as transaction:
        await transaction.execute(
            text(
                "insert into mail.letter select letter_id || number, recipient, subject, plain, "
                "html, written_at, useless_at, failures, next_try_at "
                "from mail.letter, generate_series(2, :most) as number"
            ),
            {"most": mail_post.MOST_WAITING},
        )
    with pytest.raises(Unavailable, match="too many letters"):
        await house.put()


async def test_the_folder_keeps_the_latest_letters_alone(house: House, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    for number in range(mail_folder.MOST_FILES):
        (tmp_path / "mail" / f"let_{number:04}.eml").touch()
    await house.put()
    await house.sender(FolderWay(tmp_path / "mail", KINO)).send_due()
    assert len(eml(tmp_path)) == mail_folder.MOST_FILES
    assert not (tmp_path / "mail" / "let_0000.eml").exists()
    assert (tmp_path / "mail" / "let_0001.eml").exists()


class Inbox:
    """A mail server's rules: nobody@ does not exist, later@ is busy."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_RCPT(
        self, server: SMTP, session: object, envelope: object, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 No such user"
        if address.startswith("later@"):
            return "451 4.7.1 Try again"
        envelope.rcpt_tos.append(address)  # type: ignore[attr-defined]
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: object, envelope: object) -> str:
        self.mails.append(envelope.content)  # type: ignore[attr-defined]
        return "250 OK"


def check(server: object, session: object, envelope: object, way: str, given: object) -> AuthResult:
    good = given == LoginPassword(b"films", b"secret")
    return AuthResult(success=good)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def server(inbox: Inbox, free_port: int) -> Iterator[SmtpServer]:
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=free_port,
        decode_data=False,
        authenticator=check,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield SmtpServer("127.0.0.1", free_port, "none", "films", "secret")
    finally:
        controller.stop()


async def test_a_mail_server_gets_what_it_takes_and_its_noes_are_heeded(
    house: House, server: SmtpServer, inbox: Inbox
) -> None:
    for name in ("ada", "nobody", "later", "ben"):
        await house.put(f"{name}@example.org")
    sender = house.sender(SmtpWay(server, KINO))
    assert await sender.send_due() == 2
    mails = [message_from_bytes(each, policy=default) for each in inbox.mails]
    assert [each["To"] for each in mails] == ["ada@example.org", "ben@example.org"]
    assert mails[0]["From"] == "Kino <films@films.example>"
    assert await house.waiting() == 1
    assert not await house.is_closed()
    house.clock.advance(FIRST_WAIT_S)
    assert await sender.send_due() == 0
    assert await house.waiting() == 1


@pytest.mark.parametrize(
    "wrong", [{"password": "wrong"}, {"port": 1}, {"security": "starttls"}, {"security": "tls"}]
)
async def test_a_server_that_takes_nothing_of_ours_closes_the_way(
    house: House, server: SmtpServer, wrong: dict[str, object]
) -> None:
    await house.put()
    changed = SmtpServer(**{**vars(server), **wrong})
    assert await house.sender(SmtpWay(changed, KINO)).send_due() == 0
    assert await house.is_closed()
    assert await house.waiting() == 1
