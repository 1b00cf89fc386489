"""What steering takes of what an appliance says of itself."""

import ipaddress
import re

from cuemark.contexts.steering.model.places import complaint_about
from cuemark.contracts.steering.reports import Report, ReportInvalid, Software
from cuemark.kit.release import is_release

MAX_IN_FLIGHT = 1_000_000
MAX_KBPS = 10_000_000_000
MAX_PEERS = 32
MAX_ANSWERED = 1_000_000_000
_MAX_TEXT = 200
_MAX_NAME = 64
MAX_TROUBLE = 500
MAX_HELD = 1_000_000

_URL = re.compile(
    r"https?://(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,63}){0,8}/?"
)
_VERSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REVISIONS = range(1 << 63)


def check_report(report: Report) -> None:
    """Raises ``ReportInvalid`` where steering could not store a report, or send viewers there."""
    if not _is_address(report.url):
        raise ReportInvalid(f"url is {report.url[:80]!r}: write where viewers reach the appliance")
    if not 0 <= report.in_flight <= MAX_IN_FLIGHT:
        raise ReportInvalid(f"in_flight is {report.in_flight}, not 0 to {MAX_IN_FLIGHT}")
    if report.inventory_revision not in _REVISIONS:
        raise ReportInvalid(f"inventory_revision is {report.inventory_revision}")
    for name in ("capacity_kbps", "served_kbps"):
        if not 0 <= getattr(report, name) <= MAX_KBPS:
            raise ReportInvalid(f"{name} is {getattr(report, name)}, not 0 to {MAX_KBPS}")
    if report.place is not None and (wrong := complaint_about(report.place)):
        raise ReportInvalid(f"place: {wrong}")
    _check_peers(report)
    if len(report.region) > _MAX_NAME or not report.region.isprintable():
        raise ReportInvalid(f"region is {report.region[:80]!r}, which is no name")
    if report.software is not None:
        _check_software(report.software)
    versions = report.versions or []
    if len(versions) > MAX_HELD:
        raise ReportInvalid(f"versions has {len(versions)} entries, more than {MAX_HELD}")
    for version_id in versions:
        if not _VERSION.fullmatch(version_id):
            raise ReportInvalid(f"versions has {version_id[:80]!r}, which is no id")


def _check_peers(report: Report) -> None:
    if len(report.peers) > MAX_PEERS:
        raise ReportInvalid(f"peers has {len(report.peers)} entries, more than {MAX_PEERS}")
    for peer in report.peers:
        if max(len(peer.address), len(peer.complaint)) > _MAX_TEXT or "\0" in peer.complaint:
            raise ReportInvalid(f"peers has {peer.address[:80]!r}, of which too much is said")


def _check_software(said: Software) -> None:
    if not is_release(said.release):
        raise ReportInvalid(f"software.release is {said.release[:80]!r}, which is no release")
    if len(said.order_id) > _MAX_NAME or not said.order_id.isprintable():
        raise ReportInvalid(f"software.order_id is {said.order_id[:80]!r}, which is no order")
    if len(said.trouble) > MAX_TROUBLE or not said.trouble.isprintable():
        raise ReportInvalid(f"software.trouble is {said.trouble[:80]!r}: write one short sentence")
    if not 0 <= said.failed <= said.answered <= MAX_ANSWERED:
        raise ReportInvalid(f"software has {said.failed} failed of {said.answered} answered")


def _is_address(url: str) -> bool:
    match = _URL.fullmatch(url)
    if match is None:
        return False
    try:
        ipaddress.IPv6Address(match["ipv6"] or "::")
    except ValueError:
        return False
    return 1 <= int(match["port"] or 80) < 1 << 16
