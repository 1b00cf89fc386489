"""What the API takes and gives about second factors and passkeys.

Questions and answers of passkeys have the JSON of WebAuthn (sections 5.1.9 to 5.1.11), so that a
browser's own functions make and read them.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cuemark.contracts.identity.factors import (
    FactorAsked,
    FactorKind,
    KnownPasskey,
    PasskeyAnswer,
)
from cuemark.contracts.identity.passkeys import PasskeyAsked, PasskeyBegun
from cuemark.gateway.views import Line, Proof, Secret, View
from cuemark.kit.clock import Clock

Base64Url = Annotated[str, Meta(max_length=16_384, pattern=r"^[A-Za-z0-9_-]*\Z")]
FactorCode = Annotated[str, Meta(max_length=60)]
PUBLIC_KEY: Literal["public-key"] = "public-key"
_ALGORITHMS = (-7, -8, -257)
"""ES256, EdDSA and RS256, in the numbers of COSE."""


class CredentialView(View, frozen=True):
    id: str
    transports: list[str]
    type: Literal["public-key"] = PUBLIC_KEY


class RequestOptionsView(View, frozen=True, rename="camel"):
    """As `PublicKeyCredential.parseRequestOptionsFromJSON` takes it; `timeout` in milliseconds."""

    challenge: str
    rp_id: str
    allow_credentials: list[CredentialView]
    timeout: int
    user_verification: Literal["required"] = "required"


class RelyingPartyView(View, frozen=True):
    id: str
    name: str


class UserView(View, frozen=True, rename="camel"):
    id: str
    name: str
    display_name: str


class AlgorithmView(View, frozen=True):
    alg: int
    type: Literal["public-key"] = PUBLIC_KEY


class SelectionView(View, frozen=True, rename="camel"):
    resident_key: Literal["required"] = "required"
    require_resident_key: bool = True
    user_verification: Literal["required"] = "required"


class CreationOptionsView(View, frozen=True, rename="camel"):
    """As `PublicKeyCredential.parseCreationOptionsFromJSON` takes it."""

    challenge: str
    rp: RelyingPartyView
    user: UserView
    pub_key_cred_params: list[AlgorithmView]
    exclude_credentials: list[CredentialView]
    timeout: int
    authenticator_selection: SelectionView = SelectionView()
    attestation: Literal["none"] = "none"


class AnswerBody(View, frozen=True, rename="camel"):
    """What of a `PublicKeyCredential` differs between making one and using it."""

    client_data_json: Base64Url = msgspec.field(name="clientDataJSON")
    attestation_object: Base64Url = ""
    authenticator_data: Base64Url = ""
    signature: Base64Url = ""
    user_handle: Base64Url | None = None
    transports: Annotated[list[Line], Meta(max_length=16)] = msgspec.field(default_factory=list)


class CredentialBody(View, frozen=True):
    """As `PublicKeyCredential.toJSON` makes it."""

    id: Base64Url
    response: AnswerBody


class FactorAskedView(View, frozen=True):
    """``passkey`` is null where the account has none."""

    challenge: str
    expires_at: datetime
    kinds: list[FactorKind]
    passkey: RequestOptionsView | None


class FactorBody(View, frozen=True):
    """``proof`` is as in `POST /login`."""

    challenge: Secret
    code: FactorCode = ""
    passkey: CredentialBody | None = None
    proof: Proof = ""


class PasskeyLoginBody(View, frozen=True):
    """``proof`` is as in `POST /login`."""

    passkey: CredentialBody
    proof: Proof = ""


class ProofBody(View, frozen=True):
    """One of the three."""

    password: Secret = ""
    code: FactorCode = ""
    passkey: CredentialBody | None = None


class TotpView(View, frozen=True):
    """``qr`` is the picture of ``uri``, an SVG as a `data:` address."""

    secret: str
    uri: str
    qr: str


class CodeBody(View, frozen=True):
    code: FactorCode


class TotpRemovalBody(View, frozen=True):
    password: Secret
    code: FactorCode


class NewPasskeyBody(View, frozen=True):
    passkey: CredentialBody
    name: Line = ""


class PasskeyNameBody(View, frozen=True):
    name: Line


def answer_of(body: CredentialBody) -> PasskeyAnswer:
    response = body.response
    return PasskeyAnswer(
        credential_id=body.id,
        client_data=response.client_data_json,
        authenticator_data=response.authenticator_data,
        signature=response.signature,
        user_handle=response.user_handle or "",
        attestation=response.attestation_object,
        transports=response.transports,
    )


def asked_view(asked: FactorAsked, clock: Clock) -> FactorAskedView:
    return FactorAskedView(
        challenge=asked.challenge,
        expires_at=asked.expires_at,
        kinds=asked.kinds,
        passkey=RequestOptionsView(
            challenge=asked.challenge,
            rp_id=asked.rp_id,
            allow_credentials=_known(asked.passkeys),
            timeout=_timeout_ms(asked.expires_at, clock),
        )
        if asked.rp_id
        else None,
    )


def request_view(asked: PasskeyAsked, clock: Clock) -> RequestOptionsView:
    return RequestOptionsView(
        challenge=asked.challenge,
        rp_id=asked.rp_id,
        allow_credentials=[],
        timeout=_timeout_ms(asked.expires_at, clock),
    )


def creation_view(begun: PasskeyBegun, clock: Clock) -> CreationOptionsView:
    return CreationOptionsView(
        challenge=begun.challenge,
        rp=RelyingPartyView(id=begun.rp_id, name=begun.rp_name),
        user=UserView(id=begun.user_handle, name=begun.user_name, display_name=begun.user_name),
        pub_key_cred_params=[AlgorithmView(alg=each) for each in _ALGORITHMS],
        exclude_credentials=_known(begun.known),
        timeout=_timeout_ms(begun.expires_at, clock),
    )


def _known(passkeys: list[KnownPasskey]) -> list[CredentialView]:
    return [CredentialView(id=each.credential_id, transports=each.transports) for each in passkeys]


def _timeout_ms(expires_at: datetime, clock: Clock) -> int:
    return max(0, int((expires_at - clock.now()).total_seconds() * 1000))
