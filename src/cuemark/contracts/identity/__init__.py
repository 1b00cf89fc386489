"""Identity: who someone is. Accounts pay, profiles view; a login opens a session.

Refusal
|-- WrongCredentials   mail and password do not match, or the code is spent or late
|-- NotLoggedIn        the session token is unknown, ended or past its time
|-- AccountExists      the mail address has an account already
|-- AccountInvalid     the mail address or the password is not acceptable, or too many accounts are
|                      asked for; says which
|-- TooManyLogins      more password checks wait than the bulkhead holds
|-- SignUpClosed       accounts are made by the operator alone
|-- CodeSpent          a code that came by mail was used, is late, or was never sent
|-- TooManyTries       as many letters or guesses as are let pass in an hour; says of what
|-- WrongPassword      a member is to confirm something by the password, and this is not it
|-- UserCodeUnknown    no device shows this code now
|-- UnknownProfile     the account has no such profile
|-- ProfileInvalid     a name, a language, a level or a PIN is not acceptable; says which
|-- TooManyProfiles    the account has as many as it may
|-- LastProfile        an account keeps one profile at least that is no kids' profile
|-- PinNeeded          the profile has a PIN, which is asked for
|-- PasswordNeeded     the account's password is asked for
|-- WrongPin           this is not the profile's PIN
|-- FactorNeeded       the account has a second factor, and this call takes none
|-- WrongFactor        the code or the passkey is not right, or was used before
|-- ChallengeSpent     what is answered was answered before, is late, or was never asked
|-- FactorExists       the account has an authenticator app already, or as many passkeys as it may
|-- FactorMissing      the account has no such factor
|-- PasskeysOff        the address of the service is none that passkeys can be bound to
|-- StaffInvalid       the mail address or the role of one of staff is not acceptable; says which
|-- StaffExists        the mail address is of one of staff already
|-- UnknownStaff       there is nobody of staff with this id
`-- NotAllowed         a role of staff does not allow this; says what, and it is written down

What an answer says, and what is done before it, tells nobody whether a mail address has an account.
A verdict of ``authenticate`` is remembered by the process that gave it for a second at most: a
login that was ended elsewhere opens nothing after that.
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.contracts.identity.changing import (
    AccountDescription,
    ChangeEmail,
    ChangePassword,
    ConfirmEmail,
    DeleteAccount,
    DeletionSet,
    DescribeAccount,
    RestoreEmail,
    WrongPassword,
)
from cuemark.contracts.identity.devices import (
    AnswerDevice,
    AuthorizeDevice,
    DeviceAuthorization,
    DevicePolled,
    LookUpDevice,
    PollDevice,
    UserCodeUnknown,
    WaitingDevice,
)
from cuemark.contracts.identity.factors import (
    AskProof,
    BeginTotp,
    ChallengeFound,
    ChallengeSpent,
    ConfirmTotp,
    FactorAsked,
    FactorExists,
    FactorList,
    FactorMissing,
    FactorNeeded,
    FindChallenge,
    GiveFactor,
    ListFactors,
    PasskeysOff,
    Proof,
    Prove,
    RecoveryCodes,
    RemoveTotp,
    RenewRecoveryCodes,
    ResetFactors,
    TotpBegun,
    WrongFactor,
)
from cuemark.contracts.identity.joining import (
    CodeSpent,
    CompleteReset,
    CompleteSignUp,
    Done,
    LetterUnderway,
    RequestLoginLetter,
    RequestReset,
    SignUp,
    SignUpClosed,
    TooManyTries,
)
from cuemark.contracts.identity.logins import (
    EndLogin,
    EndLogins,
    ListLogins,
    LoginList,
    LoginsEnded,
)
from cuemark.contracts.identity.passkeys import (
    AddPasskey,
    AskPasskey,
    BeginPasskey,
    LoginByPasskey,
    PasskeyAdded,
    PasskeyAsked,
    PasskeyBegun,
    RemovePasskey,
    RenamePasskey,
)
from cuemark.contracts.identity.profiles import (
    ChangeProfile,
    ChooseProfile,
    CreateProfile,
    DeleteProfile,
    LastProfile,
    ListProfiles,
    PasswordNeeded,
    PinNeeded,
    Profile,
    ProfileInvalid,
    ProfileList,
    TooManyProfiles,
    UnknownProfile,
    WrongPin,
)
from cuemark.contracts.identity.staff import (
    OWNER,
    ActBegun,
    ActEnded,
    ActPage,
    AddStaff,
    BeginAct,
    EndAct,
    EndStaffLogins,
    IssueStaffToken,
    ListActs,
    ListStaff,
    NotAllowed,
    RemoveStaff,
    SetStaffRole,
    StaffExists,
    StaffInvalid,
    StaffList,
    StaffMember,
    StaffToken,
    UnknownStaff,
    Verdict,
    VerifyActs,
)
from cuemark.contracts.ids import AccountId, LoginId, ProfileId, StaffId
from cuemark.kit.errors import Refusal

TOPIC = "identity"


class WrongCredentials(Refusal):
    code = "wrong_credentials"
    status = 401


class NotLoggedIn(Refusal):
    code = "not_logged_in"
    status = 401


class AccountExists(Refusal):
    code = "account_exists"
    status = 409


class AccountInvalid(Refusal):
    code = "account_invalid"
    status = 422


class TooManyLogins(Refusal):
    code = "too_many_logins"
    status = 429


class Account(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId
    email: str
    profile_id: ProfileId
    profile_name: str
    created_at: datetime


class CreateAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Without a password the account is entered by login links only."""

    email: str
    password: str | None = None
    profile_name: str = ""


