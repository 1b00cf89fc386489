"""Catalog: what it takes to bring metadata in, and to show it, with many titles."""

import asyncio
import random
import time
from collections.abc import Awaitable

from sqlalchemy import text

from benches.database import served
from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.contexts.catalog import wiring
from cuemark.contracts.catalog import Catalog, ListTitles
from cuemark.contracts.catalog.exchange import ImportMetadata, PersonRow, WorkRow
from cuemark.contracts.catalog.metadata import (
    AgeRating,
    Credit,
    Details,
    ListPeople,
    NameIn,
    OtherId,
    Text,
)
from cuemark.contracts.catalog.works import Kind, ListWorks, ShowWork
from cuemark.contracts.ids import PersonId, TermId, WorkId
from cuemark.kit import link
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.databases import opened

ABOUT = """
Titles drawn by seed 7, a tenth of them episodes of series with seasons of ten, each told in two
languages, with eight credits, genres, ratings and an id of others, are brought in by imports of
2,000 works, each of which is one transaction, on a PostgreSQL of its own. Then, one after the other
and with every message encoded, a member of `de-CH` asks: for a title's page with people and what it
lies in, for a page of 50 titles of the whole list, of a genre, of one of the people, and for the
episodes of a season. All titles are published by one statement in the view.
"""

TITLES, PEOPLE, BATCH, ASKS, SEED = 100_000, 20_000, 2000, 400, 7
GENRES = [
    "drama",
    "comedy",
    "crime",
    "action",
    "thriller",
    "documentary",
    "family",
    "horror",
    "romance",
    "western",
]
SEASON = 10
READER = ["de-CH", "en"]


def measure(stand: Stand) -> list[Figure]:
    titles, people, asks = (2000, 400, 40) if stand.quick else (TITLES, PEOPLE, ASKS)
    stand.tell("catalog")
    with served(stand.scratch("catalog") / "pg") as url:
        return asyncio.run(_measured(url, titles, people, asks))


