"""The table of letters that wait; all the SQL of mail."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text

from cuemark.kit.clock import Clock
from cuemark.kit.database import Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids
from cuemark.kit.mail.letter import LETTER, Envelope, Letter

MOST_WAITING = 10_000


class Post:
    """Letters are put in by whoever causes them, and taken out by senders."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def put(
        self, transaction: Transaction, letter: Letter | None, *, useless_after: timedelta
    ) -> None:
        """Write a letter into the transaction of what causes it.

        None costs the same and leaves nothing, for callers who must not be seen to write to
        nobody. A letter that is not sent before ``useless_after`` is thrown away. ``Unavailable``
        where ``MOST_WAITING`` wait already.
        """
        now = self._clock.now()
        waiting = await transaction.execute(
            text("select count(*) from (select from mail.letter limit :most) as waiting"),
            {"most": MOST_WAITING},
        )
        if waiting.scalar_one() >= MOST_WAITING:
            raise Unavailable("too many letters wait to be sent")
        await transaction.execute(
            text(
                "insert into mail.letter (letter_id, recipient, subject, plain, html, written_at, "
                "useless_at, next_try_at) select :letter_id, :recipient, :subject, :plain, :html, "
                ":now, :useless_at, :now where :real"
            ),
            {
                "letter_id": self._ids.new(LETTER),
                "recipient": letter.recipient if letter else "",
                "subject": letter.subject if letter else "",
                "plain": letter.plain if letter else "",
                "html": letter.html if letter else "",
                "now": now,
                "useless_at": now + useless_after,
                "real": letter is not None,
            },
        )

    async def is_closed(self, transaction: Transaction) -> bool:
        """Whether the way that letters go was closed when it was tried last: they wait."""
        found = await transaction.execute(text("select exists (select from mail.closed)"))
        return bool(found.scalar_one())

    async def take(
        self, transaction: Transaction, most: int, lease: timedelta
    ) -> list[tuple[Envelope, int]]:
        """The letters whose turn it is, with how often each has failed.

        They are nobody else's until ``lease`` is over: by then they are sent, or whoever took
        them is gone.
        """
        now = self._clock.now()
        rows = await transaction.execute(
            text(
                "update mail.letter set next_try_at = :until where letter_id in "
                "(select letter_id from mail.letter where next_try_at <= :now "
                "order by next_try_at limit :most for update skip locked) "
                "returning letter_id, recipient, subject, plain, html, written_at, failures"
            ),
            {"now": now, "until": now + lease, "most": most},
        )
        taken = [
            (
                Envelope(
                    row.letter_id,
                    Letter(row.recipient, row.subject, row.plain, row.html),
                    row.written_at,
                ),
                int(row.failures),
            )
            for row in rows
        ]
        return sorted(taken, key=lambda each: each[0].letter_id)

    async def drop(self, transaction: Transaction, letter_id: str) -> None:
        await transaction.execute(
            text("delete from mail.letter where letter_id = :letter_id"), {"letter_id": letter_id}
        )

    async def drop_useless(self, transaction: Transaction, most: int) -> list[str]:
        """Throw away letters that come too late to be of use; return their ids."""
        rows = await transaction.execute(
            text(
                "delete from mail.letter where letter_id in (select letter_id from mail.letter "
                "where useless_at <= :now limit :most for update skip locked) returning letter_id"
            ),
            {"now": self._clock.now(), "most": most},
        )
        return [str(row.letter_id) for row in rows]

    async def postpone(
        self, transaction: Transaction, letter_ids: Sequence[str], wait: timedelta, *, failed: bool
    ) -> None:
        """Try these again after ``wait``; ``failed`` counts it against them."""
        await transaction.execute(
            text(
                "update mail.letter set next_try_at = :at, failures = failures + :more "
                "where letter_id = any(:letter_ids)"
            ),
            {"at": self._clock.now() + wait, "more": int(failed), "letter_ids": list(letter_ids)},
        )

    async def close(self, transaction: Transaction) -> None:
        """Note that the way is closed, since now unless it was before."""
        await transaction.execute(
            text("insert into mail.closed (since) values (:now) on conflict do nothing"),
            {"now": self._clock.now()},
        )

    async def open(self, transaction: Transaction) -> datetime | None:
        """Note that the way is open; since when it was closed, where it was."""
        found = await transaction.execute(text("delete from mail.closed returning since"))
        since: datetime | None = found.scalar_one_or_none()
        return since
