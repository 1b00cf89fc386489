"""The operator's HTTP client: the public API, with the operator's token from ``secrets/``."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, TypeVar
from urllib.parse import urlencode

import msgspec
from pyreqwest.client import SyncClient, SyncClientBuilder
from pyreqwest.exceptions import PyreqwestError

from cuemark.app import state
from cuemark.app.cli.failure import Down, Failure
from cuemark.app.cli.output import printable
from cuemark.app.folder import DataFolder
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.pages import MOST_ROWS
from cuemark.kit.tracing import HEADER, current_trace_id, new_trace_id, trace, traceparent

T = TypeVar("T")
PageT = TypeVar("PageT", bound="Page")
_CHUNK_BYTES = 8 << 20
_PAUSE_S = 0.5
_AWAY = (502, 503, 504)
MAX_NAME = 255


class Page(Protocol):
    """An answer that ends with the cursor of the next, or with none."""

    @property
    def next_cursor(self) -> str: ...


class ErrorBody(msgspec.Struct, frozen=True):
    code: str
    message: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    error: ErrorBody


def traced(message: str, status: int, trace_id: str) -> str:
    """The sentence with what finds its cause in the log, where the fault is the service's."""
    if status < 500 or trace_id in message:
        return message
    return f"{message.rstrip('.')} (see `cuemark logs --trace {trace_id}`)"


class ApiFailure(Failure):
    """The API said no; ``status`` and ``code`` say how."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class UploadOffset(msgspec.Struct, frozen=True):
    upload_id: str
    received_bytes: int


def _sent_name(path: Path) -> str:
    """What an upload of this file is called: its name, as far as that is text of one line."""
    text = path.name.encode(errors="surrogateescape").decode(errors="replace")
    return printable(text)[-MAX_NAME:]


class Operator:
    """Calls the API of the install on a data folder, under one trace for all its calls.

    For ``patience_s`` a part of the install that is away is waited for, where a call may be sent
    twice: reads, and the bytes of uploads.
    """

    def __init__(self, folder: DataFolder, patience_s: float = 0.0) -> None:
        self._folder = folder
        self._patience_s = patience_s
        phase = state.read(folder)
        if phase is None or phase.running is None:
            raise Down(f"Cuemark does not run on {folder.root}: start it with `cuemark up`")
        self.running = phase.running
        self._token = folder.operator_token()
        self.trace_id = current_trace_id() or new_trace_id()
        self._client: SyncClient = (
            SyncClientBuilder()
            .connect_timeout(timedelta(seconds=3))
            .read_timeout(timedelta(seconds=60))
            .no_proxy()
            .build()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._client.close()

    def get(self, path: str, answer: type[T]) -> T:
        return self._decode(self._patiently(lambda: self._send("GET", path)), answer)

    def pages(self, path: str, page: type[PageT], **wanted: str) -> Iterator[PageT]:
        """The pages of a list, each asked for when the one before was taken.

        ``wanted`` goes into the query.
        """
        query = {"limit": str(MOST_ROWS), **wanted}
        found = self.get(f"{path}?{urlencode(query)}", page)
        yield found
        while found.next_cursor:
            after = {"after": found.next_cursor}
            found = self.get(f"{path}?{urlencode(query | after)}", page)
            yield found

    def get_bytes(self, path: str) -> bytes:
        return self._send("GET", path)

    def post(self, path: str, body: object, answer: type[T]) -> T:
        try:
            encoded = msgspec.json.encode(body)
        except UnicodeEncodeError as error:
            raise Failure("the command line is not UTF-8: write the names in UTF-8") from error
        return self._decode(self._send("POST", path, encoded), answer)

    def put(self, path: str, body: object, answer: type[T]) -> T:
        return self._decode(self._send("PUT", path, msgspec.json.encode(body)), answer)

    def delete(self, path: str, answer: type[T]) -> T:
        return self._decode(self._send("DELETE", path), answer)

    def upload(self, path: Path, tell: Callable[[int], None]) -> str:
        """Upload a file and return the upload's id; ``tell`` hears the bytes received so far."""
        announced = {"name": _sent_name(path), "size_bytes": path.stat().st_size, "sha256": ""}
        upload = self.post("/uploads", announced, UploadOffset)
        where = f"/uploads/{upload.upload_id}"
        until_s = time.monotonic() + self._patience_s
        with path.open("rb") as file:
            while chunk := _chunk_at(file, upload.received_bytes):
                before = upload.received_bytes
                upload = self._append(where, chunk, upload, until_s)
                if upload.received_bytes > before:
                    until_s = time.monotonic() + self._patience_s
                tell(upload.received_bytes)
        self._patiently(lambda: self._send("POST", f"{where}/complete", b""))
        return upload.upload_id

    def _append(
        self, where: str, chunk: bytes, upload: UploadOffset, until_s: float
    ) -> UploadOffset:
        """Send a chunk; how far the upload is then, also where it broke off before ``until_s``."""
        headers = {"upload-offset": str(upload.received_bytes)}
        try:
            return self._decode(self._send("PATCH", where, chunk, headers), UploadOffset)
        except (Down, ApiFailure) as failure:
            if time.monotonic() >= until_s or not _may_pass(failure):
                raise
        time.sleep(_PAUSE_S)
        return self.get(where, UploadOffset)

    def _patiently(self, send: Callable[[], bytes]) -> bytes:
        until_s = time.monotonic() + self._patience_s
        while True:
            try:
                return send()
            except (Down, ApiFailure) as failure:
                if time.monotonic() >= until_s or not _may_pass(failure) or not self._is_up():
                    raise
            time.sleep(_PAUSE_S)

    def _is_up(self) -> bool:
        """Whether what is away can come back: a supervisor runs that starts it again."""
        return state.read(self._folder) is not None

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        with trace(self.trace_id):
            request = (
                self._client.request(method, f"{self.running.api_url}{path}")
                .header("authorization", f"Bearer {self._token}")
                .header(HEADER, traceparent())
            )
        for name, value in (headers or {}).items():
            request = request.header(name, value)
        if body is not None:
            kind = "application/octet-stream" if headers else "application/json"
            request = request.header("content-type", kind).body_bytes(body)
        try:
            response = request.build().send()
            answer = bytes(response.bytes())
        except PyreqwestError as error:
            raise Down(
                f"no answer from {self.running.api_url}: see {self._folder.log_file}"
            ) from error
        if response.status >= 400:
            try:
                refused = msgspec.json.decode(answer, type=ErrorAnswer).error
            except UNREADABLE:
                refused = ErrorBody("failed", f"{method} {path} answered {response.status}")
            raise ApiFailure(
                response.status,
                refused.code,
                traced(refused.message, response.status, self.trace_id),
            )
        return answer

    @staticmethod
    def _decode(body: bytes, answer: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=answer)
        except UNREADABLE as error:
            raise Failure(f"the server answered what this release cannot read: {error}") from error


def _chunk_at(file: BinaryIO, offset: int) -> bytes:
    file.seek(offset)
    return file.read(_CHUNK_BYTES)


def _may_pass(failure: Down | ApiFailure) -> bool:
    """Whether it says only that some part of the install is away."""
    return isinstance(failure, Down) or failure.status in _AWAY
