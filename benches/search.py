"""Search: how long a question takes among 100,000 titles, and how fast an index is built."""

import asyncio
import gc
import gzip
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benches.database import served
from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.spread import percentile
from benches.stand import Stand
from cuemark.contexts.catalog import wiring as catalog_wiring
from cuemark.contexts.rights import wiring as rights_wiring
from cuemark.contexts.search import wiring
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.catalog.exchange import ImportMetadata, PersonRow, WorkRow
from cuemark.contracts.catalog.metadata import Credit, Details, ListPeople, NameIn, Term, Text
from cuemark.contracts.ids import PersonId, TermId, TitleId, WorkId
from cuemark.contracts.search import FindLike, Found, Search, SearchFor, Viewpoint
from cuemark.kit import link
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.databases import opened

FILMS = Path(__file__).parents[2] / "shared" / "data" / "wikipedia-movies"
TITLES, ASKS, SEED, BATCH = 100_000, 400, 52, 1000
BUDGET = Anchor("budget: 30 ms", 30.0)
ABOUT = f"""
`python -m benches search` makes a catalog of {TITLES:,} titles of the films of
`../shared/data/wikipedia-movies` (names, casts, genres, years, the first sentences about them),
several times over under altered names, all of them published and a few popular. One process asks
one question at a time, drawn from seed {SEED}, with every message encoded: names as they are, with
slips of the finger, their beginnings as they are typed, people, a genre with a word of a name,
words of synopses, and what is like a title. What may be shown is asked of the real catalog and the
real rights for each page of 24.
"""
ALTERED = ("", "Return of", "Return to", "Beyond", "After", "The Last", "Night of", "Tales of")


@dataclass(frozen=True)
class Film:
    """A film of the data."""

    name: str
    year: int
    cast: Sequence[str]
    genres: Sequence[str]
    told: str


def measure(stand: Stand) -> list[Figure]:
    titles, asks = (1000, 12) if stand.quick else (TITLES, ASKS)
    films = _films()
    with served(stand.scratch("search") / "pg") as url:
        return asyncio.run(_measured(url, films, titles, asks, stand.tell))


async def _measured(
    url: str, films: Sequence[Film], titles: int, asks: int, tell: Callable[[str], None]
) -> list[Figure]:
    clock, draw = SystemClock(), random.Random(SEED)
    log = Log(clock)
    async with opened(url, catalog_wiring, rights_wiring, wiring) as database:
        catalog = catalog_wiring.build(database, log, clock, Ids(clock)).service
        rights = rights_wiring.build(database, log, clock, rights_wiring.Terms()).service
        room = wiring.build(database, log, clock, catalog, rights)
        tell("bringing in")
        await _bring_in(catalog, films, titles)
        await _publish(database)
        tell("indexing")
        begun_s = time.monotonic()
        indexer = wiring.Indexer(database, catalog, clock)
        while await indexer.work():
            pass
        rate = titles / (time.monotonic() - begun_s)
        asked = await _asked(link.local(Search, room.service), database, films, asks, draw, tell)
    rows = [figure("search: works indexed", [rate], "1/s")]
    for name, samples in asked.items():
        rows.append(figure(f"search: {name}, median", percentile(samples, 0.5), "ms"))
        rows.append(figure(f"search: {name}, p99", percentile(samples, 0.99), "ms", anchor=BUDGET))
    return rows


def _films() -> list[Film]:
    files = sorted(FILMS.glob("movies-*.json.gz"))
    if not files:
        raise BenchFailed(f"{FILMS} has no films")
    return [
        Film(
            name=each["title"][:190],
            year=each["year"],
            cast=each["cast"][:8],
            genres=each["genres"][:4],
            told=(each.get("extract") or "")[:600],
        )
        for file in files
        for each in json.loads(gzip.decompress(file.read_bytes()))
        if each["title"].strip()
    ]


