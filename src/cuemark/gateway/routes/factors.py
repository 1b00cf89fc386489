"""The second step of a login, passkeys, and what protects an account."""

import segno
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody
from litestar.response import Response

from cuemark.contracts.identity import LoginGranted
from cuemark.contracts.identity.factors import (
    AskProof,
    BeginTotp,
    ChallengeSpent,
    ConfirmTotp,
    FactorList,
    GiveFactor,
    ListFactors,
    Proof,
    Prove,
    RecoveryCodes,
    RemoveTotp,
    RenewRecoveryCodes,
    ResetFactors,
    WrongFactor,
)
from cuemark.contracts.identity.joining import TooManyTries
from cuemark.contracts.identity.logins import LoginsEnded
from cuemark.contracts.identity.passkeys import (
    AddPasskey,
    AskPasskey,
    BeginPasskey,
    LoginByPasskey,
    PasskeyAdded,
    RemovePasskey,
    RenamePasskey,
)
from cuemark.gateway.account_views import EmailBody
from cuemark.gateway.admission import admit_factor, admit_login
from cuemark.gateway.factor_views import (
    CodeBody,
    CreationOptionsView,
    FactorAskedView,
    FactorBody,
    NewPasskeyBody,
    PasskeyLoginBody,
    PasskeyNameBody,
    ProofBody,
    RequestOptionsView,
    TotpRemovalBody,
    TotpView,
    answer_of,
    asked_view,
    creation_view,
    request_view,
)
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.routes.login import device_of, keep_if, let_in
from cuemark.gateway.views import API


@post(
    f"{API}/login/factor",
    opt={"access": "anyone", "limit": "code"},
    status_code=200,
    tags=["factors"],
)
async def give_factor(
    data: JSONBody[FactorBody], parts: Parts, request: AnyRequest
) -> Response[LoginGranted]:
    """The second step of a login whose first one answered with a `challenge`."""
    admission = await admit_factor(parts, request, data.challenge, data.proof)
    try:
        granted = await parts.identity.give_factor(
            GiveFactor(
                challenge=data.challenge,
                code=data.code,
                passkey=answer_of(data.passkey) if data.passkey else None,
                device=device_of(request),
                client_address=parts.client_of(request),
            )
        )
    except (WrongFactor, TooManyTries):
        await admission.failed()
        raise
    await keep_if(admission, granted.account.email, granted, parts)
    return await let_in(granted, parts, request)


@post(
    f"{API}/login/passkey/options",
    opt={"access": "anyone", "limit": "code"},
    status_code=200,
    tags=["factors"],
)
async def ask_passkey(parts: Parts, request: AnyRequest) -> RequestOptionsView:
    """What any passkey of the service may answer, with which it says whose it is."""
    asked = await parts.identity.ask_passkey(AskPasskey(client_address=parts.client_of(request)))
    return request_view(asked, parts.clock)


@post(
    f"{API}/login/passkey",
    opt={"access": "anyone", "limit": "code"},
    status_code=200,
    tags=["factors"],
)
async def log_in_by_passkey(
    data: JSONBody[PasskeyLoginBody], parts: Parts, request: AnyRequest
) -> Response[LoginGranted]:
    admission = await admit_login(parts, request, "", data.proof, by="passkey")
    try:
        granted = await parts.identity.login_by_passkey(
            LoginByPasskey(
                passkey=answer_of(data.passkey),
                device=device_of(request),
                client_address=parts.client_of(request),
            )
        )
    except (WrongFactor, ChallengeSpent):
        await admission.failed()
        raise
    await keep_if(admission, granted.account.email, granted, parts)
    return await let_in(granted, parts, request)


@get(f"{API}/account/factors", opt={"access": "member"}, tags=["factors"])
async def list_factors(parts: Parts, request: AnyRequest) -> FactorList:
    return await parts.identity.list_factors(ListFactors(account_id=request.user.account_id))


@post(f"{API}/account/proof/options", opt={"access": "member"}, status_code=200, tags=["factors"])
async def ask_proof(parts: Parts, request: AnyRequest) -> FactorAskedView:
    """What the account can be proved by; 404 where its password is all that it has."""
    asked = await parts.identity.ask_proof(AskProof(account_id=request.user.account_id))
    return asked_view(asked, parts.clock)


