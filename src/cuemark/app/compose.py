"""Who runs where: one table of targets and their needs, and the building of a process from it.

A context that is not among a process's targets is reached through its remote client, and its
code is not imported there.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cuemark.app.farm.keys import farm_key
from cuemark.app.protection import headers_in
from cuemark.app.settings import Settings
from cuemark.app.storage import open_objects
from cuemark.app.system import Install
from cuemark.contracts.billing import Billing
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.experiments import Experiments
from cuemark.contracts.fill import Fill
from cuemark.contracts.fraud import Fraud
from cuemark.contracts.functions import Functions
from cuemark.contracts.identity import Identity
from cuemark.contracts.licensing import Licensing
from cuemark.contracts.playback import Playback
from cuemark.contracts.rights import Rights
from cuemark.contracts.search import Search
from cuemark.contracts.steering import Steering
from cuemark.contracts.telemetry import Telemetry
from cuemark.contracts.viewers import Viewers
from cuemark.kit.channel import Channel
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.link import InternalApp, connect, route_of, serve
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.passport import Passport, PassportOffice
from cuemark.kit.room import Room

if TYPE_CHECKING:
    from cuemark.gateway.views import PaymentsView

T = TypeVar("T")

OBJECTS_PATIENCE_S = 5.0
"""How long a request waits for a bucket that is away."""
TRACE_TAIL_BYTES = 64 << 20
"""How far back in each log the page of a trace looks; `cuemark logs` looks into all of it."""

CONTRACTS: Mapping[str, type] = {
    "billing": Billing,
    "catalog": Catalog,
    "encoding": Encoding,
    "experiments": Experiments,
    "fill": Fill,
    "fraud": Fraud,
    "functions": Functions,
    "identity": Identity,
    "licensing": Licensing,
    "playback": Playback,
    "rights": Rights,
    "search": Search,
    "steering": Steering,
    "telemetry": Telemetry,
    "viewers": Viewers,
}

TARGETS: Mapping[str, Sequence[str]] = {
    "billing": (),
    "catalog": (),
    "encoding": (),
    "experiments": (),
    "fill": ("encoding",),
    "fraud": (),
    "functions": (),
    "identity": (),
    "licensing": ("catalog", "rights"),
    "rights": (),
    "search": ("catalog", "rights"),
    "steering": ("fill",),
    "telemetry": (),
    "viewers": (),
    "playback": (
        *("billing", "catalog", "encoding", "experiments"),
        *("licensing", "rights", "steering", "viewers"),
    ),
    "gateway": tuple(CONTRACTS),
    "all": (*CONTRACTS, "gateway"),
}
"""What each target needs. ``all`` runs what it needs; the others reach it by contract."""


@dataclass(frozen=True)
class Composition:
    """A composed process. ``gateway`` is None where it is not a target, and ``farm``, what workers
    on other hosts may ask, where licensing is not."""

    gateway: object | None
    internal: InternalApp
    farm: InternalApp | None
    followers: Sequence[Follower]
    local: frozenset[str]
    keepers: Sequence[Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=tuple)
    closers: Sequence[Callable[[], Any]] = field(default_factory=tuple)

    async def close(self) -> None:
        for closer in self.closers:
            await closer()


class _Builder:
    """Builds each context once, locally where it is a target, else as a remote client."""

    def __init__(
        self, install: Install, local: frozenset[str], peers: Mapping[str, str], writer: str
    ) -> None:
        self.install = install
        self.local = local
        self.peers = peers
        self.clock = SystemClock()
        self.ids = Ids(self.clock)
        self.log = Log(self.clock)
        self.database = Database(install.database_url)
        self.objects = open_objects(
            install.folder, install.settings.objects, writer, OBJECTS_PATIENCE_S
        )
        self.office = PassportOffice(install.folder.secret("passport_key"), self.clock)
        self.rooms: dict[str, Room[Any]] = {}
        self.channels: dict[str, Channel] = {}

    def reach(self, contract: type[T]) -> T:
        """The object behind a contract, for whoever needs it."""
        name = contract.__name__.lower()
        if name in self.local:
            return cast(T, self.room(name).service)
        url = self.peers.get(name) or self.install.settings.control_url
        return connect(contract, self._channel(url or self.install.internal_url))

    def room(self, name: str) -> Room[Any]:
        if name not in self.rooms:
            self.rooms[name] = BUILDERS[name](self)
        return self.rooms[name]

    def _channel(self, url: str) -> Channel:
        if url not in self.channels:
            passport = Passport(subject="control", role="service")
            self.channels[url] = Channel(url, lambda: self.office.mint(passport))
        return self.channels[url]


def writer_of(targets: Sequence[str]) -> str:
    """The name under which a process that runs ``targets`` writes objects."""
    return "-".join(sorted(targets))


def compose(install: Install, targets: Sequence[str], peers: Mapping[str, str]) -> Composition:
    """Build a process that runs ``targets``."""
    chosen = {
        part for target in targets for part in (TARGETS["all"] if target == "all" else [target])
    }
    local = frozenset(chosen & set(CONTRACTS))
    builder = _Builder(install, local, peers, writer_of(targets))
    rooms = [builder.room(name) for name in sorted(local)]
    gateway = _gateway(builder) if "gateway" in chosen else None
    return Composition(
        gateway=gateway,
        internal=InternalApp(
            [serve(room.contract, room.service) for room in rooms], builder.office
        ),
        farm=_farm(builder) if "licensing" in local and install.settings.farm.listen else None,
        followers=[follower for room in rooms for follower in room.followers],
        local=local,
        keepers=[keeper for room in rooms for keeper in room.keepers],
        closers=[
            *(closer for room in rooms for closer in room.closers),
            builder.database.close,
            *(channel.close for channel in builder.channels.values()),
        ],
    )


def _farm(builder: _Builder) -> InternalApp:
    """What a worker on another host may ask for: the keys of the versions that it packages."""
    routes = serve(Licensing, builder.room("licensing").service)
    allowed = route_of(Licensing, "provision_keys")
    office = PassportOffice(farm_key(builder.install), builder.clock)
    return InternalApp([{allowed: routes[allowed]}], office)


def _billing(builder: _Builder) -> Room[Billing]:
    from cuemark.app.system import provider_of
    from cuemark.contexts.billing.wiring import build

    selling = builder.install.settings.billing == "on"
    return build(
        database=builder.database,
        log=builder.log,
        clock=builder.clock,
        ids=builder.ids,
        provider=provider_of(builder.install) if selling else None,
    )


def _catalog(builder: _Builder) -> Room[Catalog]:
    from cuemark.contexts.catalog.wiring import build

    return build(
        builder.database,
        builder.log,
        builder.clock,
        builder.ids,
        unrated_age=builder.install.settings.unrated_age,
    )


def _encoding(builder: _Builder) -> Room[Encoding]:
    from cuemark.contexts.encoding.wiring import build

    return build(
        database=builder.database,
        log=builder.log,
        clock=builder.clock,
        ids=builder.ids,
        objects=builder.objects,
        database_url=builder.install.database_url,
        effort=builder.install.settings.effort,
        codecs=builder.install.settings.codecs,
        energy=builder.install.settings.energy,
        film_grain=builder.install.settings.film_grain,
        crypto_period_s=builder.install.settings.protection.crypto_period_s,
        mirrored=bool(builder.install.settings.objects.store),
    )


def _experiments(builder: _Builder) -> Room[Experiments]:
    from cuemark.contexts.experiments.wiring import build

    return build(builder.database, builder.clock, builder.ids)


def _fill(builder: _Builder) -> Room[Fill]:
    from cuemark.contexts.fill.wiring import build

    return build(
        database=builder.database,
        log=builder.log,
        clock=builder.clock,
        encoding=builder.reach(Encoding),
        objects=builder.objects,
        appliance_ids=builder.install.enrolled_ids,
        storage_ids=builder.install.storage_ids,
    )


def _fraud(builder: _Builder) -> Room[Fraud]:
    from cuemark.contexts.fraud.wiring import build

    install = builder.install
    return build(
        builder.database,
        builder.log,
        builder.clock,
        builder.ids,
        key=install.folder.secret("fraud_key"),
        signed_by=(install.settings.service_name, install.public_url),
    )


def _functions(builder: _Builder) -> Room[Functions]:
    from cuemark.app.events import EVENTS
    from cuemark.contexts.functions.wiring import build, kinds_of

    return build(
        database=builder.database,
        log=builder.log,
        clock=builder.clock,
        folder=builder.install.functions,
        results=builder.install.folder.results,
        kinds=kinds_of(EVENTS),
    )


def _identity(builder: _Builder) -> Room[Identity]:
    from cuemark.app.mail import way_of
    from cuemark.app.staff import roles_in
    from cuemark.contexts.identity.wiring import Service, build

    install, settings = builder.install, builder.install.settings
    return build(
        database=builder.database,
        log=builder.log,
        clock=builder.clock,
        ids=builder.ids,
        operator_token=install.folder.secret("operator_token").hex(),
        key=install.folder.secret("identity_key"),
        signed_by=Service(settings.service_name, install.public_url),
        open_to_all=settings.sign_up == "open",
        way=way_of(install.folder, settings.mail, settings.service_name),
        roles=roles_in(install.folder.root, settings.staff_policies),
        acts_key=install.folder.secret("acts_key"),
    )


def _licensing(builder: _Builder) -> Room[Licensing]:
    from cuemark.app.licence_servers import server_of, terms_of
    from cuemark.app.master_keys import vault_in
    from cuemark.contexts.licensing.wiring import Server, build

    folder, protection = builder.install.folder, builder.install.settings.protection
    return build(
        database=builder.database,
        clock=builder.clock,
        rights=builder.reach(Rights),
        catalog=builder.reach(Catalog),
        vault=vault_in(folder, builder.install.settings.master_keys, builder.clock),
        clearkey=protection.clearkey,
        systems=tuple(protection.systems),
        licence_servers={
            name: server_of(folder.root, system)
            for name, system in protection.systems.items()
            if system.licence_url
        },
        key_server=Server(
            protection.key_server, headers_in(folder.root, protection.key_server_headers_file)
        )
        if protection.key_server
        else None,
        sealed=protection.key_server_sealed,
        demands=protection.robustness,
        terms=terms_of(protection.licences),
    )


def _playback(builder: _Builder) -> Room[Playback]:
    from cuemark.contexts.playback.wiring import Offer, build

    protection = builder.install.settings.protection
    return build(
        database=builder.database,
        log=builder.log,
        clock=builder.clock,
        ids=builder.ids,
        catalog=builder.reach(Catalog),
        encoding=builder.reach(Encoding),
        experiments=builder.reach(Experiments),
        licensing=builder.reach(Licensing),
        rights=builder.reach(Rights),
        steering=builder.reach(Steering),
        viewers=builder.reach(Viewers),
        fingerprint_key=builder.install.folder.secret("fingerprint_key"),
        offer=Offer(
            tuple(protection.systems),
            protection.clearkey,
            protection.robustness,
            protection.licences.outputs,
        ),
        billing=builder.reach(Billing) if builder.install.settings.billing == "on" else None,
    )


def _rights(builder: _Builder) -> Room[Rights]:
    from cuemark.contexts.rights.wiring import Terms, build

    settings = builder.install.settings.rights
    terms = Terms(
        unrecorded=settings.unrecorded,
        territory=settings.territory,
        plan=frozenset(settings.plan),
        grace=timedelta(seconds=settings.grace_s),
    )
    return build(builder.database, builder.log, builder.clock, terms)


def _search(builder: _Builder) -> Room[Search]:
    from cuemark.contexts.search.wiring import build

    catalog, rights = builder.reach(Catalog), builder.reach(Rights)
    return build(builder.database, builder.log, builder.clock, catalog, rights)


def _steering(builder: _Builder) -> Room[Steering]:
    from cuemark.contexts.steering.wiring import build

    return build(
        database=builder.database,
        log=builder.log,
        clock=builder.clock,
        fill=builder.reach(Fill),
        appliance_ids=builder.install.enrolled_ids,
        token_keys=builder.install.folder.token_keys(),
        storage_ids=builder.install.storage_ids,
        atlas=[builder.install.folder.root / name for name in builder.install.settings.atlas],
    )


def _telemetry(builder: _Builder) -> Room[Telemetry]:
    from cuemark.contexts.telemetry.wiring import build

    return build(
        database=builder.database,
        log=builder.log,
        clock=builder.clock,
        folder=builder.install.folder.telemetry,
        appliance_ids=builder.install.enrolled_ids,
        days=builder.install.settings.traffic_days,
    )


def _viewers(builder: _Builder) -> Room[Viewers]:
    from cuemark.contexts.viewers.wiring import build

    region = builder.install.settings.region
    return build(database=builder.database, clock=builder.clock, region=region)


BUILDERS: Mapping[str, Callable[[_Builder], Room[Any]]] = {
    "billing": _billing,
    "catalog": _catalog,
    "encoding": _encoding,
    "experiments": _experiments,
    "fill": _fill,
    "fraud": _fraud,
    "functions": _functions,
    "identity": _identity,
    "licensing": _licensing,
    "playback": _playback,
    "rights": _rights,
    "search": _search,
    "steering": _steering,
    "telemetry": _telemetry,
    "viewers": _viewers,
}


def _payments_told(settings: Settings) -> "PaymentsView":
    from cuemark.gateway.views import PaymentsView

    payments = settings.payments
    if settings.billing == "off":
        return PaymentsView()
    return PaymentsView(
        provider=payments.provider,
        publishable_key=payments.publishable_key if payments.provider == "stripe" else "",
    )


def _gateway(builder: _Builder) -> object:
    from cuemark.app.log_keeping import sources_of
    from cuemark.app.machine import machine_of
    from cuemark.gateway import app
    from cuemark.gateway.badges import Badges
    from cuemark.gateway.limits import Limiter
    from cuemark.gateway.parts import GatewayParts
    from cuemark.gateway.plans import Plans
    from cuemark.kit import log_lines
    from cuemark.kit.log_errors import last_errors

    folder = builder.install.folder
    billing = builder.reach(Billing)
    is_sold = builder.install.settings.billing != "off"
    return app.build_gateway(
        GatewayParts(
            identity=builder.reach(Identity),
            billing=billing,
            catalog=builder.reach(Catalog),
            viewers=builder.reach(Viewers),
            playback=builder.reach(Playback),
            licensing=builder.reach(Licensing),
            rights=builder.reach(Rights),
            search=builder.reach(Search),
            encoding=builder.reach(Encoding),
            experiments=builder.reach(Experiments),
            fill=builder.reach(Fill),
            fraud=builder.reach(Fraud),
            functions=builder.reach(Functions),
            steering=builder.reach(Steering),
            telemetry=builder.reach(Telemetry),
            objects=builder.objects,
            office=builder.office,
            badges=Badges(folder.secret("badge_key"), builder.clock),
            plans=Plans(billing if is_sold else None, builder.clock),
            limiter=Limiter(builder.clock),
            clock=builder.clock,
            page_folder=Path(app.__file__).parent / "page",
            public_base_url=builder.install.public_url,
            service_name=builder.install.settings.service_name,
            trusted_proxies=[
                ip_network(network) for network in builder.install.settings.trusted_proxies
            ],
            sign_up=builder.install.settings.sign_up,
            payments=_payments_told(builder.install.settings),
            seller=builder.install.settings.payments.seller,
            machine=lambda: machine_of(folder),
            last_errors=lambda limit: last_errors(folder.log_file, limit),
            trace_lines=lambda trace_id: log_lines.read(
                sources_of(folder),
                lambda line: line.trace_id == trace_id,
                holding=[trace_id.encode()],
                tail_bytes=TRACE_TAIL_BYTES,
            ),
        )
    )
