"""The SQL of search: an index is one generation of tables, ``search.work_1`` and so on.

A new generation is built beside the one that is searched. What it searches by is made at its end,
as one statement each, and then it is the current one.
"""

from datetime import datetime

from sqlalchemy import text

from cuemark.kit.database import Database, Transaction
from cuemark.kit.direct import Query

SCHEMA = "search"
_SEARCHED = Query(
    text(
        "select number, works from search.generation where state = 'current' "
        "order by number desc limit 1"
    )
)
_LOCK = {"name": "search.index"}


async def alone(transaction: Transaction) -> bool:
    """Whether nobody else writes into indexes, until the end of the transaction."""
    found = await transaction.execute(
        text("select pg_try_advisory_xact_lock(hashtextextended(:name, 0))"), _LOCK
    )
    return bool(found.scalar_one())


async def current(transaction: Transaction) -> int | None:
    """The number of the generation that is searched."""
    found = await transaction.execute(
        text("select max(number) from search.generation where state = 'current'")
    )
    number: int | None = found.scalar_one()
    return number


async def searched(database: Database) -> tuple[int, int] | None:
    """The number of the generation that is searched, and about how many works it has."""
    found = await database.ask(_SEARCHED, {})
    return (found[0].number, found[0].works) if found else None


async def is_behind(transaction: Transaction) -> bool:
    """Whether there is an index to build, or a change to take in."""
    found = await transaction.execute(
        text(
            "select not exists (select from search.generation where state = 'current') "
            "or exists (select from search.generation where state = 'building') "
            "or exists (select from search.waiting) or exists (select from search.spreading)"
        )
    )
    return bool(found.scalar_one())


async def building(transaction: Transaction) -> tuple[int, str, int] | None:
    """The number of the one that is built, up to where it has read, and how many works it has."""
    found = await transaction.execute(
        text("select number, after, works from search.generation where state = 'building'")
    )
    row = found.one_or_none()
    return (row.number, row.after, row.works) if row else None


async def begin(transaction: Transaction) -> int:
    """Make the tables of a new generation; the number."""
    found = await transaction.execute(
        text(
            "insert into search.generation (number, state) "
            "select coalesce(max(number), 0) + 1, 'building' from search.generation "
            "returning number"
        )
    )
    number = int(found.scalar_one())
    for statement in _tables(number):
        await transaction.execute(text(statement))
    return number


async def advance(transaction: Transaction, number: int, after: str, works: int) -> None:
    await transaction.execute(
        text(
            "update search.generation set after = :after, works = works + :works "
            "where number = :number"
        ),
        {"number": number, "after": after, "works": works},
    )


async def finish(transaction: Transaction, number: int, now: datetime) -> None:
    """Let a generation be searched, and the one before rest until nobody can be in it."""
    found = await transaction.execute(
        text("select works from search.generation where number = :number"), {"number": number}
    )
    few = FEW_TOLD * int(found.scalar_one())
    for statement in (*_GATHER_UP, *_INDEXES):
        values = {"few": few} if ":few" in statement else {}
        await transaction.execute(text(statement.format(number=number)), values)
    await transaction.execute(
        text(
            "update search.generation set state = 'retired', retired_at = :now "
            "where state = 'current'"
        ),
        {"now": now},
    )
    await transaction.execute(
        text(
            "update search.generation set state = 'current', whole_at = :now, after = '' "
            "where number = :number"
        ),
        {"number": number, "now": now},
    )


async def drop_retired(transaction: Transaction, before: datetime) -> int:
    """Drop the generations that were retired before a time; how many there were."""
    found = await transaction.execute(
        text(
            "delete from search.generation where state = 'retired' and retired_at < :before "
            "returning number"
        ),
        {"before": before},
    )
    numbers = [int(each) for each in found.scalars()]
    for number in numbers:
        for table in ("work", "name", "word", "begin"):
            await transaction.execute(text(f"drop table search.{table}_{number}"))
    return len(numbers)


