"""Settings: read once, from ``cuemark.toml`` in the data folder and the environment.

The environment wins: ``CUEMARK_WORKERS=4`` overrides ``workers = 4``; it sets no table. Everything
else in the program gets its settings passed in.
"""

import ipaddress
import os
import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from cuemark.app.mail import Mail, Security, complaint_about_mail
from cuemark.app.master_key_settings import MasterKeysIn, complaint_about_master_keys
from cuemark.app.payments import Payments, ProviderName, complaint_about_payments
from cuemark.app.protection import Protection, Protocol, complaint
from cuemark.app.sites import Site, complaint_about_sites
from cuemark.app.storage import ObjectsIn, complaint_about
from cuemark.contracts.encoding.jobs import Effort, FilmGrain
from cuemark.contracts.encoding.reports import EnergyModel
from cuemark.contracts.encoding.validation import Action, Check, PolicyChanges
from cuemark.contracts.encoding.versions import Codec
from cuemark.contracts.protection import Hdcp, Label, Robustness, Scheme, System
from cuemark.contracts.rights import LicenceType
from cuemark.kit.errors import OperatorError

FILE_NAME = "cuemark.toml"
_PREFIX = "CUEMARK_"

_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,9}")

TABLES = frozenset(
    {
        *("validation", "energy", "protection", "objects", "farm", "rights", "sites", "mail"),
        *("master_keys", "payments"),
    }
)
"""The settings that are set in the file alone."""

LISTS = frozenset({"codecs", "appliances_elsewhere", "atlas", "trusted_proxies"})
"""The settings that are lists: in the environment, words with commas or spaces between them."""

