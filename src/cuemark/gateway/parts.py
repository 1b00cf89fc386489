"""What the gateway is built from: the contracts it calls, and what it needs of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from cuemark.contracts.billing import Billing
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.experiments import Experiments
from cuemark.contracts.fill import Fill
from cuemark.contracts.fraud import Fraud
from cuemark.contracts.functions import Functions
from cuemark.contracts.identity import Caller, Identity
from cuemark.contracts.licensing import Licensing
from cuemark.contracts.playback import Playback
from cuemark.contracts.rights import Rights
from cuemark.contracts.search import Search
from cuemark.contracts.steering import Steering
from cuemark.contracts.telemetry import Telemetry
from cuemark.contracts.viewers import Viewers
from cuemark.gateway.badges import Badges
from cuemark.gateway.clients import Network, client_address
from cuemark.gateway.limits import Limiter
from cuemark.gateway.machine import Machine
from cuemark.gateway.plans import Plans
from cuemark.gateway.slowed import Slowed
from cuemark.gateway.views import PaymentsView
from cuemark.kit.clock import Clock
from cuemark.kit.log_errors import LoggedError
from cuemark.kit.log_lines import LogLine
from cuemark.kit.objects import Objects
from cuemark.kit.passport import PassportOffice


@dataclass(frozen=True)
class GatewayParts:
    """The neighbours, local or remote alike, and the gateway's settings.

    ``public_base_url`` is where people reach this install, such as ``https://films.example``; a
    callable where the port is known only once something listens. ``page_folder`` is what the
    build of the member page left (``index.html`` and ``assets/``). ``machine``, ``last_errors``
    (with a limit) and ``trace_lines`` (of a trace id) read this machine, and are called in
    threads. ``trusted_proxies`` are believed about whom they speak for.
    """

    identity: Identity
    billing: Billing
    catalog: Catalog
    viewers: Viewers
    playback: Playback
    licensing: Licensing
    rights: Rights
    search: Search
    encoding: Encoding
    experiments: Experiments
    fill: Fill
    fraud: Fraud
    functions: Functions
    steering: Steering
    telemetry: Telemetry
    objects: Objects
    office: PassportOffice
    badges: Badges
    plans: Plans
    limiter: Limiter
    clock: Clock
    page_folder: Path
    public_base_url: str | Callable[[], str]
    service_name: str
    machine: Callable[[], Machine]
    last_errors: Callable[[int], list[LoggedError]]
    trace_lines: Callable[[str], list[LogLine]]
    trusted_proxies: Sequence[Network] = ()
    sign_up: Literal["open", "closed"] = "closed"
    payments: PaymentsView = field(default_factory=PaymentsView)
    seller: Sequence[str] = ()
    slowed: Slowed = field(default_factory=Slowed)

    def base_url(self) -> str:
        """The public base URL as it stands now, without a slash at its end."""
        url = self.public_base_url
        return (url if isinstance(url, str) else url()).rstrip("/")

    def client_of(self, request: "AnyRequest") -> str:
        """The IP address that a request comes from; empty where it cannot be told."""
        peer = request.scope["client"]
        forwarded = ", ".join(request.headers.getall("x-forwarded-for", []))
        return client_address(peer[0] if peer else "", forwarded, self.trusted_proxies)


Parts = NamedDependency[SkipValidation[GatewayParts]]
AnyRequest = Request[Caller, str, State]
