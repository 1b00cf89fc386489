"""What the API takes and gives about members' own accounts and devices.

A body has what it names and nothing else: a field that it does not name, such as a role, is not
looked at.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from cuemark.contracts.billing.invoices import Invoice
from cuemark.contracts.billing.subscriptions import Subscription
from cuemark.contracts.fraud import Finding, Place
from cuemark.contracts.identity.changing import AccountDescription
from cuemark.contracts.identity.logins import OpenLogin
from cuemark.contracts.playback import OwnPlay
from cuemark.contracts.viewers.lists import Rating
from cuemark.gateway.views import Line, Secret, View

UserCode = Annotated[str, Meta(max_length=40)]


class EmailBody(View, frozen=True):
    email: Line


class CompleteSignUpBody(View, frozen=True):
    code: Secret
    password: Secret
    profile_name: Line = ""


class CompleteResetBody(View, frozen=True):
    code: Secret
    password: Secret


class NewPasswordBody(View, frozen=True):
    old_password: Secret
    new_password: Secret


class NewEmailBody(View, frozen=True):
    email: Line
    password: Secret


class DeletionBody(View, frozen=True):
    password: Secret


class LoginView(View, frozen=True):
    """``is_this``: the request came by this login."""

    login_id: str
    device: str
    network: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_this: bool


class LoginListView(View, frozen=True):
    logins: list[LoginView]


class DeviceAnswerBody(View, frozen=True):
    user_code: UserCode
    allow: bool


class DeviceAuthorizationView(View, frozen=True):
    """As RFC 8628, section 3.2, has it."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class DeviceTokenView(View, frozen=True):
    """As RFC 6749, section 5.1, has it."""

    access_token: str
    expires_in: int
    token_type: str = "Bearer"


class OAuthErrorView(View, frozen=True):
    """As RFC 6749, section 5.2, has it."""

    error: str
    error_description: str = ""


class WatchedView(View, frozen=True):
    profile_id: str
    title_id: str
    position_s: float
    duration_s: float
    watched_at: datetime


class ViewingView(View, frozen=True):
    profile_id: str
    title_id: str
    session_id: str
    position_s: float
    duration_s: float
    watched_at: datetime


class KeptView(View, frozen=True):
    """What is on a profile's list."""

    profile_id: str
    work_id: str
    added_at: datetime


class OpinionView(View, frozen=True):
    profile_id: str
    work_id: str
    rating: Rating
    rated_at: datetime


class ExportView(View, frozen=True):
    """All that is kept of an account. ``complete`` is false where there is more than is listed: of
    each kind the latest ``MOST_EXPORTED`` are."""

    service: str
    made_at: datetime
    account: AccountDescription
    logins: list[OpenLogin]
    watched: list[WatchedView]
    viewings: list[ViewingView]
    my_list: list[KeptView]
    ratings: list[OpinionView]
    plays: list[OwnPlay]
    findings: list[Finding]
    places: list[Place]
    subscription: Subscription | None
    invoices: list[Invoice]
    complete: bool
