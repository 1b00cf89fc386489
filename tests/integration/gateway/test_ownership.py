"""What belongs to one member is not there for another, asked of every route by every id it takes.

Which routes take which ids is read from the routes' own description. An id of somebody else is
answered to the byte like one that there is not, and nothing of its owner is touched.
"""

import re
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import pytest_asyncio
from litestar.di import Provide
from sqlalchemy import text

from cuemark.gateway.access import access_of, routes_of
from cuemark.gateway.app import HANDLERS, build_routes
from cuemark.gateway.openapi import openapi_document
from tests.integration.gateway.households import Town, opened_town
from tests.integration.gateway.test_matrix import OWNED, body_of, target
from tests.unit.gateway.asking import Answer
from tests.unit.gateway.neighbours import Town as Neighbourhood
from tests.unit.gateway.test_access import QUERIES, headers_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOSE = {
    "device_id": "device_id",
    "instead_of": "session_id",
    "invoice_id": "invoice_id",
    "login_id": "login_id",
    "passkey_id": "passkey_id",
    "profile_id": "own_profile_id",
    "session_id": "session_id",
}
"""Names of what belongs to one member, and what a household calls its own."""

NOBODYS = {
    "card": "a token of the payment provider, which alone knows whose it is",
    "form": "how an invoice is written",
    "id": "of a passkey: what the authenticator answers to a challenge of this login",
    "kid": "the film's: what opens it is the play",
    "kids": "the film's: what opens it is the play",
    "parent": "a work of the catalog",
    "person": "somebody of the catalog",
    "plan_id": "a plan that is sold",
    "system": "a DRM system",
    "term": "a word of the catalog's vocabularies",
    "title_id": "a title",
    "user_code": "what a television shows, to whoever sees it",
    "work_id": "a work of the catalog",
    "work_ids": "works of the catalog",
}
"""Names of what belongs to nobody, and what they are."""

WORDS = {
    *("after", "attestationObject", "authenticatorData", "caption_languages", "clientDataJSON"),
    *("code", "codecs", "coupon", "device", "dynamic_ranges", "email", "language", "name"),
    *("networks", "new_password", "number", "old_password", "password", "pin", "proof"),
    *("signature", "sound_languages", "sounds", "territory", "text", "transports", "userHandle"),
}
"""Names of text that names nothing of anybody."""


class Route(NamedTuple):
    method: str
    path: str
    in_path: frozenset[str]
    elsewhere: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def owned(self) -> list[str]:
        return sorted((self.in_path | self.elsewhere) & set(WHOSE))


def described() -> Iterator[Route]:
    """Each route that members may call, with the names of all text that it takes."""
    with tempfile.TemporaryDirectory() as folder:
        parts = Neighbourhood(Path(folder)).parts
        app = build_routes(parts)
        given = {"parts": Provide(lambda: parts, sync_to_thread=False)}
        document = msgspec.json.decode(openapi_document("Cuemark", HANDLERS, given))
    schemas = document["components"]["schemas"]
    for method, path, handler in routes_of(app):
        if "member" not in access_of(handler).split("_or_"):
            continue
        operation = document["paths"][re.sub(r":\w+}", "}", path)][method.lower()]
        names = dict(texts_of(operation.get("parameters", []), schemas))
        body = operation.get("requestBody", {}).get("content", {})
        for content in body.values():
            names |= dict.fromkeys(leaves(content.get("schema", {}), schemas), "body")
        in_path = re.findall(r"{(\w+):", path)
        yield Route(method, path, frozenset(in_path), frozenset(names) - set(in_path))


def texts_of(parameters: list[dict[str, Any]], schemas: Any) -> Iterator[tuple[str, str]]:
    for each in parameters:
        schema = {"properties": {each["name"]: each["schema"]}}
        for name in leaves(schema, schemas):
            yield name, str(each["in"])


def leaves(schema: Any, schemas: Any, name: str = "") -> Iterator[str]:
    """The names under which a schema takes any text, however deep."""
    if reference := schema.get("$ref"):
        yield from leaves(schemas[reference.rpartition("/")[2]], schemas, name)
    for part in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(part, []):
            yield from leaves(each, schemas, name)
    for key, value in schema.get("properties", {}).items():
        yield from leaves(value, schemas, key)
    if isinstance(schema.get("items"), dict):
        yield from leaves(schema["items"], schemas, name)
    kinds = schema.get("type")
    is_text = "string" in (kinds if isinstance(kinds, list) else [kinds])
    if name and is_text and not {"enum", "const", "format"} & set(schema):
        yield name