@post(f"{API}/account/proof", opt={"access": "member"}, status_code=200, tags=["factors"])
async def prove(data: JSONBody[ProofBody], parts: Parts, request: AnyRequest) -> Proof:
    """That whoever uses this login is still its owner: it is believed for ten minutes."""
    return await parts.identity.prove(
        Prove(
            account_id=request.user.account_id,
            login_id=request.user.login_id,
            password=data.password,
            code=data.code,
            passkey=answer_of(data.passkey) if data.passkey else None,
        )
    )


@post(
    f"{API}/account/totp",
    opt={"access": "member", "assurance": "fresh"},
    status_code=200,
    tags=["factors"],
)
async def begin_totp(parts: Parts, request: AnyRequest) -> TotpView:
    """Nothing holds before the app's first code has come back."""
    begun = await parts.identity.begin_totp(BeginTotp(account_id=request.user.account_id))
    picture = segno.make(begun.uri, error="m", micro=False)
    qr = picture.svg_data_uri(dark="#000", light="#fff", border=3)
    return TotpView(secret=begun.secret, uri=begun.uri, qr=qr)


@post(
    f"{API}/account/totp/confirm",
    opt={"access": "member", "assurance": "fresh"},
    status_code=200,
    tags=["factors"],
)
async def confirm_totp(
    data: JSONBody[CodeBody], parts: Parts, request: AnyRequest
) -> RecoveryCodes:
    """The recovery codes are told this once; none where the account goes on with those it has."""
    return await parts.identity.confirm_totp(
        ConfirmTotp(
            account_id=request.user.account_id, login_id=request.user.login_id, code=data.code
        )
    )


@post(f"{API}/account/totp/removal", opt={"access": "member"}, status_code=204, tags=["factors"])
async def remove_totp(data: JSONBody[TotpRemovalBody], parts: Parts, request: AnyRequest) -> None:
    """The code is the proof: one of the app, or a recovery code."""
    await parts.identity.remove_totp(
        RemoveTotp(account_id=request.user.account_id, password=data.password, code=data.code)
    )


@post(
    f"{API}/account/recovery-codes",
    opt={"access": "member", "assurance": "second"},
    status_code=200,
    tags=["factors"],
)
async def renew_recovery_codes(parts: Parts, request: AnyRequest) -> RecoveryCodes:
    """Those of before are void."""
    return await parts.identity.renew_recovery_codes(
        RenewRecoveryCodes(account_id=request.user.account_id)
    )


@post(
    f"{API}/account/passkeys/options",
    opt={"access": "member", "assurance": "fresh"},
    status_code=200,
    tags=["factors"],
)
async def begin_passkey(parts: Parts, request: AnyRequest) -> CreationOptionsView:
    begun = await parts.identity.begin_passkey(BeginPasskey(account_id=request.user.account_id))
    return creation_view(begun, parts.clock)


@post(
    f"{API}/account/passkeys",
    opt={"access": "member", "assurance": "fresh"},
    tags=["factors"],
)
async def add_passkey(
    data: JSONBody[NewPasskeyBody], parts: Parts, request: AnyRequest
) -> PasskeyAdded:
    return await parts.identity.add_passkey(
        AddPasskey(
            account_id=request.user.account_id,
            login_id=request.user.login_id,
            passkey=answer_of(data.passkey),
            name=data.name,
        )
    )


@put(
    f"{API}/account/passkeys/{{passkey_id:str}}",
    opt={"access": "member"},
    status_code=204,
    tags=["factors"],
)
async def rename_passkey(
    passkey_id: FromPath[str], data: JSONBody[PasskeyNameBody], parts: Parts, request: AnyRequest
) -> None:
    await parts.identity.rename_passkey(
        RenamePasskey(account_id=request.user.account_id, passkey_id=passkey_id, name=data.name)
    )


@delete(
    f"{API}/account/passkeys/{{passkey_id:str}}",
    opt={"access": "member", "assurance": "second"},
    status_code=204,
    tags=["factors"],
)
async def remove_passkey(passkey_id: FromPath[str], parts: Parts, request: AnyRequest) -> None:
    """With the last factor the recovery codes go too."""
    await parts.identity.remove_passkey(
        RemovePasskey(account_id=request.user.account_id, passkey_id=passkey_id)
    )


@post(
    f"{API}/accounts/factors-reset",
    opt={"access": "operator", "staff": "members.reset_factors"},
    status_code=200,
    tags=["operators"],
)
async def reset_factors(data: JSONBody[EmailBody], parts: Parts) -> LoginsEnded:
    """App, passkeys and recovery codes are taken off, and every login ends."""
    return await parts.identity.reset_factors(ResetFactors(email=data.email))