def _rows(films: Sequence[Film], titles: int) -> Iterator[tuple[str, Film]]:
    for number in range(titles):
        film = films[number % len(films)]
        before = ALTERED[number // len(films) % len(ALTERED)]
        yield f"{before} {film.name}".strip(), film


async def _bring_in(catalog: Catalog, films: Sequence[Film], titles: int) -> None:
    people = sorted(
        {name for _, film in _rows(films, titles) for name in film.cast if name.strip()}
    )
    genres = sorted({name for film in films for name in film.genres})
    terms = {
        name: TermId("".join(c if c.isalnum() else "-" for c in name.lower()).strip("-"))
        for name in genres
    }
    await _imported(
        catalog,
        ImportMetadata(
            terms=[
                Term(term_id=each, vocabulary="genre", names=[NameIn(language="en", name=name)])
                for name, each in terms.items()
            ]
        ),
    )
    ids: dict[str, PersonId] = {}
    for first in range(0, len(people), 2000):
        some = people[first : first + 2000]
        rows = [
            PersonRow(id=f"p{first + n}", names=[NameIn(language="en", name=name[:190])])
            for n, name in enumerate(some)
        ]
        await _imported(catalog, ImportMetadata(people=rows))
    after = ""
    while True:
        page = await catalog.list_people(ListPeople(after=after, limit=200))
        ids |= {each.names[0].name: each.person_id for each in page.people}
        after = page.next_cursor
        if not after:
            break
    works: list[WorkRow] = []
    for number, (name, film) in enumerate(_rows(films, titles)):
        works.append(_row(number, name, film, ids, terms))
        if len(works) == BATCH:
            await _imported(catalog, ImportMetadata(works=works))
            works = []
    if works:
        await _imported(catalog, ImportMetadata(works=works))


def _row(
    number: int, name: str, film: Film, people: dict[str, PersonId], terms: dict[str, TermId]
) -> WorkRow:
    cast = [people[each[:190]] for each in dict.fromkeys(film.cast) if each[:190] in people]
    return WorkRow(
        id=f"film{number}",
        kind="movie",
        details=Details(
            texts=[Text(language="en", name=name, synopsis=film.told)],
            year=film.year if 1870 < film.year < 2100 else None,
            genres=[terms[each] for each in film.genres],
            credits=[Credit(person_id=each, role="actor") for each in dict.fromkeys(cast)],
        ),
    )


async def _imported(catalog: Catalog, request: ImportMetadata) -> None:
    done = await catalog.import_metadata(request)
    if done.faults:
        raise BenchFailed(f"{done.fault_count} faults, such as {done.faults[0]}")


async def _publish(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(
            text(
                "insert into catalog.browse (title_id, name, synopsis, created_at, version_id, "
                "quality, duration_s, artwork_key, published_at) select title_id, name, synopsis, "
                "created_at, 'ver_1', 'full', 3600, 'artwork/1', created_at from catalog.title"
            )
        )
        # One in twenty is played, as seldom as its place in a list that is drawn.
        await transaction.execute(
            text(
                "insert into search.title (title_id, published, popularity) select title_id, true, "
                "case when hashtext(title_id) % 20 = 0 then 84 + abs(hashtext(name)) % 12 end "
                "from catalog.title"
            )
        )
    async with database.transaction() as transaction:
        await transaction.execute(text("analyze"))


async def _asked(
    search: Search,
    database: Database,
    films: Sequence[Film],
    asks: int,
    draw: random.Random,
    tell: Callable[[str], None],
) -> dict[str, list[float]]:
    async with database.transaction() as transaction:
        rows = await transaction.execute(text("select work_id from catalog.work order by work_id"))
        works = [WorkId(each) for each in rows.scalars()]
    watched = [draw.choice(works) for _ in range(10)]
    viewpoint = Viewpoint(languages=["en"], territory="DE", watched=[*map(_title, watched)])

    def asking(said: str) -> SearchFor:
        return SearchFor(text=said[:200], viewpoint=viewpoint)

    # What the bench itself keeps in memory is not to be looked through in mid-question.
    gc.freeze()
    kinds: dict[str, Callable[[Film], Awaitable[Found]]] = {
        "a name": lambda film: search.search(asking(film.name)),
        "a name with a slip": lambda film: search.search(asking(_slipped(film.name, draw))),
        "1 letter typed": lambda film: search.suggest(asking(film.name[:1])),
        "2 letters typed": lambda film: search.suggest(asking(film.name[:2])),
        "3 letters typed": lambda film: search.suggest(asking(film.name[:3])),
        "a beginning typed": lambda film: search.suggest(
            asking(film.name[: draw.randrange(4, max(5, len(film.name)))])
        ),
        "a beginning with a slip": lambda film: search.suggest(
            asking(_slipped(film.name[: draw.randrange(5, max(6, len(film.name)))], draw))
        ),
        "a person": lambda film: search.search(asking(draw.choice(film.cast or ["Nobody"]))),
        "a genre and a word": lambda film: search.search(
            asking(f"{(film.genres or ['Drama'])[0]} {film.name.split()[-1]}")
        ),
        "a genre": lambda film: search.search(asking((film.genres or ["Drama"])[0])),
        "words of a synopsis": lambda film: search.search(
            asking(
                " ".join(draw.sample(film.told.split() or ["nothing"] * 3, 3))
                if len(film.told.split()) > 2
                else "nothing of it"
            )
        ),
        "like a title": lambda film: search.like(
            FindLike(work_id=draw.choice(works), viewpoint=viewpoint)
        ),
        "like a name": lambda film: search.search(asking(f"something like {film.name}")),
    }
    found: dict[str, list[float]] = {}
    for name, ask in kinds.items():
        tell(f"asking: {name}")
        for number in range(asks + 5):
            film = draw.choice(films)
            begun_s = time.monotonic()
            await ask(film)
            if number >= 5:
                found.setdefault(name, []).append((time.monotonic() - begun_s) * 1000)
    return found


def _title(work_id: WorkId) -> TitleId:
    return TitleId(work_id)


def _slipped(name: str, draw: random.Random) -> str:
    """The name with a letter missing, doubled, wrong, or two in each other's place."""
    if len(name) < 4:
        return name
    at = draw.randrange(1, len(name) - 1)
    return draw.choice(
        [
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + draw.choice("etaoinshr") + name[at + 1 :],
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        ]
    )
