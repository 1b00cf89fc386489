"""Identity: accounts are made, logins open and end, tokens become callers."""

from cuemark.contexts.identity.model.roles import Roles
from cuemark.contexts.identity.service.accounts import Accounts
from cuemark.contexts.identity.service.acts import Acts
from cuemark.contexts.identity.service.changing import Changing
from cuemark.contexts.identity.service.devices import Devices
from cuemark.contexts.identity.service.entering import Entering
from cuemark.contexts.identity.service.factors import Factors
from cuemark.contexts.identity.service.joining import Joining
from cuemark.contexts.identity.service.logins import Logins
from cuemark.contexts.identity.service.memory import REMEMBER_S
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.service.profiles import Profiles
from cuemark.contexts.identity.service.protecting import Protecting
from cuemark.contexts.identity.service.staff import Staff
from cuemark.contracts.identity import (
    Account,
    AccountList,
    Authenticate,
    Caller,
    CreateAccount,
    GetAccounts,
    Identity,
    IssueLoginLink,
    IssueOperatorLink,
    LoggedOut,
    Login,
    LoginBegun,
    LoginGranted,
    LoginLink,
    Logout,
    OperatorGranted,
    RedeemLoginLink,
    RedeemOperatorLink,
)
from cuemark.contracts.identity.changing import (
    AccountDescription,
    ChangeEmail,
    ChangePassword,
    ConfirmEmail,
    DeleteAccount,
    DeletionSet,
    DescribeAccount,
    RestoreEmail,
)
from cuemark.contracts.identity.devices import (
    AnswerDevice,
    AuthorizeDevice,
    DeviceAuthorization,
    DevicePolled,
    LookUpDevice,
    PollDevice,
    WaitingDevice,
)
from cuemark.contracts.identity.factors import (
    AskProof,
    BeginTotp,
    ChallengeFound,
    ConfirmTotp,
    FactorAsked,
    FactorList,
    FindChallenge,
    GiveFactor,
    ListFactors,
    Proof,
    Prove,
    RecoveryCodes,
    RemoveTotp,
    RenewRecoveryCodes,
    ResetFactors,
    TotpBegun,
)
from cuemark.contracts.identity.joining import (
    CompleteReset,
    CompleteSignUp,
    Done,
    LetterUnderway,
    RequestLoginLetter,
    RequestReset,
    SignUp,
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
    ListProfiles,
    Profile,
    ProfileList,
)
from cuemark.contracts.identity.staff import (
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
    RemoveStaff,
    SetStaffRole,
    StaffList,
    StaffMember,
    StaffToken,
    Verdict,
    VerifyActs,
)

__all__ = ["REMEMBER_S", "IdentityService", "Parts"]


