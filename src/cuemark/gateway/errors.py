"""Errors as answers, mapped once.

Refusal              its own status and code
|-- Forbidden        403: the caller's role may not do this
|-- NotForKids       403: a kids' profile may not do this
|-- ProfileNotChosen 403: this login has not been put on a profile yet
|-- StepUpNeeded     403: the login is to be proved anew, by `POST /account/proof`
|-- ForeignOrigin    403: a browser's write that does not come from our own page
|-- NotFound         404
|-- MalformedRequest 400: the request cannot be read; says which part
|-- WrongMediaType   415: a JSON route got something else
|-- TooManyBytes     413: more bytes than announced or allowed
|-- ProofNeeded      403: the same is taken once the work of a challenge was done
|-- LetterNeeded     403: a login link by mail opens what a password does not now
|-- TooManyRequests  429: more than is let pass from here, and when to ask again
|-- UploadBusy       409: another connection writes this upload
`-- StorageFull      507: the disk is full
Unavailable          503 with Retry-After; NoRoom, as an OSError for want of room, 507
HTTPException        the framework's own: 400, 404, 405, 413, 422
anything else        500 with the trace id, and an event in the log
"""

import errno

import msgspec
import structlog
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Response

from cuemark.contracts.playback.streams import StreamsHeld
from cuemark.gateway.operations import pages
from cuemark.gateway.parts import AnyRequest
from cuemark.gateway.views import ChallengeView, ErrorBody, ErrorView, StreamView
from cuemark.kit.errors import NoRoom, Refusal, Unavailable
from cuemark.kit.tracing import current_trace_id

RETRY_AFTER_S = 2

_FRAMEWORK_ERRORS = {
    400: ("malformed", "The request cannot be read."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not answer to that method."),
    413: ("too_many_bytes", "The request is larger than this address takes."),
}


class Forbidden(Refusal):
    code = "forbidden"
    status = 403


class NotForKids(Refusal):
    code = "not_for_kids"
    status = 403


class ProfileNotChosen(Refusal):
    code = "profile_not_chosen"
    status = 403


class StepUpNeeded(Refusal):
    code = "step_up_needed"
    status = 403


class ForeignOrigin(Refusal):
    code = "foreign_origin"
    status = 403


class NotFound(Refusal):
    code = "not_found"
    status = 404


class MalformedRequest(Refusal):
    code = "malformed"
    status = 400


class WrongMediaType(Refusal):
    code = "wrong_media_type"
    status = 415


class TooManyBytes(Refusal):
    code = "too_many_bytes"
    status = 413


class ProofNeeded(Refusal):
    code = "proof_needed"
    status = 403

    def __init__(self, challenge: str, bits: int) -> None:
        super().__init__("Prove by some work that you are no attacker: see `proof`.")
        self.challenge = ChallengeView(challenge=challenge, bits=bits)


class LetterNeeded(Refusal):
    code = "letter_needed"
    status = 403


class TooManyRequests(Refusal):
    """``retry_after_s`` is when to ask again."""

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UploadBusy(Refusal):
    code = "upload_busy"
    status = 409


class StorageFull(Refusal):
    code = "storage_full"
    status = 507


def answer_refusal(request: AnyRequest, refusal: Refusal) -> Response[ErrorView] | Response[str]:
    """The answer to a refusal, the same whichever context said no."""
    headers = {}
    if request.scope["path"].startswith("/operations") and _wants_page(request):
        page = str(pages.refused(refusal.status, refusal.message))
        kind = "text/html; charset=utf-8"
        return Response(page, status_code=refusal.status, media_type=kind)
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    if isinstance(refusal, TooManyRequests):
        headers["retry-after"] = str(refusal.retry_after_s)
    elif refusal.status == 429:
        headers["retry-after"] = str(RETRY_AFTER_S)
    proof = refusal.challenge if isinstance(refusal, ProofNeeded) else None
    view = ErrorView(error=_error_of(refusal), proof=proof)
    return Response(view, status_code=refusal.status, headers=headers)


def _error_of(refusal: Refusal) -> ErrorBody:
    told = refusal.details
    plays = told.plays if isinstance(told, StreamsHeld) else []
    streams = msgspec.convert(plays, list[StreamView], from_attributes=True)
    return ErrorBody(code=refusal.code, message=refusal.message, plays=streams)


def answer_unavailable(request: AnyRequest, error: Unavailable) -> Response[ErrorView]:
    structlog.get_logger().warning("neighbour_away", reason=str(error))
    return _answer(
        503,
        "unavailable",
        "A part of the service that this needs is away: try again in a moment "
        f"(trace {current_trace_id()}).",
        {"retry-after": str(RETRY_AFTER_S)},
    )


def answer_no_room(request: AnyRequest, error: NoRoom) -> Response[ErrorView] | Response[str]:
    structlog.get_logger().warning("no_room", reason=str(error))
    return answer_refusal(request, StorageFull("The disk is full: free some space and try again."))


def answer_system_error(request: AnyRequest, error: OSError) -> Response[ErrorView] | Response[str]:
    """A disk that is full is for the caller to know; anything else is ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return answer_no_room(request, NoRoom(str(error)))
    return answer_unknown(request, error)


def answer_http(request: AnyRequest, error: HTTPException) -> Response[ErrorView]:
    """The answer to what the framework refuses: routing, size, JSON and field errors."""
    if isinstance(error, ValidationException):
        return _answer(422, "invalid", _sentence_of(error))
    if error.status_code >= 500:
        return answer_unknown(request, error)
    code, message = _FRAMEWORK_ERRORS.get(error.status_code, ("refused", error.detail))
    return _answer(error.status_code, code, message, dict(error.headers or {}))


def answer_unknown(request: AnyRequest, error: Exception) -> Response[ErrorView]:
    structlog.get_logger().error("request_failed", exc_info=error)
    return _answer(
        500,
        "internal",
        f"Something failed on our side; the log tells more under trace {current_trace_id()}.",
    )


def error_bytes(code: str, message: str) -> bytes:
    """The documented error body, for filters that answer before there is a route."""
    return msgspec.json.encode(ErrorView(error=ErrorBody(code=code, message=message)))


def _wants_page(request: AnyRequest) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def _answer(
    status: int,
    code: str,
    message: str,
    headers: dict[str, str] | None = None,
    proof: ChallengeView | None = None,
) -> Response[ErrorView]:
    view = ErrorView(error=ErrorBody(code=code, message=message), proof=proof)
    return Response(view, status_code=status, headers=headers)


def _sentence_of(error: ValidationException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    for found in extra:
        field, reason = found.get("key", ""), found.get("message", "")
        if field and field != "data":
            return f"{field}: {reason}."
        if reason:
            return f"{reason}."
    return error.detail.partition(" for ")[0] + "."
