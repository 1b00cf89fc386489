"""The stage of the captions."""

from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model.captions import checks, reading
from cuemark.contexts.encoding.model.captions.cues import MAX_BYTES, CaptionsInvalid
from cuemark.contexts.encoding.model.captions.imsc import imsc
from cuemark.contexts.encoding.model.captions.webvtt import webvtt
from cuemark.contexts.encoding.model.names import captions_name
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.encoding.versions import CaptionRole

CAPTIONS = "captions.vtt"
IMSC = "captions.ttml"
FINDINGS = "findings.json"


class CaptionFindings(msgspec.Struct, frozen=True):
    """What is odd about captions that are shown all the same; each follows their name."""

    warnings: list[str]


def convert_captions(
    shop: Workshop, language: str, sha256: str, role: CaptionRole, film_ms: int
) -> str:
    """A caption file as WebVTT and as IMSC, with what was found; returns the result's key.

    ``film_ms`` is how long the film lasts. Raises ``MasterRejected``.
    """
    key = shop.key("captions", sha256, language, role, film_ms)
    if shop.has(key):
        return key
    name = captions_name(language, role)
    try:
        captions = reading.read(_bounded(shop.master(sha256)))
    except CaptionsInvalid as error:
        raise MasterRejected(f"the captions in {name} cannot be read: {error}") from error
    found = checks.findings(captions, language, role, film_ms)
    for finding in found:
        if finding.severity == "block":
            raise MasterRejected(f"the captions in {name} cannot be shown: {finding.text}")
    with shop.making(key) as folder:
        (folder / CAPTIONS).write_text(webvtt(captions.cues), encoding="utf-8")
        (folder / IMSC).write_text(imsc(captions.cues, language, role), encoding="utf-8")
        save(folder, FINDINGS, CaptionFindings([finding.text for finding in found]))
    return key


def _bounded(path: Path) -> bytes:
    """The file's bytes, with one more than is allowed where it is too long."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
