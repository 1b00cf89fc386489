"""The manifests of the test's service, as docs/reference/http-api.md describes them."""

from collections.abc import Mapping
from hashlib import sha256

from tests.integration.player import film

SEGMENTS = film.SECONDS // film.SEGMENT_S


def digests(made: film.Film, name: str) -> bytes:
    return film.digests(made, name, media(made, name).encode())


def _sealed(made: film.Film, name: str) -> str:
    return f"{name}.digests {sha256(digests(made, name)).hexdigest()}"


def dash(made: film.Film, bases: Mapping[str, str], steering_url: str) -> str:
    locations = "".join(
        f'<BaseURL serviceLocation="{name}">{url}</BaseURL>' for name, url in bases.items()
    )
    steering = f"<ContentSteering>{steering_url}</ContentSteering>" if steering_url else ""
    sets = "".join(_dash_set(made, name, label) for name, label in film.LABELS.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:cenc="urn:mpeg:cenc:2013"'
        f' type="static" mediaPresentationDuration="PT{film.SECONDS}S">{locations}{steering}'
        f'<Period id="0" start="PT0S">{sets}'
        '<AdaptationSet contentType="text" mimeType="text/vtt" lang="en">'
        '<Representation id="en" bandwidth="1000"><BaseURL>en.vtt</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>"
    )


def _dash_set(made: film.Film, name: str, label: str) -> str:
    kid = film.KIDS[label]
    uuid = "-".join((kid[:8], kid[8:12], kid[12:16], kid[16:20], kid[20:]))
    kind = "audio" if label == "AUDIO" else "video"
    size = "" if kind == "audio" else ' width="320" height="180"'
    return (
        f'<AdaptationSet contentType="{kind}" mimeType="{kind}/mp4">'
        '<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cbcs"'
        f' cenc:default_KID="{uuid}"/>'
        '<SegmentTemplate timescale="1000" initialization="$RepresentationID$/init.mp4"'
        f' media="{_template(made, name)}" startNumber="1"><SegmentTimeline>'
        f'<S t="0" d="{film.SEGMENT_S * 1000}" r="{SEGMENTS - 1}"/></SegmentTimeline>'
        "</SegmentTemplate>"
        f'<Representation id="{name}" bandwidth="{made.bandwidth_bps[name]}"{size}>'
        '<SupplementalProperty schemeIdUri="urn:cuemark:digests:sha-256-128"'
        f' value="{_sealed(made, name)}"/></Representation>'
        "</AdaptationSet>"
    )


def master(made: film.Film, bases: Mapping[str, str], key_base: str, steering_url: str) -> str:
    lines = ["#EXTM3U", f'#EXT-X-DEFINE:NAME="key_base",VALUE="{key_base}"']
    if steering_url:
        lines.append(f'#EXT-X-CONTENT-STEERING:SERVER-URI="{steering_url}",PATHWAY-ID="one"')
    for name in film.LABELS:
        lines.append(
            f'#EXT-X-SESSION-DATA:DATA-ID="org.cuemark.digests.{name}",'
            f'VALUE="{_sealed(made, name)}"'
        )
    for name, url in bases.items():
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-{name}",NAME="en",URI="{url}sound.m3u8"'
        )
        lines.append(
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions-{name}",NAME="en",LANGUAGE="en",'
            f'URI="{url}en.m3u8"'
        )
    for name, url in bases.items():
        for rung in ("low", "high"):
            bandwidth = made.bandwidth_bps[rung] + made.bandwidth_bps["sound"]
            lines.append(
                f"#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION=320x180,"
                f'AUDIO="audio-{name}",PATHWAY-ID="{name}"'
            )
            lines.append(f"{url}{rung}.m3u8")
    return "\n".join(lines) + "\n"


def _template(made: film.Film, name: str) -> str:
    return made.name_of(name, 0).replace(name, "$RepresentationID$").replace("0", "$Number$")


def media(made: film.Film, name: str) -> str:
    if name == "en":
        body = [f"#EXTINF:{film.SECONDS:.6f},", "en.vtt"]
    else:
        kid = film.KIDS[film.LABELS[name]]
        body = [
            '#EXT-X-DEFINE:IMPORT="key_base"',
            f'#EXT-X-MAP:URI="{name}/init.mp4"',
            f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{{$key_base}}/{kid}",KEYFORMAT="identity",'
            f"IV=0x{film.IV}",
        ]
        for number in range(1, SEGMENTS + 1):
            body += [f"#EXTINF:{film.SEGMENT_S:.6f},", made.name_of(name, number)]
    return "\n".join(["#EXTM3U", "#EXT-X-VERSION:8", *body, "#EXT-X-ENDLIST", ""])
