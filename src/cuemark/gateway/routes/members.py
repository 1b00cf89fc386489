"""What people do with their own account: join, get back in, change it, see where it is open."""

import contextlib

from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody
from litestar.response import Response

from cuemark.contracts.billing.subscriptions import ChangeSubscription
from cuemark.contracts.identity import LoginGranted
from cuemark.contracts.identity.changing import (
    ChangeEmail,
    ChangePassword,
    ConfirmEmail,
    DeleteAccount,
    DeletionSet,
    RestoreEmail,
)
from cuemark.contracts.identity.joining import (
    CompleteReset,
    CompleteSignUp,
    LetterUnderway,
    RequestLoginLetter,
    RequestReset,
    SignUp,
)
from cuemark.contracts.identity.logins import EndLogin, EndLogins, ListLogins, LoginsEnded
from cuemark.contracts.ids import LoginId
from cuemark.gateway.access import login_of
from cuemark.gateway.account_views import (
    CompleteResetBody,
    CompleteSignUpBody,
    DeletionBody,
    EmailBody,
    LoginListView,
    LoginView,
    NewEmailBody,
    NewPasswordBody,
)
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.routes.login import device_of, let_in
from cuemark.gateway.views import API, RedeemBody
from cuemark.kit.errors import Refusal, Unavailable


@post(
    f"{API}/sign-up", opt={"access": "anyone", "limit": "letter"}, status_code=202, tags=["members"]
)
async def sign_up(data: JSONBody[EmailBody], parts: Parts, request: AnyRequest) -> LetterUnderway:
    """A letter with a link goes to the address; the answer is the same whoever has it."""
    return await parts.identity.sign_up(
        SignUp(email=data.email, client_address=parts.client_of(request))
    )


@post(f"{API}/sign-up/complete", opt={"access": "anyone", "limit": "code"}, tags=["members"])
async def complete_sign_up(
    data: JSONBody[CompleteSignUpBody], parts: Parts, request: AnyRequest
) -> Response[LoginGranted]:
    granted = await parts.identity.complete_sign_up(
        CompleteSignUp(
            code=data.code,
            password=data.password,
            profile_name=data.profile_name,
            device=device_of(request),
            client_address=parts.client_of(request),
        )
    )
    return await let_in(granted, parts, request)


@post(
    f"{API}/login/letter",
    opt={"access": "anyone", "limit": "letter"},
    status_code=202,
    tags=["members"],
)
async def request_login_letter(
    data: JSONBody[EmailBody], parts: Parts, request: AnyRequest
) -> LetterUnderway:
    """A one-time login link goes to the address; the answer is the same whether it has an
    account."""
    return await parts.identity.request_login_letter(
        RequestLoginLetter(email=data.email, client_address=parts.client_of(request))
    )


@post(
    f"{API}/password-reset",
    opt={"access": "anyone", "limit": "letter"},
    status_code=202,
    tags=["members"],
)
async def request_reset(
    data: JSONBody[EmailBody], parts: Parts, request: AnyRequest
) -> LetterUnderway:
    """The answer is the same whether the address has an account."""
    return await parts.identity.request_reset(
        RequestReset(email=data.email, client_address=parts.client_of(request))
    )


@post(
    f"{API}/password-reset/complete",
    opt={"access": "anyone", "limit": "code"},
    status_code=204,
    tags=["members"],
)
async def complete_reset(data: JSONBody[CompleteResetBody], parts: Parts) -> None:
    """Every login of the account ends."""
    await parts.identity.complete_reset(CompleteReset(code=data.code, password=data.password))


@put(
    f"{API}/account/password",
    opt={"access": "member", "assurance": "second"},
    status_code=204,
    tags=["members"],
)
async def change_password(
    data: JSONBody[NewPasswordBody], parts: Parts, request: AnyRequest
) -> None:
    """Every login of the account ends but this one."""
    login = login_of(request.headers)
    await parts.identity.change_password(
        ChangePassword(
            account_id=request.user.account_id,
            old_password=data.old_password,
            new_password=data.new_password,
            token=login.token if login else "",
        )
    )


@put(
    f"{API}/account/email",
    opt={"access": "member", "assurance": "second"},
    status_code=202,
    tags=["members"],
)
async def change_email(
    data: JSONBody[NewEmailBody], parts: Parts, request: AnyRequest
) -> LetterUnderway:
    """A letter goes to the new address; nothing changes before its link was used."""
    return await parts.identity.change_email(
        ChangeEmail(account_id=request.user.account_id, password=data.password, email=data.email)
    )


@post(
    f"{API}/email/confirm",
    opt={"access": "anyone", "limit": "code"},
    status_code=204,
    tags=["members"],
)
async def confirm_email(data: JSONBody[RedeemBody], parts: Parts) -> None:
    await parts.identity.confirm_email(ConfirmEmail(code=data.code))


@post(
    f"{API}/email/restore",
    opt={"access": "anyone", "limit": "code"},
    status_code=204,
    tags=["members"],
)
async def restore_email(data: JSONBody[RedeemBody], parts: Parts) -> None:
    """Every login ends, the password is void, and a letter to choose another is on its way."""
    await parts.identity.restore_email(RestoreEmail(code=data.code))


@get(f"{API}/account/logins", opt={"access": "member"}, tags=["members"])
async def list_logins(parts: Parts, request: AnyRequest) -> LoginListView:
    found = await parts.identity.list_logins(ListLogins(account_id=request.user.account_id))
    return LoginListView(
        logins=[
            LoginView(
                login_id=each.login_id,
                device=each.device,
                network=each.network,
                created_at=each.created_at,
                seen_at=each.seen_at,
                expires_at=each.expires_at,
                is_this=each.login_id == request.user.login_id,
            )
            for each in found.logins
        ]
    )


@delete(
    f"{API}/account/logins/{{login_id:str}}",
    opt={"access": "member", "assurance": "second"},
    status_code=200,
    tags=["members"],
)
async def end_login(login_id: FromPath[str], parts: Parts, request: AnyRequest) -> LoginsEnded:
    """A login of somebody else is not touched: 0 have ended."""
    return await parts.identity.end_login(
        EndLogin(account_id=request.user.account_id, login_id=LoginId(login_id))
    )


@delete(
    f"{API}/account/logins",
    opt={"access": "member", "assurance": "second"},
    status_code=200,
    tags=["members"],
)
async def end_other_logins(parts: Parts, request: AnyRequest) -> LoginsEnded:
    """All but this one."""
    caller = request.user
    return await parts.identity.end_logins(
        EndLogins(account_id=caller.account_id, keep=caller.login_id)
    )


@post(
    f"{API}/account/deletion",
    opt={"access": "member", "assurance": "second"},
    status_code=200,
    tags=["members"],
)
async def delete_account(
    data: JSONBody[DeletionBody], parts: Parts, request: AnyRequest
) -> DeletionSet:
    """Every login ends now, and the plan with its period; who logs in again before `erased_at`
    keeps the account."""
    account_id = request.user.account_id
    answer = await parts.identity.delete_account(
        DeleteAccount(account_id=account_id, password=data.password)
    )
    # Where it cannot be canceled now, billing does so when the account is erased.
    with contextlib.suppress(Refusal, Unavailable):
        await parts.billing.change_subscription(
            ChangeSubscription(account_id=account_id, change="cancel")
        )
    return answer