class GetAccounts(msgspec.Struct, frozen=True, kw_only=True):
    """At most 200; those that there are not are left out."""

    account_ids: list[AccountId]


class AccountList(msgspec.Struct, frozen=True, kw_only=True):
    accounts: list[Account]


Standing = Literal["known", "proven", "unknown"]
"""Who asks for a password check: a device that logged in with this mail address before, one that
did the work of a challenge, or any. When many wait, they are checked in this order."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """``device`` is what the device says that it is, such as its ``User-Agent``.

    Of ``client_address``, the IP address that asks, the network's part is kept.
    """

    email: str
    password: str
    device: str = ""
    client_address: str = ""
    standing: Standing = "unknown"


class LoginGranted(msgspec.Struct, frozen=True, kw_only=True):
    """``token`` is opaque: a cookie for browsers, a bearer token for devices and scripts."""

    token: str
    account: Account
    expires_at: datetime


class LoginBegun(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two: the login, or what its second factor is to answer."""

    granted: LoginGranted | None = None
    asked: FactorAsked | None = None


class IssueLoginLink(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code for ``email``; ``create`` makes the account where there is none."""

    email: str
    create: bool = False
    ttl_s: int = 3600


class LoginLink(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    expires_at: datetime


class RedeemLoginLink(msgspec.Struct, frozen=True, kw_only=True):
    """``device`` and ``client_address`` are as in ``Login``."""

    code: str
    device: str = ""
    client_address: str = ""


class IssueOperatorLink(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code with which the operator's own browser logs in, or that of one of staff.

    ``by_role`` is the role of who makes it: nobody enters as one who may do more.
    """

    ttl_s: int = 300
    staff_id: StaffId = StaffId("")
    by_role: str = OWNER


class RedeemOperatorLink(msgspec.Struct, frozen=True, kw_only=True):
    code: str


class OperatorGranted(msgspec.Struct, frozen=True, kw_only=True):
    """``token`` is opaque, and ends at ``expires_at`` however much it is used."""

    token: str
    expires_at: datetime


class Authenticate(msgspec.Struct, frozen=True, kw_only=True):
    """``client_address`` is as in ``Login``; it is noted once an hour at most."""

    token: str
    client_address: str = ""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a token names. The operator has no account: both ids are empty.
    ``staff_role`` is the operator's, and ``staff_id`` empty where that is the owner by the token of
    the installation.

    A login whose profile nobody has chosen yet has an account, and no profile. ``maturity``,
    ``kids`` and ``language`` are the profile's.

    ``level`` is how sure it is that the login is its owner's: 1 by a password, a link or a device's
    code, 2 by a second factor, or by a passkey that has verified who uses it. It was proved so last
    at ``proved_at``; a device that somebody let in by its code has proved nothing. ``two_steps``
    says whether the account has a second factor.
    """

    role: Literal["member", "operator"]
    account_id: AccountId
    profile_id: ProfileId
    email: str = ""
    profile_name: str = ""
    login_id: LoginId = LoginId("")
    maturity: int | None = None
    kids: bool = False
    language: str = ""
    level: int = 1
    proved_at: datetime | None = None
    two_steps: bool = False
    staff_id: StaffId = StaffId("")
    staff_role: str = ""


class Logout(msgspec.Struct, frozen=True, kw_only=True):
    token: str


class LoggedOut(msgspec.Struct, frozen=True, kw_only=True):
    pass


class AccountCreated(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    account_id: AccountId
    profile_id: ProfileId


class Identity(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        WrongCredentials,
        NotLoggedIn,
        AccountExists,
        AccountInvalid,
        TooManyLogins,
        SignUpClosed,
        CodeSpent,
        TooManyTries,
        WrongPassword,
        UserCodeUnknown,
        UnknownProfile,
        ProfileInvalid,
        TooManyProfiles,
        LastProfile,
        PinNeeded,
        PasswordNeeded,
        WrongPin,
        FactorNeeded,
        WrongFactor,
        ChallengeSpent,
        FactorExists,
        FactorMissing,
        PasskeysOff,
        StaffInvalid,
        StaffExists,
        UnknownStaff,
        NotAllowed,
    )

    async def create_account(self, request: CreateAccount) -> Account: ...

    async def get_accounts(self, request: GetAccounts) -> AccountList: ...

    async def login(self, request: Login) -> LoginGranted: ...

    async def begin_login(self, request: Login) -> LoginBegun: ...

    async def begin_login_by_link(self, request: RedeemLoginLink) -> LoginBegun: ...

    async def find_challenge(self, request: FindChallenge) -> ChallengeFound: ...

    async def give_factor(self, request: GiveFactor) -> LoginGranted: ...

    async def ask_passkey(self, request: AskPasskey) -> PasskeyAsked: ...

    async def login_by_passkey(self, request: LoginByPasskey) -> LoginGranted: ...

    async def issue_login_link(self, request: IssueLoginLink) -> LoginLink: ...

    async def redeem_login_link(self, request: RedeemLoginLink) -> LoginGranted: ...

    async def authenticate(self, request: Authenticate) -> Caller: ...

    async def logout(self, request: Logout) -> LoggedOut: ...

    async def issue_operator_link(self, request: IssueOperatorLink) -> LoginLink: ...

    async def redeem_operator_link(self, request: RedeemOperatorLink) -> OperatorGranted: ...

    async def sign_up(self, request: SignUp) -> LetterUnderway: ...

    async def complete_sign_up(self, request: CompleteSignUp) -> LoginGranted: ...

    async def request_reset(self, request: RequestReset) -> LetterUnderway: ...

    async def request_login_letter(self, request: RequestLoginLetter) -> LetterUnderway: ...

    async def complete_reset(self, request: CompleteReset) -> Done: ...

    async def change_password(self, request: ChangePassword) -> Done: ...

    async def change_email(self, request: ChangeEmail) -> LetterUnderway: ...

    async def confirm_email(self, request: ConfirmEmail) -> Done: ...

    async def restore_email(self, request: RestoreEmail) -> Done: ...

    async def list_logins(self, request: ListLogins) -> LoginList: ...

    async def end_login(self, request: EndLogin) -> LoginsEnded: ...

    async def end_logins(self, request: EndLogins) -> LoginsEnded: ...

    async def authorize_device(self, request: AuthorizeDevice) -> DeviceAuthorization: ...

    async def poll_device(self, request: PollDevice) -> DevicePolled: ...

    async def look_up_device(self, request: LookUpDevice) -> WaitingDevice: ...

    async def answer_device(self, request: AnswerDevice) -> Done: ...

    async def describe_account(self, request: DescribeAccount) -> AccountDescription: ...

    async def delete_account(self, request: DeleteAccount) -> DeletionSet: ...

    async def list_profiles(self, request: ListProfiles) -> ProfileList: ...

    async def create_profile(self, request: CreateProfile) -> Profile: ...

    async def change_profile(self, request: ChangeProfile) -> Profile: ...

    async def delete_profile(self, request: DeleteProfile) -> Done: ...

    async def choose_profile(self, request: ChooseProfile) -> Profile: ...

    async def ask_proof(self, request: AskProof) -> FactorAsked: ...

    async def prove(self, request: Prove) -> Proof: ...

    async def list_factors(self, request: ListFactors) -> FactorList: ...

    async def begin_totp(self, request: BeginTotp) -> TotpBegun: ...

    async def confirm_totp(self, request: ConfirmTotp) -> RecoveryCodes: ...

    async def remove_totp(self, request: RemoveTotp) -> Done: ...

    async def renew_recovery_codes(self, request: RenewRecoveryCodes) -> RecoveryCodes: ...

    async def begin_passkey(self, request: BeginPasskey) -> PasskeyBegun: ...

    async def add_passkey(self, request: AddPasskey) -> PasskeyAdded: ...

    async def rename_passkey(self, request: RenamePasskey) -> Done: ...

    async def remove_passkey(self, request: RemovePasskey) -> Done: ...

    async def reset_factors(self, request: ResetFactors) -> LoginsEnded: ...

    async def add_staff(self, request: AddStaff) -> StaffMember: ...

    async def list_staff(self, request: ListStaff) -> StaffList: ...

    async def set_staff_role(self, request: SetStaffRole) -> StaffMember: ...

    async def remove_staff(self, request: RemoveStaff) -> StaffMember: ...

    async def issue_staff_token(self, request: IssueStaffToken) -> StaffToken: ...

    async def end_staff_logins(self, request: EndStaffLogins) -> LoginsEnded: ...

    async def begin_act(self, request: BeginAct) -> ActBegun: ...

    async def end_act(self, request: EndAct) -> ActEnded: ...

    async def list_acts(self, request: ListActs) -> ActPage: ...

    async def verify_acts(self, request: VerifyActs) -> Verdict: ...
