"""One contract, two ways to reach it: the object itself, or a client over HTTP.

A contract is a ``Protocol`` of async methods with one request message and one result message,
and a class attribute ``refusals``: the closed set of its errors. ``serve`` makes the routes of
an implementation, ``connect`` a client with the same methods, and ``local`` a client that
encodes and decodes as the remote one does but has no network between. Messages are msgspec
Structs in JSON; unknown fields are ignored, so either side may be the newer one.

A route is ``/internal/<contract>/<method>``. 200 carries the result, 422 a refusal as
``{"code", "message"}`` with ``"details"`` where it tells more, 503 says that something the callee
needs is away.

Routes are for services. Those methods that a contract names in ``for_appliances`` are for
appliances too: each of their requests has an ``appliance_id``, which is to be the caller's own.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast, get_type_hints

import msgspec

from cuemark.kit import deadline, passport, tracing
from cuemark.kit.channel import Channel
from cuemark.kit.errors import UNREADABLE, Refusal, Unavailable

T = TypeVar("T")
Post = Callable[[str, bytes], Awaitable[tuple[int, bytes]]]

REFUSED, FORBIDDEN = 422, 403
SERVICES: frozenset[passport.Role] = frozenset({"service"})
SERVICES_AND_APPLIANCES: frozenset[passport.Role] = SERVICES | {"appliance"}


@dataclass(frozen=True)
class Handler:
    """Answers a request's body with a status and a body. ``callers`` may ask it."""

    answer: Callable[[bytes], Awaitable[tuple[int, bytes]]]
    callers: frozenset[passport.Role]

    async def __call__(self, body: bytes) -> tuple[int, bytes]:
        return await self.answer(body)


class Method(NamedTuple):
    """One method of a contract with the types of its request and result."""

    name: str
    request: type
    result: type


class WireRefusal(msgspec.Struct, frozen=True):
    code: str
    message: str


class TellingRefusal(WireRefusal, frozen=True):
    details: msgspec.Raw = msgspec.Raw()


def methods_of(contract: type) -> list[Method]:
    """The methods of a contract, by name."""
    found = []
    for name, function in inspect.getmembers(contract, inspect.iscoroutinefunction):
        hints = get_type_hints(function)
        result = hints.pop("return")
        (request,) = hints.values()
        found.append(Method(name, request, result))
    return found


def route_of(contract: type, method: str) -> str:
    return f"/internal/{contract.__name__.lower()}/{method}"


def serve(contract: type[T], service: T) -> dict[str, Handler]:
    """Route to handler for every method of ``contract`` on ``service``."""
    own: frozenset[str] = getattr(contract, "for_appliances", frozenset())
    return {
        route_of(contract, method.name): Handler(
            _answer(getattr(service, method.name), method),
            SERVICES_AND_APPLIANCES if method.name in own else SERVICES,
        )
        for method in methods_of(contract)
    }


def _answer(
    call: Callable[[Any], Awaitable[Any]], method: Method
) -> Callable[[bytes], Awaitable[tuple[int, bytes]]]:
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(method.request).decode

    async def handle(body: bytes) -> tuple[int, bytes]:
        try:
            request = decode(body)
        except UNREADABLE as error:
            return 400, msgspec.json.encode(WireRefusal("malformed", str(error)))
        caller = passport.current_passport.get()
        if caller and caller.role == "appliance" and request.appliance_id != caller.subject:
            return _forbidden(f"{caller.subject} asks as itself alone")
        try:
            result = await call(request)
        except Refusal as refusal:
            return REFUSED, msgspec.json.encode(_written(refusal))
        return 200, msgspec.json.encode(result)

    return handle


def _forbidden(why: str) -> tuple[int, bytes]:
    return FORBIDDEN, msgspec.json.encode(WireRefusal("forbidden", why))


def connect(contract: type[T], channel: Channel) -> T:
    """A remote ``contract``: same methods, same refusals, ``Unavailable`` for the rest."""
    return _client(contract, channel.post)


def local(contract: type[T], service: T) -> T:
    """``service`` behind its own messages: what cannot be sent to a remote one fails here too."""
    routes = serve(contract, service)

    async def post(path: str, body: bytes) -> tuple[int, bytes]:
        return await routes[path](body)

    return _client(contract, post)


def _client(contract: type[T], post: Post) -> T:
    refusals = {refusal.code: refusal for refusal in getattr(contract, "refusals", ())}
    body = {
        method.name: _client_method(contract, method, post, refusals)
        for method in methods_of(contract)
    }
    return cast(T, type(f"{contract.__name__}Client", (), body)())


def _client_method(
    contract: type, method: Method, post: Post, refusals: dict[str, type[Refusal]]
) -> Callable[..., Awaitable[Any]]:
    path = route_of(contract, method.name)
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(method.result).decode

    async def call(self: object, request: Any) -> Any:
        status, body = await post(path, msgspec.json.encode(request))
        try:
            if status == 200:
                return decode(body)
            refusal = _read(body, refusals)
        except UNREADABLE as error:
            raise Unavailable(f"{path} answered what this release cannot read") from error
        raise refusal

    call.__name__ = method.name
    return call


def _written(refusal: Refusal) -> WireRefusal:
    if refusal.details is None:
        return WireRefusal(refusal.code, refusal.message)
    details = msgspec.Raw(msgspec.json.encode(refusal.details))
    return TellingRefusal(refusal.code, refusal.message, details)


def _read(body: bytes, refusals: dict[str, type[Refusal]]) -> Refusal:
    wire = msgspec.json.decode(body, type=TellingRefusal)
    kind, told = refusals.get(wire.code, Refusal), bytes(wire.details)
    if not told or kind.tells is None:
        return kind(wire.message)
    return kind(wire.message, msgspec.json.decode(told, type=kind.tells))


Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class InternalApp:
    """The ASGI application of the contract routes. Every call shows the passport of a service, or
    of an appliance where the route is for it: whom a process calls for is in its requests, and a
    member's or an operator's own opens nothing here."""

    def __init__(
        self, routes: Iterable[dict[str, Handler]], office: passport.PassportOffice
    ) -> None:
        self._routes = {path: handler for table in routes for path, handler in table.items()}
        self._office = office

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        status, body = await self._answer(scope["path"], headers, receive)
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, path: str, headers: dict[str, str], receive: Receive
    ) -> tuple[int, bytes]:
        handler = self._routes.get(path)
        if handler is None:
            return 404, msgspec.json.encode(WireRefusal("unknown_route", f"no route {path}"))
        try:
            caller = self._office.verify(headers.get(passport.HEADER, ""))
        except passport.PassportRejected as error:
            return 401, msgspec.json.encode(WireRefusal("unauthenticated", str(error)))
        if caller.role not in handler.callers:
            meant = " and ".join(f"{role}s" for role in sorted(handler.callers))
            return _forbidden(f"{path} is for {meant}, and who asks is of kind {caller.role}")
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        token = passport.current_passport.set(caller)
        budget_s = deadline.told(headers.get(deadline.HEADER))
        try:
            with (
                tracing.trace(tracing.trace_id_of(headers.get(tracing.HEADER))),
                deadline.deadline(budget_s),
            ):
                return await handler(bytes(body))
        except Unavailable as error:
            return 503, msgspec.json.encode(WireRefusal("unavailable", str(error)))
        finally:
            passport.current_passport.reset(token)


async def _lifespan(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
