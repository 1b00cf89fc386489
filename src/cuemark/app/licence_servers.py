"""The licence servers that the settings name, as licensing takes them."""

from pathlib import Path

from cuemark.app.protection import (
    DrmSystem,
    Licences,
    communication_key_in,
    headers_in,
    provider_key_in,
)
from cuemark.contexts.licensing.wiring import (
    LicenceServer,
    Office,
    Provider,
    Server,
    Terms,
    entitlement,
    forwarded,
    widevine,
)


def server_of(folder: Path, system: DrmSystem) -> LicenceServer:
    """Raises ``HeadersUnreadable`` and ``SigningKeyUnreadable``."""
    server = Server(system.licence_url, headers_in(folder, system.headers_file))
    if system.protocol == "widevine_cloud":
        key, iv = provider_key_in(folder, system.signing_file)
        return LicenceServer(server, widevine(Provider(system.signer, key, iv)))
    if system.protocol == "entitlement":
        key = communication_key_in(folder, system.signing_file)
        return LicenceServer(server, entitlement(Office(system.signer, key)))
    return LicenceServer(server, forwarded())


def terms_of(licences: Licences) -> Terms:
    return Terms(
        licence_s=licences.duration_s,
        playback_s=licences.first_use_s,
        persistent=licences.persistent,
        renew_after_s=licences.renew_after_s,
        renew_retry_s=licences.renew_retry_s,
        renew_grace_s=licences.renew_grace_s,
        outputs=licences.outputs,
    )