Count = Annotated[int, Meta(ge=0, le=200)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Rate = Annotated[int, Meta(ge=0, le=100_000_000)]
Size = Annotated[int, Meta(ge=0, le=10_000_000)]
Names = Annotated[
    list[Annotated[str, Meta(pattern="^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]], Meta(max_length=200)
]
SignUp = Literal["closed", "open"]
RegionName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
Codecs = Annotated[list[Codec], Meta(max_length=8)]


class SettingsInvalid(OperatorError):
    """A setting has a name or a value that this release does not take."""


class Farm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Workers on other hosts. ``listen`` is the address of this machine, IPv4 or a name, at which
    they reach the database and the control plane; empty: nobody does."""

    listen: str = ""


class RightsOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds where a title's rights say nothing: see docs/how-to/give-titles-their-rights.md.

    ``unrecorded`` titles play everywhere (``open``) or nowhere (``closed``). ``territory`` is as
    which a client counts of whom it is not known; empty: as none. ``plan`` are the licence types
    under which members watch. A play goes on for ``grace_s`` after its right has ended.
    """

    unrecorded: Literal["open", "closed"] = "open"
    territory: Annotated[str, Meta(pattern="^([A-Z]{2})?$")] = ""
    plan: Annotated[tuple[LicenceType, ...], Meta(min_length=1)] = ("SVOD", "AVOD", "FVOD")
    grace_s: Annotated[int, Meta(ge=0, le=86_400)] = 900


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an install may set.

    ``postgres_url`` and ``nginx`` replace the bundled engines by the URL of a PostgreSQL 16 or
    newer and the path of an nginx with njs. ``origin_limit_kbps`` bounds each connection to the
    origin, 0 for no bound. ``storage_appliances`` says how many of the appliances, the last ones,
    are of the storage tier; ``store_limit_gb``, ``store_reserve_mb`` and ``scrub_kbps`` are of each
    appliance: see docs/how-to/look-after-an-appliances-disk.md. ``bind`` is the interface of the
    page and of the appliances, as an IPv4 address or a name. ``appliances_elsewhere`` are the names
    of those that run on other machines: see docs/how-to/run-an-appliance-elsewhere.md.
    ``functions`` is the folder of the functions, from the data folder, and empty for none: see
    docs/how-to/run-a-function-on-an-event.md. ``thumbnails`` says whether versions show the film's
    frames over the seek bar, which are not encrypted.
    ``effort`` is what a title may cost whose ingest asks for nothing else, and ``codecs`` what
    its full version is made in besides H.264. ``film_grain`` says whether players synthesize the
    grain of films that have it: see docs/explanation/codecs.md. ``validation`` changes what is done
    about what a check finds in a version: see docs/how-to/change-the-validation-policy.md.
    ``energy`` is how watt-hours are estimated: see docs/how-to/see-what-a-title-costs.md.
    ``protection`` is how films are encrypted and who gets keys how: see
    docs/how-to/protect-with-a-licence-server.md. ``objects`` is where masters, results and versions
    are kept, and ``farm`` lets other hosts work: see
    docs/how-to/encode-on-more-than-one-machine.md. ``sites`` tells of each appliance where it is
    and which routers tell it routes, and ``atlas`` are databases that say where addresses are, from
    the data folder: see docs/how-to/steer-by-routes.md. ``rights`` is what holds where a title's
    rights say nothing: see docs/how-to/give-titles-their-rights.md. ``traffic_days`` is for
    how long the lines of requests are kept: see docs/how-to/see-what-the-edge-delivers.md.
    ``billing`` says whether a play needs a plan that is paid for, and ``payments`` through whom:
    see docs/how-to/open-for-business.md and docs/how-to/take-payments-by-stripe.md.
    ``trusted_proxies`` are the networks of proxies that say whom they speak for, in
    X-Forwarded-For. ``public_url`` is where people reach the page, where that is not ``bind`` and
    ``port``; links in letters lead there. ``sign_up`` says whether anybody with a mail address may
    make an account, and ``mail`` how letters leave: see docs/how-to/open-sign-up.md.
    ``unrated_age`` is from which age a title is that nobody rated, for profiles with a maturity
    level: see docs/explanation/households-and-profiles.md.
    ``master_keys`` is where the keys are made that the films' keys are stored under: see
    docs/how-to/keep-master-keys-in-a-security-module.md.
    ``region`` is what this install is called among those that members go from one to another: see
    docs/how-to/serve-members-from-two-regions.md.
    """

    service_name: str = "Cuemark"
    bind: str = "127.0.0.1"
    port: Port = 8080
    workers: Count = 2
    appliances: Count = 2
    storage_appliances: Count = 0
    store_limit_gb: Size = 50
    store_reserve_mb: Size = 1000
    scrub_kbps: Rate = 200_000
    appliances_elsewhere: Names = []
    postgres_url: str = ""
    nginx: str = ""
    origin_limit_kbps: Rate = 0
    control_url: str = ""
    functions: str = "functions"
    thumbnails: bool = True
    effort: Effort = "balanced"
    codecs: Codecs = []
    film_grain: FilmGrain = "off"
    validation: PolicyChanges = {}
    energy: EnergyModel = EnergyModel()
    protection: Protection = Protection()
    objects: ObjectsIn = ObjectsIn()
    farm: Farm = Farm()
    rights: RightsOf = RightsOf()
    sites: dict[str, Site] = {}
    atlas: Annotated[list[str], Meta(max_length=4)] = []
    traffic_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    billing: Literal["off", "on"] = "off"
    payments: Payments = Payments()
    trusted_proxies: Annotated[list[str], Meta(max_length=64)] = []
    public_url: str = ""
    sign_up: SignUp = "closed"
    mail: Mail = Mail()
    master_keys: MasterKeysIn = MasterKeysIn()
    unrated_age: Annotated[int, Meta(ge=0, le=18)] = 18
    region: RegionName = "here"

    @property
    def has_sandbox(self) -> bool:
        """Whether the payment sandbox runs."""
        return self.billing == "on" and self.payments.provider != "stripe"


def load(folder: Path, environment: dict[str, str] | None = None) -> Settings:
    """The settings of a data folder; raises ``SettingsInvalid`` with one sentence."""
    path = folder / FILE_NAME
    values: dict[str, Any] = {}
    if path.exists():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsInvalid(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise SettingsInvalid(f"{path} is not TOML: {error}") from error
    for name, value in (dict(os.environ) if environment is None else environment).items():
        field = name.removeprefix(_PREFIX).lower()
        if name.startswith(_PREFIX) and field in Settings.__struct_fields__:
            if not _is_text(value):
                raise SettingsInvalid(f"{name} holds a character that is no text")
            if field in TABLES:
                raise SettingsInvalid(f"{name} is a table: write [{field}] in {path} instead")
            values[field] = value.replace(",", " ").split() if field in LISTS else value
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsInvalid(f"{path}: {error}{_known(str(error))}") from error
    _check_texts(settings, path)
    if 0 < settings.appliances <= settings.storage_appliances:
        raise SettingsInvalid(
            f"{path}: `storage_appliances` is {settings.storage_appliances} of "
            f"{settings.appliances} `appliances`: leave one at least to viewers"
        )
    if taken := [name for name in settings.appliances_elsewhere if name.startswith("appliance-")]:
        raise SettingsInvalid(
            f"{path}: `appliances_elsewhere` names {taken[0]}, as those of this machine are called"
        )
    wrong = complaint(settings.protection) or complaint_about(settings.objects)
    wrong = wrong or complaint_about_mail(settings.mail) or _no_address(settings)
    wrong = wrong or complaint_about_master_keys(settings.master_keys)
    wrong = wrong or complaint_about_payments(settings.payments)
    if wrong := wrong or complaint_about_sites(settings.sites) or _no_network(settings):
        raise SettingsInvalid(f"{path}: {wrong}")
    return settings


def _no_network(settings: Settings) -> str:
    """What is wrong with the trusted proxies; empty where nothing is."""
    for text in settings.trusted_proxies:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            return f"`trusted_proxies` has {text!r}: write networks such as 192.0.2.0/24"
    return ""


def _no_address(settings: Settings) -> str:
    """What is wrong with the public address; empty where nothing is."""
    if not settings.public_url:
        return ""
    try:
        parts = urlsplit(settings.public_url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if good and parts.username is None and not (parts.path.strip("/") or parts.query):
        return ""
    return f"`public_url` is {settings.public_url!r}: write https://HOST or http://HOST:PORT"


def _known(said: str) -> str:
    """What may be written where an effort, codecs or a policy cannot be read."""
    if "$.effort" in said:
        return f": write one of {', '.join(get_args(Effort))}"
    if "$.sign_up" in said:
        return f": write one of {', '.join(get_args(SignUp))}"
    if "$.mail.security" in said:
        return f": write one of {', '.join(get_args(Security))}"
    if "$.master_keys.kept" in said:
        return ": write files or module"
    if "$.payments.provider" in said:
        return f": write one of {', '.join(get_args(ProviderName))}"
    if "$.billing" in said:
        return ": write on or off"
    if "$.region" in said:
        return ": write 1 to 32 of a to z, digits and hyphens, such as eu-west"
    if "$.film_grain" in said:
        return f": write one of {', '.join(get_args(FilmGrain))}"
    if "$.codecs" in said:
        return f': write a list of {", ".join(get_args(Codec))}, such as ["av1"]'
    if "$.protection.scheme" in said:
        return f": write one of {', '.join(get_args(Scheme))}"
    if "$.protection.systems" in said and "protocol" in said:
        return f": write one of {', '.join(get_args(Protocol))}"
    if "$.protection.licences.outputs" in said:
        labels, versions = ", ".join(get_args(Label)), ", ".join(get_args(Hdcp))
        return f": the labels are {labels}; each takes a version of HDCP of {versions}"
    if "$.protection.systems" in said and "enum" in said:
        return f": the systems are {', '.join(get_args(System))}"
    if "$.protection.robustness" in said:
        labels, levels = ", ".join(get_args(Label)), " or ".join(get_args(Robustness))
        return f": the labels are {labels}; each demands {levels}"
    if "$.validation" not in said:
        return ""
    checks, actions = ", ".join(get_args(Check)), ", ".join(get_args(Action))
    return f": the checks are {checks}; each takes one of {actions}"


def _check_texts(settings: Settings, path: Path) -> None:
    for name, value in msgspec.structs.asdict(settings).items():
        if isinstance(value, str) and not _is_text(value):
            raise SettingsInvalid(f"{path}: `{name}` holds a character that is no text")
    if not _HOST.fullmatch(settings.bind):
        raise SettingsInvalid(
            f"{path}: `bind` is {settings.bind!r}: write an IPv4 address of this machine, "
            "0.0.0.0 for all of them, or a name"
        )
    if settings.farm.listen and not _HOST.fullmatch(settings.farm.listen):
        raise SettingsInvalid(
            f"{path}: `farm.listen` is {settings.farm.listen!r}: write an IPv4 address of this "
            "machine that the other hosts reach, or a name"
        )


def _is_text(value: str) -> bool:
    """Whether it has no control characters, and nothing that was no UTF-8 in the environment."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in value)
