"""Master keys in a hardware security module, which never leave it: PKCS#11 (OASIS, version 2.40).

The module wraps and unwraps content keys by ``CKM_AES_KEY_WRAP``, which is RFC 3394: what a master
key in a file would make of them, too. A master key is a secret key of a token, told by its label.
"""

import re
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import (
    FunctionFailed,
    GeneralError,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
    WrappedKeyInvalid,
    WrappedKeyLenRange,
)

from cuemark.contexts.licensing.wiring import Master, WrongMasterKey
from cuemark.kit.clock import Clock

T = TypeVar("T")

_LABEL = re.compile(r"cuemark-master-([1-9][0-9]{0,7})@([0-9]{1,12})")
_BITS = 256
_UNSAID = (GeneralError, FunctionFailed)
"""What SoftHSM says of a key that does not open, and others of themselves when they are broken."""

_NO_PIN = (PinIncorrect, PinInvalid, PinLenRange, PinLocked)

_NEVER_LEAVES = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.WRAP: True,
    Attribute.UNWRAP: True,
    Attribute.ENCRYPT: False,
    Attribute.DECRYPT: False,
}
_PASSES_THROUGH = {
    Attribute.TOKEN: False,
    Attribute.PRIVATE: False,
    Attribute.SENSITIVE: False,
    Attribute.EXTRACTABLE: True,
}
"""A content key is in the module only while it is wrapped or unwrapped."""


class Handle(Protocol):
    """A key in the module that may wrap and unwrap; the library says it of the object alone."""

    def wrap_key(self, key: pkcs11.Object, *, mechanism: Mechanism) -> bytes: ...

    def unwrap_key(
        self,
        object_class: ObjectClass,
        key_type: KeyType,
        key_data: bytes,
        *,
        mechanism: Mechanism,
        template: dict[Attribute, Any],
    ) -> pkcs11.Key: ...

    def destroy(self) -> None: ...


class SecurityModule:
    """One token of one module, in one session that is opened anew where it broke off.

    Every method may raise ``OSError``. One call at a time: a session is not for several threads.
    """

    def __init__(self, library: str, token: str, pin_file: Path, clock: Clock) -> None:
        self._library = library
        self._token = token
        self._pin_file = pin_file
        self._clock = clock
        self._lock = threading.Lock()
        self._session: pkcs11.Session | None = None
        self._handles: dict[int, Handle] = {}
        self._refused_pin: str | None = None

    def load(self) -> Sequence[Master]:
        return self._run(self._found)

    def make(self, number: int) -> None:
        """Callers see to it that no other process makes the same one at the same time."""

        def made(session: pkcs11.Session) -> None:
            if number in {key.number for key in self._found(session)}:
                return
            session.generate_key(
                KeyType.AES,
                _BITS,
                label=f"cuemark-master-{number}@{int(self._clock.now().timestamp())}",
                store=True,
                template=_NEVER_LEAVES,
            )

        self._run(made)

    def destroy(self, number: int) -> None:
        def gone(session: pkcs11.Session) -> None:
            self._found(session)
            if handle := self._handles.pop(number, None):
                handle.destroy()

        self._run(gone)

    def wrap(self, number: int, key: bytes) -> bytes:
        return self._run(lambda session: _wrapped(session, self._handle(session, number), key))

    def unwrap(self, number: int, wrapped: bytes) -> bytes:
        """Raises ``WrongMasterKey``, too."""
        return self._run(
            lambda session: _unwrapped(session, self._handle(session, number), wrapped)
        )

    def _found(self, session: pkcs11.Session) -> Sequence[Master]:
        found: list[Master] = []
        self._handles = {}
        for handle in session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}):
            if not (told := _LABEL.fullmatch(handle[Attribute.LABEL] or "")):
                continue
            number, made_at = int(told[1]), datetime.fromtimestamp(int(told[2]), UTC)
            if number in self._handles:
                raise OSError(f"the token {self._token} has two master keys {number}")
            self._handles[number] = cast(Handle, handle)
            found.append(KeyInModule(self, number, made_at))
        return found

    def _handle(self, session: pkcs11.Session, number: int) -> Handle:
        if number not in self._handles:
            self._found(session)
        if number not in self._handles:
            raise OSError(f"the token {self._token} has no master key {number} any more")
        return self._handles[number]

    def _run(self, work: Callable[[pkcs11.Session], T]) -> T:
        with self._lock:
            try:
                try:
                    return work(self._opened())
                except PKCS11Error:
                    self._leave()
                    return work(self._opened())
            except PKCS11Error as error:
                self._leave()
                why = str(error) or type(error).__name__
                raise OSError(f"the security module refuses ({why})") from error

    def _opened(self) -> pkcs11.Session:
        if self._session is None:
            pin = self._pin_file.read_text().strip()
            if pin == self._refused_pin:
                # Modules lock a token after a few wrong ones.
                raise OSError(f"the token {self._token} refuses the PIN in {self._pin_file}")
            token = pkcs11.lib(self._library).get_token(token_label=self._token)
            try:
                self._session = token.open(rw=True, user_pin=pin)
            except UserAlreadyLoggedIn:
                # By another session: a login is the whole process's.
                self._session = token.open(rw=True)
            except _NO_PIN:
                self._refused_pin = pin
                return self._opened()
        return self._session

    def _leave(self) -> None:
        session, self._session, self._handles = self._session, None, {}
        if session is not None:
            try:
                session.close()
            except PKCS11Error:
                return  # It is what broke.


class KeyInModule(Master):
    """A master key that only its module knows."""

    def __init__(self, module: SecurityModule, number: int, made_at: datetime) -> None:
        self._module = module
        self._number = number
        self._made_at = made_at

    @property
    def number(self) -> int:
        return self._number

    @property
    def made_at(self) -> datetime:
        return self._made_at

    def wrap(self, key: bytes) -> bytes:
        return self._module.wrap(self._number, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        return self._module.unwrap(self._number, wrapped)


def _wrapped(session: pkcs11.Session, master: Handle, key: bytes) -> bytes:
    passing = session.create_object(
        {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.AES,
            Attribute.VALUE: key,
            **_PASSES_THROUGH,
        }
    )
    try:
        return master.wrap_key(passing, mechanism=Mechanism.AES_KEY_WRAP)
    finally:
        passing.destroy()


def _unwrapped(session: pkcs11.Session, master: Handle, wrapped: bytes) -> bytes:
    try:
        passing = master.unwrap_key(
            *(ObjectClass.SECRET_KEY, KeyType.AES, wrapped),
            mechanism=Mechanism.AES_KEY_WRAP,
            template=_PASSES_THROUGH,
        )
    except (WrappedKeyInvalid, WrappedKeyLenRange) as error:
        raise WrongMasterKey from error
    except _UNSAID as error:
        _wrapped(session, master, bytes(16))  # It works, so it is the wrapped key that does not.
        raise WrongMasterKey from error
    try:
        return bytes(passing[Attribute.VALUE])
    finally:
        passing.destroy()