async def standing(
    transaction: Transaction,
) -> tuple[tuple[int, datetime | None] | None, tuple[int, int] | None, int, int]:
    """The current number and since when; the one that is built and its works; how many works are
    searched; how many changes wait."""
    found = await transaction.execute(
        text(
            "select number, state, works, whole_at from search.generation where state <> 'retired'"
        )
    )
    rows = {row.state: row for row in found}
    now, next_one = rows.get("current"), rows.get("building")
    works = 0
    if now is not None:
        count = await transaction.execute(text(f"select count(*) from search.work_{now.number}"))
        works = int(count.scalar_one())
    waiting = await transaction.execute(
        text(
            "select (select count(*) from search.waiting) + (select count(*) from search.spreading)"
        )
    )
    return (
        (now.number, now.whole_at) if now else None,
        (next_one.number, next_one.works) if next_one else None,
        works,
        int(waiting.scalar_one()),
    )


def _tables(number: int) -> tuple[str, ...]:
    return (
        f"""
        create table search.work_{number} (
          work_id text primary key,
          plays boolean not null,
          launch_at timestamptz,
          popularity double precision not null,
          size integer not null,
          names text[] not null,
          titles tsvector not null,
          words tsvector not null,
          told tsvector not null,
          tags text[] not null,
          facts bytea not null,
          vector bytea not null
        )""",
        f"""
        create table search.name_{number} (
          name_id text primary key,
          what text not null,
          weight double precision not null default 0,
          names bytea not null,
          words tsvector not null
        )""",
        f"""
        create table search.word_{number} (
          word text collate "C" primary key,
          often integer not null,
          titled integer not null,
          told integer not null default 0,
          near text[] not null,
          sound text not null
        )""",
        f"""
        create table search.begin_{number} (
          letters text primary key,
          often integer not null,
          titled integer not null
        )""",
    )


_GATHER_UP = (
    "create index on search.work_{number} using gin (tags)",
    "analyze search.work_{number}",
    # What holds titles is as popular as the most popular of them, and plays where one plays.
    "update search.work_{number} w set plays = w.plays or within.plays, "
    "popularity = greatest(w.popularity, within.popularity) from (select tag, bool_or(plays) "
    "as plays, max(popularity) as popularity from search.work_{number}, unnest(tags) tag "
    "group by tag) within where w.work_id = within.tag",
    "update search.name_{number} n set weight = log(2.0, named.works) from (select tag, "
    "count(*)::numeric + 1 as works from search.work_{number}, unnest(tags) tag group by tag) "
    "named where n.name_id = named.tag",
)


FEW_TOLD = 0.001
"""The share of works up to which it is not counted how many synopses have a word."""


def common(works: int) -> float:
    """The number of works from which on a word tells nothing of a synopsis."""
    return max(1000, 0.04 * works)


def frequent(works: int) -> float:
    """The number of works from which on a word, or what it begins, is looked for among the most
    popular works instead of by its index: going through them until some have it is then quicker
    than reading all that have it."""
    return max(1000, 0.02 * works)


_INDEXES = (
    # The popular ones lie together, as they are read together.
    "create index work_{number}_popular on search.work_{number} (popularity desc, size, work_id)",
    "cluster search.work_{number} using work_{number}_popular",
    "create index on search.work_{number} using gin (titles)",
    "create index on search.work_{number} using gin (words)",
    "create index on search.work_{number} using gin (told)",
    "create index on search.work_{number} using gin (names)",
    "create index on search.name_{number} using gin (words)",
    "create index name_{number}_popular on search.name_{number} (weight desc, name_id)",
    "cluster search.name_{number} using name_{number}_popular",
    "create index on search.word_{number} using gin (near)",
    "create index on search.word_{number} using gin (word gin_trgm_ops)",
    "create index on search.word_{number} (sound) where sound <> ''",
    "analyze search.work_{number}",
    "analyze search.name_{number}",
    "insert into search.word_{number} (word, often, titled, told, near, sound) "
    "select word, 0, 0, ndoc, '{{}}', '' from ts_stat('select told from search.work_{number}') "
    "where ndoc > :few on conflict (word) do update set told = excluded.told",
    "insert into search.begin_{number} (letters, often, titled) select left(word, length), "
    "sum(often), sum(titled) from search.word_{number}, generate_series(1, 3) length "
    "where length(word) >= length group by 1",
    "analyze search.word_{number}",
)
