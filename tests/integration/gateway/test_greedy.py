"""What is nobody's to set is set by no route: a body may name all that the contracts know.

Twins have the same and do the same at every route that members may write to. One sends what is
meant; the others send that and, beside it, every other field that a message of a contract has,
with values that it would take, ids of somebody else among them. What they are answered and what
is afterwards in the database has to be alike, but for whose it is and when it was.
"""

import dataclasses
import importlib
import pkgutil
import re
import tempfile
import types
import typing
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from litestar.di import Provide
from sqlalchemy import text

from cuemark import contracts
from cuemark.gateway.access import access_of, routes_of
from cuemark.gateway.app import HANDLERS, build_routes
from cuemark.gateway.openapi import openapi_document
from tests.integration.gateway.households import (
    CARD,
    PASSWORD,
    WRITTEN_BY_REFUSALS,
    Household,
    Town,
    opened_town,
)
from tests.integration.gateway.test_matrix import body_of, target
from tests.unit.gateway.asking import Answer
from tests.unit.gateway.neighbours import Town as Neighbourhood
from tests.unit.gateway.test_access import headers_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANOTHER = "battery of correct horses"
MEANT, FIRST, LAST = "dora", "emil", "fred"
"""Who sends what is meant, and who sends more: the first value that a field may have, or the
last."""

API = "/api/v1"


def structs() -> Iterator[type[msgspec.Struct]]:
    for found in pkgutil.walk_packages(contracts.__path__, f"{contracts.__name__}."):
        for each in vars(importlib.import_module(found.name)).values():
            if isinstance(each, type) and issubclass(each, msgspec.Struct):
                yield each