ROUTES = sorted(described())
ASKED = [(route, name) for route in ROUTES for name in route.owned]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("ownership") / "data"
    async with opened_town(folder, module_database_url) as town:
        # Ben's only stream is free, so that nothing but ids can keep him from a play.
        await town.must("DELETE", f"/plays/{town.ben.ids['session_id']}", token=town.ben.token)
        yield town


async def test_every_text_that_a_members_route_takes_says_whose_it_is() -> None:
    assert len(ROUTES) > 60
    for route in ROUTES:
        for name in sorted(route.in_path | route.elsewhere):
            lists = [name in WHOSE, name in NOBODYS, name in WORDS]
            assert sum(lists) == 1, (
                f"{route.name} takes {name}: put it into WHOSE of "
                "tests/integration/gateway/test_ownership.py where it names what belongs to one "
                "member, into NOBODYS where it names something else, else into WORDS"
            )
    named = {name for route in ROUTES for name in route.in_path | route.elsewhere}
    assert named == set(WHOSE) | set(NOBODYS) | WORDS


async def test_the_matrix_has_the_routes_that_name_what_belongs_to_a_member() -> None:
    named = {route.name for route in ROUTES if route.owned}
    named -= {"POST /api/v1/plays"}  # Whose play it is, is who calls; the ids are asked for below.
    assert named == OWNED


@pytest.mark.parametrize(
    ("route", "name"), ASKED, ids=[f"{route.name} {name}" for route, name in ASKED]
)
async def test_what_belongs_to_another_is_answered_like_what_there_is_not(
    town: Town, route: Route, name: str
) -> None:
    annas = town.anna.ids
    theirs = annas[WHOSE[name]]
    made_up = not_there(theirs)
    await town.prove()
    await town.report()
    before = await of_anna(town, annas)
    heard = []
    for value in (made_up, theirs):
        answer = await asked(town, route, name, value, annas)
        heard.append((answer.status, plain(answer.body.decode("latin-1"), value)))
        if route.name == "POST /api/v1/plays" and answer.status < 300:
            play = answer.json()["session_id"]
            await town.must("DELETE", f"/plays/{play}", token=town.ben.token)
    assert heard[0] == heard[1]
    assert await of_anna(town, annas) == before
    kept = route.name == "POST /api/v1/plays"
    done = heard[1][0] < 300 and heard[1][1] != '{"ended":0}'
    assert done == kept, heard[1]


async def asked(
    town: Town, route: Route, name: str, value: str, annas: Mapping[str, str]
) -> Answer:
    """The answer to Ben who names one thing by ``value``, and all else as Anna would."""
    ids = dict(annas)
    body = body_of(route.method, route.path, town.anna)
    if route.name == "POST /api/v1/plays":
        body = {"title_id": town.film.title_id}
    if name in route.in_path:
        ids |= {WHOSE[name]: value, name: value}
        where = target(route.path, ids)
    else:
        where = target(route.path, ids)
        assert isinstance(body, dict)
        body = body | {name: value}
    return await town.ask(
        route.method,
        where + QUERIES.get(route.path, ""),
        token=town.ben.token,
        headers=headers_of(route.method),
        json=body,
    )


async def of_anna(town: Town, annas: Mapping[str, str]) -> dict[str, str]:
    """A digest of what each table has of her."""
    names = ("account_id", "session_id", "invoice_id", "own_profile_id", "profile_id", "passkey_id")
    mine = [annas[each] for each in (*names, "login_id")]
    digests = {}
    async with town.database.transaction() as transaction:
        for table in await town.everything():
            found = await transaction.execute(
                text(
                    f"select md5(string_agg(t::text, '|' order by t::text)) from {table} t "
                    "where t::text like any(:patterns)"
                ),
                {"patterns": [f"%{each}%" for each in mine]},
            )
            digests[table] = str(found.scalar_one())
    assert sum(digest != "None" for digest in digests.values()) > 10
    return digests


def not_there(value: str) -> str:
    """An id of the same form that nobody has."""
    return value[:-8] + "".join(chr((ord(each) - 48 + 1) % 10 + 48) for each in "12345678")


def plain(said: str, value: str) -> str:
    """What an answer says, but for the id that was asked for, ids that were made, and times."""
    said = said.replace(value, "<asked>")
    said = re.sub(r"\b[a-z]{2,4}_[0-9A-Za-z]{16,}", "<id>", said)
    said = re.sub(r"[0-9A-Za-z_-]{40,}(\.[0-9A-Za-z_-]+)*", "<token>", said)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", said)