class IdentityService(Identity):
    """The use cases, each in its file.

    An authenticated token is remembered for ``REMEMBER_S``; what ends a login takes effect at once
    in this process, and after that time in every other.
    """

    def __init__(self, parts: Parts, operator_sha256: bytes, roles: Roles, acts_key: bytes) -> None:
        factors = Factors(parts)
        self._logins = Logins(parts, factors, operator_sha256)
        self._staff = Staff(parts, roles)
        self._acts = Acts(parts, roles, operator_sha256, acts_key)
        self._accounts = Accounts(parts, self._logins, factors, self._staff)
        self._joining = Joining(parts, self._logins)
        self._changing = Changing(parts)
        self._devices = Devices(parts, self._logins)
        self._profiles = Profiles(parts)
        self._entering = Entering(parts, self._logins, factors)
        self._protecting = Protecting(parts, factors)
        self.keep_erasing = self._changing.keep_erasing
        self.erase_due = self._changing.erase_due

    async def create_account(self, request: CreateAccount) -> Account:
        return await self._accounts.create(request)

    async def get_accounts(self, request: GetAccounts) -> AccountList:
        return await self._accounts.get(request)

    async def describe_account(self, request: DescribeAccount) -> AccountDescription:
        return await self._accounts.describe(request)

    async def issue_login_link(self, request: IssueLoginLink) -> LoginLink:
        return await self._accounts.issue_login_link(request)

    async def redeem_login_link(self, request: RedeemLoginLink) -> LoginGranted:
        return await self._accounts.redeem_login_link(request)

    async def issue_operator_link(self, request: IssueOperatorLink) -> LoginLink:
        return await self._accounts.issue_operator_link(request)

    async def redeem_operator_link(self, request: RedeemOperatorLink) -> OperatorGranted:
        return await self._accounts.redeem_operator_link(request)

    async def login(self, request: Login) -> LoginGranted:
        return await self._logins.login(request)

    async def begin_login(self, request: Login) -> LoginBegun:
        return await self._logins.begin(request)

    async def begin_login_by_link(self, request: RedeemLoginLink) -> LoginBegun:
        return await self._accounts.begin_by_link(request)

    async def find_challenge(self, request: FindChallenge) -> ChallengeFound:
        return await self._entering.find_challenge(request)

    async def give_factor(self, request: GiveFactor) -> LoginGranted:
        return await self._entering.give_factor(request)

    async def ask_passkey(self, request: AskPasskey) -> PasskeyAsked:
        return await self._entering.ask_passkey(request)

    async def login_by_passkey(self, request: LoginByPasskey) -> LoginGranted:
        return await self._entering.login_by_passkey(request)

    async def ask_proof(self, request: AskProof) -> FactorAsked:
        return await self._entering.ask_proof(request)

    async def prove(self, request: Prove) -> Proof:
        return await self._entering.prove(request)

    async def authenticate(self, request: Authenticate) -> Caller:
        return await self._logins.authenticate(request)

    async def logout(self, request: Logout) -> LoggedOut:
        return await self._logins.logout(request)

    async def list_logins(self, request: ListLogins) -> LoginList:
        return await self._logins.list(request)

    async def end_login(self, request: EndLogin) -> LoginsEnded:
        return await self._logins.end(request)

    async def end_logins(self, request: EndLogins) -> LoginsEnded:
        return await self._logins.end_all(request)

    async def sign_up(self, request: SignUp) -> LetterUnderway:
        return await self._joining.sign_up(request)

    async def complete_sign_up(self, request: CompleteSignUp) -> LoginGranted:
        return await self._joining.complete_sign_up(request)

    async def request_reset(self, request: RequestReset) -> LetterUnderway:
        return await self._joining.request_reset(request)

    async def request_login_letter(self, request: RequestLoginLetter) -> LetterUnderway:
        return await self._joining.request_login_letter(request)

    async def complete_reset(self, request: CompleteReset) -> Done:
        return await self._joining.complete_reset(request)

    async def change_password(self, request: ChangePassword) -> Done:
        return await self._changing.change_password(request)

    async def change_email(self, request: ChangeEmail) -> LetterUnderway:
        return await self._changing.change_email(request)

    async def confirm_email(self, request: ConfirmEmail) -> Done:
        return await self._changing.confirm_email(request)

    async def restore_email(self, request: RestoreEmail) -> Done:
        return await self._changing.restore_email(request)

    async def delete_account(self, request: DeleteAccount) -> DeletionSet:
        return await self._changing.delete(request)

    async def authorize_device(self, request: AuthorizeDevice) -> DeviceAuthorization:
        return await self._devices.authorize(request)

    async def poll_device(self, request: PollDevice) -> DevicePolled:
        return await self._devices.poll(request)

    async def look_up_device(self, request: LookUpDevice) -> WaitingDevice:
        return await self._devices.look_up(request)

    async def answer_device(self, request: AnswerDevice) -> Done:
        return await self._devices.answer(request)

    async def list_profiles(self, request: ListProfiles) -> ProfileList:
        return await self._profiles.listed(request)

    async def create_profile(self, request: CreateProfile) -> Profile:
        return await self._profiles.create(request)

    async def change_profile(self, request: ChangeProfile) -> Profile:
        return await self._profiles.change(request)

    async def delete_profile(self, request: DeleteProfile) -> Done:
        return await self._profiles.delete(request)

    async def choose_profile(self, request: ChooseProfile) -> Profile:
        return await self._profiles.choose(request)

    async def list_factors(self, request: ListFactors) -> FactorList:
        return await self._protecting.describe(request)

    async def begin_totp(self, request: BeginTotp) -> TotpBegun:
        return await self._protecting.begin_totp(request)

    async def confirm_totp(self, request: ConfirmTotp) -> RecoveryCodes:
        return await self._protecting.confirm_totp(request)

    async def remove_totp(self, request: RemoveTotp) -> Done:
        return await self._protecting.remove_totp(request)

    async def renew_recovery_codes(self, request: RenewRecoveryCodes) -> RecoveryCodes:
        return await self._protecting.renew_recovery_codes(request)

    async def begin_passkey(self, request: BeginPasskey) -> PasskeyBegun:
        return await self._protecting.begin_passkey(request)

    async def add_passkey(self, request: AddPasskey) -> PasskeyAdded:
        return await self._protecting.add_passkey(request)

    async def rename_passkey(self, request: RenamePasskey) -> Done:
        return await self._protecting.rename_passkey(request)

    async def remove_passkey(self, request: RemovePasskey) -> Done:
        return await self._protecting.remove_passkey(request)

    async def reset_factors(self, request: ResetFactors) -> LoginsEnded:
        return await self._protecting.reset(request)

    async def add_staff(self, request: AddStaff) -> StaffMember:
        return await self._staff.add(request)

    async def list_staff(self, request: ListStaff) -> StaffList:
        return await self._staff.list()

    async def set_staff_role(self, request: SetStaffRole) -> StaffMember:
        return await self._staff.set_role(request)

    async def remove_staff(self, request: RemoveStaff) -> StaffMember:
        return await self._staff.remove(request)

    async def issue_staff_token(self, request: IssueStaffToken) -> StaffToken:
        return await self._staff.issue_token(request)

    async def end_staff_logins(self, request: EndStaffLogins) -> LoginsEnded:
        return await self._staff.end_logins(request)

    async def begin_act(self, request: BeginAct) -> ActBegun:
        return await self._acts.begin(request)

    async def end_act(self, request: EndAct) -> ActEnded:
        return await self._acts.end(request)

    async def list_acts(self, request: ListActs) -> ActPage:
        return await self._acts.list(request)

    async def verify_acts(self, request: VerifyActs) -> Verdict:
        return await self._acts.verify(request)
