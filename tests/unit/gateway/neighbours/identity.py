"""Identity in memory."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import msgspec

from cuemark.contracts import identity
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
from cuemark.contracts.identity.factors import FactorNeeded
from cuemark.contracts.identity.joining import (
    CodeSpent,
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
    OpenLogin,
)
from cuemark.contracts.identity.profiles import (
    MOST_PROFILES,
    ChangeProfile,
    ChooseProfile,
    CreateProfile,
    DeleteProfile,
    ListProfiles,
    PinNeeded,
    Profile,
    ProfileList,
)
from cuemark.contracts.identity.staff import (
    Act,
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
    StaffList,
    StaffMember,
    StaffToken,
    Verdict,
    VerifyActs,
)
from cuemark.contracts.ids import AccountId, LoginId, ProfileId, StaffId
from cuemark.gateway.staff.actions import ACTIONS
from cuemark.kit.errors import Refusal, Unavailable
from cuemark.kit.passport import Passport, current_passport
from tests.unit.gateway.neighbours.factors import Protected, account
from tests.unit.gateway.neighbours.neighbour import ANNA, BEN, OPERATOR

PASSWORD = "correct horse"
CODE = "code/with strange+signs"
OPERATOR_CODE = "the operator's code"


def alone(begun: identity.LoginBegun) -> identity.LoginGranted:
    if begun.granted is None:
        raise FactorNeeded("Log in in two steps.")
    return begun.granted


@dataclass
class People(Protected):
    refusals: ClassVar[tuple[type[Refusal], ...]] = identity.Identity.refusals
    ended: set[str] = field(default_factory=set)
    passports: list[Passport | None] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    deaf: bool = False
    profiles: dict[str, Profile | None] = field(default_factory=dict)
    """By the name of the account, where its login is on another profile than the account's own, or
    on none."""
    staff: dict[str, list[str]] = field(default_factory=dict)
    """What tokens of staff allow."""
    acts: list[tuple[str, str]] = field(default_factory=list)
    forgetful: bool = False

    async def create_account(self, request: identity.CreateAccount) -> identity.Account:
        self.check()
        if "@" not in request.email:
            raise identity.AccountInvalid("This is no mail address.")
        return account(request.email.partition("@")[0], self.clock)

    async def get_accounts(self, request: identity.GetAccounts) -> identity.AccountList:
        self.check()
        if self.deaf:
            raise Unavailable("it takes too long")
        known = [account(name, self.clock) for name in ("anna", "ben")]
        return identity.AccountList(
            accounts=[each for each in known if each.account_id in request.account_ids]
        )

    async def login(self, request: identity.Login) -> identity.LoginGranted:
        return alone(await self.begin_login(request))

    async def begin_login(self, request: identity.Login) -> identity.LoginBegun:
        self.check()
        self.heard.append(request)
        if request.password != PASSWORD:
            raise identity.WrongCredentials("Mail and password do not match.")
        return self._begun()

    async def issue_login_link(self, request: identity.IssueLoginLink) -> identity.LoginLink:
        self.check()
        expires_at = self.clock.now() + timedelta(seconds=request.ttl_s)
        return identity.LoginLink(code=CODE, expires_at=expires_at)

    async def redeem_login_link(self, request: identity.RedeemLoginLink) -> identity.LoginGranted:
        return alone(await self.begin_login_by_link(request))

    async def begin_login_by_link(self, request: identity.RedeemLoginLink) -> identity.LoginBegun:
        self.check()
        if request.code != CODE:
            raise identity.WrongCredentials("The code is spent or late.")
        return self._begun()

    async def issue_operator_link(self, request: identity.IssueOperatorLink) -> identity.LoginLink:
        self.check()
        expires_at = self.clock.now() + timedelta(seconds=request.ttl_s)
        return identity.LoginLink(code=OPERATOR_CODE, expires_at=expires_at)

    async def redeem_operator_link(
        self, request: identity.RedeemOperatorLink
    ) -> identity.OperatorGranted:
        self.check()
        if request.code != OPERATOR_CODE:
            raise identity.WrongCredentials("The code is spent or late.")
        expires_at = self.clock.now() + timedelta(hours=12)
        return identity.OperatorGranted(token=OPERATOR, expires_at=expires_at)

    async def authenticate(self, request: identity.Authenticate) -> identity.Caller:
        self.check()
        self.shown.append(request.token)
        if request.token == OPERATOR or request.token in self.staff:
            return identity.Caller(
                role="operator",
                account_id=AccountId(""),
                profile_id=ProfileId(""),
                staff_role="owner",
            )
        name = {ANNA: "anna", BEN: "ben"}.get(request.token)
        if name is None or request.token in self.ended:
            raise identity.NotLoggedIn("Log in again.")
        who = account(name, self.clock)
        own = Profile(profile_id=who.profile_id, name=who.profile_name)
        profile = self.profiles.get(name, own)
        return identity.Caller(
            role="member",
            account_id=who.account_id,
            profile_id=profile.profile_id if profile else ProfileId(""),
            email=who.email,
            profile_name=profile.name if profile else "",
            login_id=LoginId(f"lgn_{name}"),
            maturity=profile.maturity if profile else None,
            kids=bool(profile and profile.kids),
            language=profile.language if profile else "",
            level=self.level,
            proved_at=self.proved_at,
            two_steps=self.two_steps,
        )

    async def begin_act(self, request: BeginAct) -> ActBegun:
        self.check()
        allowed = self.staff.get(request.token, list(ACTIONS))
        may = request.action in allowed
        self.acts.append((request.action, "begun" if may else "refused"))
        if not may:
            raise NotAllowed(f"The role does not allow {request.action}.")
        role = "narrow" if request.token in self.staff else "owner"
        staff_id = StaffId(f"stf_{request.token}" if request.token in self.staff else "")
        return ActBegun(number=len(self.acts), staff_id=staff_id, role=role, allowed=allowed)

    async def end_act(self, request: EndAct) -> ActEnded:
        self.acts.append((request.subject, str(request.status)))
        if self.forgetful:
            raise Unavailable("switched off by the test")
        return ActEnded()

    async def list_acts(self, request: ListActs) -> ActPage:
        self.check()
        act = Act(
            number=7,
            at=self.clock.now(),
            staff_id=StaffId("stf_1"),
            who="<b>eve</b>@films.example",
            role="support",
            action="plays.stop",
            subject="plays/<script>",
            result="refused",
            of=0,
            status=0,
            client_address="192.0.2.7",
            trace_id="0" * 32,
            digest="00" * 32,
        )
        return ActPage(acts=[act], next_before=7)

    async def verify_acts(self, request: VerifyActs) -> Verdict:
        self.check()
        return Verdict(entries=1, head="00" * 32)

    async def list_staff(self, request: ListStaff) -> StaffList:
        self.check()
        return StaffList(staff=[self.member()], roles={"support": ["plays.stop"]})

    async def add_staff(self, request: AddStaff) -> StaffMember:
        self._done(request)
        return self.member()

    async def set_staff_role(self, request: SetStaffRole) -> StaffMember:
        self._done(request)
        return self.member()

    async def remove_staff(self, request: RemoveStaff) -> StaffMember:
        self._done(request)
        return self.member()

    async def issue_staff_token(self, request: IssueStaffToken) -> StaffToken:
        self._done(request)
        return StaffToken(token="t", expires_at=self.clock.now() + timedelta(days=1))

    async def end_staff_logins(self, request: EndStaffLogins) -> LoginsEnded:
        self._done(request)
        return LoginsEnded(ended=2)

    def member(self) -> StaffMember:
        return StaffMember(
            staff_id=StaffId("stf_1"),
            email="eve@films.example",
            role="support",
            created_at=self.clock.now(),
        )

    async def sign_up(self, request: SignUp) -> LetterUnderway:
        self.check()
        self.heard.append(request)
        return LetterUnderway()

    async def complete_sign_up(self, request: CompleteSignUp) -> identity.LoginGranted:
        self.check()
        self.heard.append(request)
        self._check_code(request.code)
        return self._grant()

    async def request_reset(self, request: RequestReset) -> LetterUnderway:
        self.check()
        self.heard.append(request)
        return LetterUnderway(delayed=True)

    async def request_login_letter(self, request: RequestLoginLetter) -> LetterUnderway:
        self.check()
        self.heard.append(request)
        return LetterUnderway()

    async def complete_reset(self, request: CompleteReset) -> Done:
        self._check_code(request.code)
        return self._done(request)

    async def change_password(self, request: ChangePassword) -> Done:
        return self._done(request)

    async def change_email(self, request: ChangeEmail) -> LetterUnderway:
        self._done(request)
        return LetterUnderway()

    async def confirm_email(self, request: ConfirmEmail) -> Done:
        self._check_code(request.code)
        return self._done(request)

    async def restore_email(self, request: RestoreEmail) -> Done:
        self._check_code(request.code)
        return self._done(request)

    async def list_logins(self, request: ListLogins) -> LoginList:
        self.check()
        name = request.account_id.removeprefix("acc_")
        open_ = OpenLogin(
            login_id=LoginId(f"lgn_{name}"),
            device="Firefox on Linux",
            network="192.0.2.0/24",
            created_at=self.clock.now(),
            seen_at=self.clock.now(),
            expires_at=self.clock.now() + timedelta(days=30),
        )
        other = msgspec.structs.replace(open_, login_id=LoginId("lgn_other"))
        return LoginList(logins=[open_, other])

    async def end_login(self, request: EndLogin) -> LoginsEnded:
        self._done(request)
        return LoginsEnded(ended=1)

    async def end_logins(self, request: EndLogins) -> LoginsEnded:
        self._done(request)
        return LoginsEnded(ended=2)

    async def authorize_device(self, request: AuthorizeDevice) -> DeviceAuthorization:
        self._done(request)
        return DeviceAuthorization(
            device_code=CODE,
            user_code="WDJB-MJHT",
            expires_at=self.clock.now() + timedelta(minutes=15),
            interval_s=5,
        )

    async def poll_device(self, request: PollDevice) -> DevicePolled:
        self._done(request)
        if request.device_code != CODE:
            return DevicePolled(state="authorization_pending")
        ends = self.clock.now() + timedelta(days=30)
        return DevicePolled(state="granted", token=ANNA, expires_at=ends)

    async def look_up_device(self, request: LookUpDevice) -> WaitingDevice:
        self._done(request)
        return WaitingDevice(
            user_code="WDJB-MJHT", device="A television", network="", asked_at=self.clock.now()
        )

    async def answer_device(self, request: AnswerDevice) -> Done:
        return self._done(request)

    async def describe_account(self, request: DescribeAccount) -> AccountDescription:
        self.check()
        who = account(request.account_id.removeprefix("acc_"), self.clock)
        return AccountDescription(
            account_id=who.account_id,
            email=who.email,
            created_at=who.created_at,
            has_password=True,
            profiles=[Profile(profile_id=who.profile_id, name=who.profile_name)],
        )

    async def delete_account(self, request: DeleteAccount) -> DeletionSet:
        self._done(request)
        return DeletionSet(erased_at=self.clock.now() + timedelta(days=14))

    async def list_profiles(self, request: ListProfiles) -> ProfileList:
        self.check()
        who = account(request.account_id.removeprefix("acc_"), self.clock)
        own = Profile(profile_id=who.profile_id, name=who.profile_name)
        return ProfileList(profiles=[own], most=MOST_PROFILES)

    async def create_profile(self, request: CreateProfile) -> Profile:
        self._done(request)
        return Profile(profile_id=ProfileId("prf_new"), name=request.name)

    async def change_profile(self, request: ChangeProfile) -> Profile:
        self._done(request)
        return Profile(profile_id=request.profile_id, name="Changed")

    async def delete_profile(self, request: DeleteProfile) -> Done:
        return self._done(request)

    async def choose_profile(self, request: ChooseProfile) -> Profile:
        self._done(request)
        if not request.pin:
            raise PinNeeded("It has a PIN.")
        return Profile(profile_id=request.profile_id, name="Chosen")

    def _check_code(self, code: str) -> None:
        if code != CODE:
            raise CodeSpent("The code is spent or late.")

    async def logout(self, request: identity.Logout) -> identity.LoggedOut:
        self.check()
        self.passports.append(current_passport.get())
        self.ended.add(request.token)
        return identity.LoggedOut()