async def _measured(url: str, titles: int, people: int, asks: int) -> list[Figure]:
    clock, draw = SystemClock(), random.Random(SEED)
    async with opened(url, wiring) as database:
        room = wiring.build(database, Log(clock), clock, Ids(clock))
        catalog = link.local(Catalog, room.service)
        person_ids = await _people(catalog, people)
        seconds = [await _imported(catalog, batch) for batch in _batches(titles, person_ids, draw)]
        await _published(database)
        asked = await _asked(catalog, database, person_ids, asks, draw)
    rows = [figure(f"catalog: import of {BATCH:,} works", seconds, "s")]
    for name, samples in asked.items():
        ordered = sorted(samples)
        rows.append(figure(f"catalog: {name}, median", ordered[len(ordered) // 2], "ms"))
        rows.append(figure(f"catalog: {name}, p99", ordered[len(ordered) * 99 // 100], "ms"))
    return rows


def _batches(titles: int, people: list[PersonId], draw: random.Random) -> list[ImportMetadata]:
    rows: list[WorkRow] = []
    episodes = titles // 10
    for number in range(episodes // SEASON):
        series, season = f"series{number // 2}", f"season{number}"
        if number % 2 == 0:
            rows.append(_row(series, "series", "", None, people, draw))
        rows.append(_row(season, "season", series, number % 2 + 1, people, draw))
        for place in range(SEASON):
            rows.append(_row(f"{season}-{place}", "episode", season, place + 1, people, draw))
    for number in range(titles - episodes):
        rows.append(_row(f"film{number}", "movie", "", None, people, draw))
    return [
        ImportMetadata(works=rows[first : first + BATCH]) for first in range(0, len(rows), BATCH)
    ]


def _row(
    row_id: str,
    kind: Kind,
    parent: str,
    number: int | None,
    people: list[PersonId],
    draw: random.Random,
) -> WorkRow:
    name = f"The {row_id} {draw.randrange(10**6)}"
    credits = [
        Credit(person_id=each, role="director" if place == 0 else "actor", character=f"C{place}")
        for place, each in enumerate(draw.sample(people, 8))
    ]
    details = Details(
        texts=[
            Text(language="en", name=name, synopsis="What happens. " * 20, synopsis_short="What."),
            Text(language="de", name=f"Der {name}", synopsis="Was geschieht. " * 20),
        ],
        year=draw.randrange(1930, 2027),
        countries=["DE"],
        genres=[TermId(each) for each in draw.sample(GENRES, 2)],
        credits=credits,
        ratings=[AgeRating(scheme="FSK", rating="12"), AgeRating(scheme="MPA", rating="R")],
        ids=[OtherId(scheme="house", value=row_id)],
    )
    return WorkRow(id=row_id, kind=kind, parent=parent, number=number, details=details)


async def _people(catalog: Catalog, count: int) -> list[PersonId]:
    for first in range(0, count, BATCH):
        rows = [
            PersonRow(id=f"person{number}", names=[NameIn(language="en", name=f"P {number}")])
            for number in range(first, min(first + BATCH, count))
        ]
        await _imported(catalog, ImportMetadata(people=rows))
    found: list[PersonId] = []
    after = ""
    while len(found) < count:
        page = await catalog.list_people(ListPeople(after=after, limit=200))
        found += [person.person_id for person in page.people]
        after = page.next_cursor
    return found


async def _imported(catalog: Catalog, request: ImportMetadata) -> float:
    begun_s = time.monotonic()
    done = await catalog.import_metadata(request)
    if done.faults:
        raise BenchFailed(f"{done.fault_count} faults, such as {done.faults[0]}")
    return time.monotonic() - begun_s


async def _published(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(
            text(
                "insert into catalog.browse (title_id, name, synopsis, created_at, version_id, "
                "quality, duration_s, artwork_key, published_at) select title_id, name, synopsis, "
                "created_at, 'ver_1', 'full', 3600, 'artwork/1', created_at from catalog.title"
            )
        )
        await transaction.execute(text("analyze"))


async def _asked(
    catalog: Catalog,
    database: Database,
    people: list[PersonId],
    asks: int,
    draw: random.Random,
) -> dict[str, list[float]]:
    async with database.transaction() as transaction:
        rows = await transaction.execute(text("select work_id, kind from catalog.work"))
        works = [(WorkId(row.work_id), str(row.kind)) for row in rows]
    titles = [work_id for work_id, kind in works if kind in ("movie", "episode")]
    seasons = [work_id for work_id, kind in works if kind == "season"]
    pages = await _cursors(catalog)
    found: dict[str, list[float]] = {}
    for _ in range(asks):
        title, season = draw.choice(titles), draw.choice(seasons)
        genre, person = TermId(draw.choice(GENRES)), draw.choice(people)
        cursor = draw.choice(pages)
        asked: dict[str, Awaitable[object]] = {
            "a title's page": catalog.show_work(
                ShowWork(work_id=title, languages=READER, territory="DE")
            ),
            "50 titles": catalog.list_titles(ListTitles(after=cursor, languages=READER)),
            "50 works of a genre": catalog.list_works(ListWorks(term_id=genre, languages=READER)),
            "works of a person": catalog.list_works(ListWorks(person_id=person, languages=READER)),
            "a season's episodes": catalog.list_works(
                ListWorks(parent_id=season, languages=READER)
            ),
        }
        for name, question in asked.items():
            begun_s = time.monotonic()
            await question
            found.setdefault(name, []).append((time.monotonic() - begun_s) * 1000)
    return found


async def _cursors(catalog: Catalog) -> list[str]:
    """Of the first twenty pages."""
    cursors = [""]
    while len(cursors) < 20:
        page = await catalog.list_titles(ListTitles(after=cursors[-1]))
        if not page.next_cursor:
            break
        cursors.append(page.next_cursor)
    return cursors