def values_of(kind: Any, victim: str) -> list[Any]:
    """Values that a field of this type takes, as JSON has them."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return [value for each in typing.get_args(kind) for value in values_of(each, victim)]
    if origin is typing.Annotated:
        return values_of(typing.get_args(kind)[0], victim)
    if origin is typing.Literal:
        return list(typing.get_args(kind))
    kind = getattr(kind, "__supertype__", kind)
    if kind is bool:
        return [True, False]
    if kind in (int, float):
        return [0, 7_777_777]
    if kind is str:
        return [victim]
    if kind in (datetime, date):
        return ["2001-01-01T00:00:00Z", "2031-01-01T00:00:00Z"]
    return []


def greed(victims: Mapping[str, str], end: int) -> dict[str, Any]:
    """Every field of the contracts with its first or last value."""
    values: dict[str, list[Any]] = {}
    for struct in structs():
        hints = typing.get_type_hints(struct, include_extras=True)
        for each in msgspec.structs.fields(struct):
            victim = victims.get(each.encode_name, "greedy")
            values.setdefault(each.encode_name, []).extend(values_of(hints[each.name], victim))
    return {name: found[end] for name, found in values.items() if found}


def taken() -> dict[tuple[str, str], set[str]]:
    """The fields that each route that members or anyone may write to takes in a JSON body."""
    with tempfile.TemporaryDirectory() as folder:
        parts = Neighbourhood(Path(folder)).parts
        app = build_routes(parts)
        given = {"parts": Provide(lambda: parts, sync_to_thread=False)}
        document = msgspec.json.decode(openapi_document("Cuemark", HANDLERS, given))
    schemas = document["components"]["schemas"]
    found = {}
    for method, path, handler in routes_of(app):
        open_to = set(access_of(handler).split("_or_")) & {"member", "anyone"}
        if method == "GET" or not open_to or not path.startswith(API):
            continue
        operation = document["paths"][re.sub(r":\w+}", "}", path)][method.lower()]
        content = operation.get("requestBody", {}).get("content", {})
        found[method, path] = {
            name for each in content.values() for name in fields(each.get("schema", {}), schemas)
        }
    return found


def fields(schema: Any, schemas: Any) -> Iterator[str]:
    if reference := schema.get("$ref"):
        yield from fields(schemas[reference.rpartition("/")[2]], schemas)
    for each in (*schema.get("anyOf", []), *schema.get("oneOf", [])):
        yield from fields(each, schemas)
    if isinstance(schema.get("items"), dict):
        yield from fields(schema["items"], schemas)
    for name, each in schema.get("properties", {}).items():
        yield name
        yield from fields(each, schemas)


ENDS = ("/plays", "/changes", "/account/email", "/complete", "/password", "/deletion", "/logout")


def turn_of(route: tuple[str, str]) -> tuple[int, str, str]:
    """What ends something that others need comes after them."""
    method, path = route
    late = next((number for number, end in enumerate(ENDS, 2) if path.endswith(end)), 0)
    return late or (1 if method == "DELETE" else 0), path, method


TAKEN = taken()
ROUTES = sorted(TAKEN, key=turn_of)


DRAWN = [
    (re.compile(r"[0-9a-f]+\.[0-9a-f]{4}\.here"), "<stamp>"),
    (re.compile(r"\$argon2id\$[0-9A-Za-z$=,+/]+"), "<hash>"),
    (re.compile(r'"qr":"[^"]*"'), "<qr>"),
    (re.compile(r"[0-9A-Za-z_+/=-]{22,}"), "<token>"),
    (re.compile(r"\b[a-z]{2,5}_[0-9A-Za-z]{16,}"), "<id>"),
    (re.compile(r"\b(card|mandate)_\d+"), "<id>"),
    (re.compile(r"\b[0-9A-Z]{4}(-[0-9A-Z]{4})+\b"), "<code>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z|\+00:00)?"), "<time>"),
    (re.compile(r"[0-9a-f]{16,}"), "<hex>"),
    (re.compile(r'"(xid|removed_xid|position)": "?\d+"?'), "<number>"),
]
"""What is another each time."""


REFUSED = {
    "POST /api/v1/account/passkeys",
    "POST /api/v1/account/passkeys/options",
    "POST /api/v1/account/proof",
    "POST /api/v1/account/totp/confirm",
    "POST /api/v1/account/totp/removal",
    "POST /api/v1/billing/webhooks",
    "POST /api/v1/email/confirm",
    "POST /api/v1/email/restore",
    "POST /api/v1/login/factor",
    "POST /api/v1/login/passkey",
    "POST /api/v1/login/passkey/options",
    "POST /api/v1/plays/{session_id:str}/licence/{system:str}",
    "POST /api/v1/subscription",
    "POST /api/v1/token",
}
"""What is refused to whoever means it, too: they ask for a factor, a secret or a licence server
that nobody has here, or for a plan on top of the one that there is."""


class Twins:
    """Three households that have the same, and Ben, to whom nothing of it belongs."""

    def __init__(self, town: Town, households: dict[str, Household]) -> None:
        self.town = town
        self.households = households
        self.tables: list[str] = []
        self.columns: dict[str, str] = {}

    async def letter_code(self, email: str) -> str:
        """The code of the newest letter to an address, which nobody sends here."""
        async with self.town.database.transaction() as transaction:
            found = await transaction.execute(
                text(
                    "select plain from mail.letter where recipient = :email "
                    "and plain like '%#code=%' order by written_at desc limit 1"
                ),
                {"email": email},
            )
            code = re.search(r"#code=(\S+)", found.scalar_one())
        assert code is not None
        return code[1]

    async def body(self, name: str, method: str, path: str) -> Any:
        """What somebody sends who means it."""
        of, email = self.households[name], f"{name}@films.example"
        town, short = self.town, path.removeprefix(API)
        match method, short:
            case "POST", "/login":
                return {"email": email, "password": PASSWORD}
            case "POST", "/login/letter" | "/password-reset":
                return {"email": email}
            case "POST", "/password-reset/complete":
                return {"code": await self.letter_code(email), "password": ANOTHER}
            case "POST", "/sign-up":
                return {"email": f"new-{email}"}
            case "POST", "/sign-up/complete":
                return {"code": await self.letter_code(f"new-{email}"), "password": PASSWORD}
            case "POST", "/login/link":
                return {
                    "code": (await town.must("POST", "/login-links", {"email": email})).json()[
                        "code"
                    ]
                }
            case "PUT", "/account/password":
                return {"old_password": ANOTHER, "new_password": PASSWORD}
            case "PUT", "/account/email":
                return {"email": f"other-{email}", "password": PASSWORD}
            case "POST", "/account/deletion":
                return {"password": PASSWORD}
            case "POST", "/account/proof":
                return {"password": PASSWORD}
            case "POST", "/device-sign-in":
                asked = (await town.ask("POST", f"{API}/device_authorization", json={})).json()
                return {"user_code": asked["user_code"], "allow": True}
            case "PUT", "/subscription/card":
                added = await town.must(
                    "POST", "/billing/test-cards", {"number": CARD}, token=of.token
                )
                return {"card": added.json()["token"]}
            case "POST", "/plays":
                return {"title_id": town.film.title_id, "device_id": of.ids["device_id"]}
        return body_of(method, path, of) or {}

    async def done(self, name: str, method: str, path: str, end: int | None) -> tuple[Answer, Any]:
        """What somebody is answered, and what it changed, but for whose it is and when it was."""
        await self._come_in(name)
        of = self.households[name]
        body = await self.body(name, method, path)
        if end is not None:
            greedy = self._columns(end) | greed(self.town.ben.ids, end)
            body = {key: greedy[key] for key in greedy if key not in TAKEN[method, path]} | body
        ids = dict(of.ids) | {
            "work_id": self.town.film.title_id,
            "title_id": self.town.film.title_id,
        }
        await self.town.change("delete from identity.tried")
        before = await self._rows()
        answer = await self.town.ask(
            method,
            target(path, ids),
            token=of.token,
            headers=headers_of(method) | {"content-type": "application/json"},
            json=body,
        )
        after = await self._rows()
        changed = {
            table: (
                sorted(self._masked(each, name) for each in (after[table] - before[table])),
                sorted(self._masked(each, name) for each in (before[table] - after[table])),
            )
            for table in after
            if after[table] != before[table]
        }
        return answer, changed

    async def _come_in(self, name: str) -> None:
        """Log in anew where the route before ended the login."""
        of = self.households[name]
        answer = await self.town.ask("GET", f"{API}/me", token=of.token)
        if answer.status == 401:
            token = await self.town.log_in(f"{name}@films.example")
            self.households[name] = dataclasses.replace(of, token=token)
            await self.town.prove()
            chosen = {"profile_id": of.ids["own_profile_id"]}
            await self.town.must("PUT", "/profile", chosen, token=token)

    async def _rows(self) -> dict[str, Counter[str]]:
        # A play is heard once in a while: which of its requests is written down is when it came.
        asked = " union all ".join(
            f"select '{each}', (to_jsonb(t) - 'heard_at')::text from {each} t"
            for each in self.tables
        )
        rows: dict[str, Counter[str]] = {table: Counter() for table in self.tables}
        async with self.town.database.transaction() as transaction:
            for table, row in await transaction.execute(text(asked)):
                rows[table][row] += 1
        return rows

    async def read_columns(self) -> None:
        """The names of all tables and columns there are, and of which kind these are."""
        everything = set(await self.town.everything())
        self.tables = sorted(everything - WRITTEN_BY_REFUSALS)
        schemas = sorted({table.partition(".")[0] for table in everything})
        async with self.town.database.transaction() as transaction:
            found = await transaction.execute(
                text(
                    "select column_name, data_type from information_schema.columns "
                    "where table_schema = any(:schemas)"
                ),
                {"schemas": schemas},
            )
            self.columns = {row.column_name: row.data_type for row in found}

    def _columns(self, end: int) -> dict[str, Any]:
        kinds: dict[str, list[Any]] = {
            "boolean": [True, False],
            "integer": [0, 7_777_777],
            "bigint": [0, 7_777_777],
            "text": ["greedy"],
            "timestamp with time zone": ["2001-01-01T00:00:00Z", "2031-01-01T00:00:00Z"],
        }
        return {name: kinds[kind][end] for name, kind in self.columns.items() if kind in kinds}

    def _masked(self, said: str, name: str) -> str:
        mine, bens = self.households[name].ids, self.town.ben.ids
        for whose, ids in (("", mine), ("ben's ", {key: bens[key] for key in mine})):
            for key, value in ids.items():
                if len(value) > 20:
                    said = said.replace(value, f"<{whose}{key}>")
        for pattern, kind in DRAWN:
            said = pattern.sub(kind, said)
        return said.replace(name, "<me>")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def twins(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Twins]:
    folder = tmp_path_factory.mktemp("greedy") / "data"
    async with opened_town(folder, module_database_url, more=(MEANT, FIRST, LAST)) as town:
        twins = Twins(town, town.more)
        await twins.read_columns()
        yield twins


async def test_what_is_nobodys_to_set_is_set_by_no_route(twins: Twins) -> None:
    refused, faults = set(), []
    for method, path in ROUTES:
        await twins.town.report()
        await twins.town.prove()
        meant, changed = await twins.done(MEANT, method, path, None)
        said = twins._masked(meant.body.decode("latin-1"), MEANT)
        if meant.status >= 300:
            refused.add(f"{method} {path}")
        for name, end in ((FIRST, 0), (LAST, -1)):
            greedy, moved = await twins.done(name, method, path, end)
            if greedy.status in (400, 422) and not moved:
                continue
            answered = twins._masked(greedy.body.decode("latin-1"), name)
            if (greedy.status, answered, moved) != (meant.status, said, changed):
                faults.append(f"{method} {path} {name}: {answered} {moved} meant: {said} {changed}")
    assert faults == []
    assert refused == REFUSED
