"""Every parser of ours that reads what others wrote, as a function of bytes.

Each raises what the parser promises to raise, and nothing else: that is all that is asked of it
here, with what is true of its results.
"""

import contextlib
import gzip
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model import boxes, codec_strings, loudness, names
from cuemark.contexts.encoding.model import color as color_rules
from cuemark.contexts.encoding.model.captions import reading, webvtt
from cuemark.contexts.encoding.model.captions.cues import CaptionsInvalid
from cuemark.contexts.encoding.model.captions.imsc import imsc
from cuemark.contexts.encoding.model.master import (
    Probe,
    ProbedStream,
    fields_of,
    frame_pts,
    master_of,
)
from cuemark.contexts.identity.model import factors, passkeys
from cuemark.contexts.licensing.model import cpix, speke, systems
from cuemark.contexts.licensing.model.dialects import NoLicence, widevine
from cuemark.contexts.telemetry import model as telemetry
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.encoding.uploads import UploadInvalid
from cuemark.contracts.identity.factors import WrongFactor
from cuemark.contracts.ids import VersionId
from cuemark.contracts.licensing import LicenceInvalid
from cuemark.contracts.telemetry import Cmcd, Line, LinesInvalid
from cuemark.edge import cmcd, lines, ranges, store
from cuemark.edge import http as edge_http
from cuemark.gateway import clearkey, origins
from cuemark.kit import cat, ids, log_lines, pages, tracing
from cuemark.kit.clock import SystemClock
from cuemark.kit.passport import PassportOffice, PassportRejected
from cuemark.player import captions as player_captions
from cuemark.player import dash, hls
from cuemark.player.decode import decode
from cuemark.player.errors import ManifestInvalid
from cuemark.player.manifest import Segment
from tests import authenticators
from tests.fuzz.tables import DEEP, Table

GOLDEN = Path(__file__).parents[1] / "unit" / "playback" / "golden"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = cat.TokenKey("k1", b"k" * 32)
CLAIMS = cat.Claims(
    subject="ses_1",
    audience="appliance-1",
    path_prefix="/v/ver_1/",
    issued_at_s=int(NOW.timestamp()),
    expires_at_s=int(NOW.timestamp()) + 60,
)
OFFICE = PassportOffice(b"p" * 32, SystemClock())

PARTY = passkeys.RelyingParty("films.example", "https://films.example", "Kino")
CHALLENGE = authenticators.b64(bytes(32))
DEVICE = authenticators.Authenticator()
MADE = DEVICE.make(CHALLENGE)


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def read_passkey(data: bytes) -> None:
    """The bytes take the place of each part of a genuine registration and of a genuine answer."""
    part = authenticators.b64(data)
    with contextlib.suppress(WrongFactor):
        passkeys.made(msgspec.structs.replace(MADE, attestation=part), CHALLENGE, PARTY)
    with contextlib.suppress(WrongFactor):
        passkeys.made(msgspec.structs.replace(MADE, client_data=part), CHALLENGE, PARTY)
    answer = DEVICE.answer(CHALLENGE)
    for name in ("client_data", "authenticator_data", "signature"):
        wrong = msgspec.structs.replace(answer, **{name: part})
        with contextlib.suppress(WrongFactor):
            passkeys.checked(wrong, CHALLENGE, PARTY, DEVICE.held[0].cose())
            raise AssertionError(f"an answer with another {name} was taken")
    with contextlib.suppress(WrongFactor):
        passkeys.checked(answer, CHALLENGE, PARTY, data)
        raise AssertionError("an answer was right by a key of others")


def read_codes(data: bytes) -> None:
    typed = _text(data)
    plain = factors.recovery_code_of(typed)
    assert not plain or factors.recovery_code_of(plain) == plain
    assert len(factors.steps_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", typed, NOW)) <= 3


def read_captions(data: bytes) -> None:
    try:
        cues = reading.read(data).cues
    except CaptionsInvalid:
        return
    written = webvtt.webvtt(cues)
    times = [(cue.start_ms, cue.end_ms) for cue in cues]
    assert [(cue.start_ms, cue.end_ms) for cue in webvtt.parse(written).cues] == times
    assert player_captions.count_cues(written) == len(cues)
    try:
        again = reading.read(imsc(cues, "en", "forced").encode()).cues
    except CaptionsInvalid:
        # What is no character of XML is left out of IMSC, and here nothing else was there.
        return
    assert {(cue.start_ms, cue.end_ms) for cue in again} <= set(times)


def read_boxes(data: bytes) -> None:
    for reader in (
        boxes.timescale,
        boxes.default_duration,
        boxes.segment_span,
        boxes.timeless,
        codec_strings.of_video,
    ):
        try:
            reader(data)
        except boxes.BoxesInvalid:
            continue


def read_probe(data: bytes) -> None:
    report, _, listing = data.partition(b"\n\n")
    try:
        probe = msgspec.json.decode(report, type=Probe, strict=False)
        master = master_of(probe, frame_pts(_text(listing)))
    except (MasterRejected, msgspec.MsgspecError, UnicodeDecodeError):
        return
    assert master.frames >= len(set(master.shown))
    assert master.shown_at(master.frames - 1) == len(master.pts_s) - 1


def read_idet(data: bytes) -> None:
    found = fields_of(_text(data), ProbedStream(index=0))
    assert found in ("", "tff", "bff")


def read_light(data: bytes) -> None:
    name, _, told = _text(data).partition("\n")
    try:
        color, _ = color_rules.color_of(
            pixel_format=name, transfer="smpte2084", primaries="", matrix="", range_=""
        )
    except MasterRejected:
        return
    lit, _ = color_rules.with_light(color, told)
    lit.boxes()
    assert 100 < lit.peak_cd_m2 <= 10_000


def read_loudness(data: bytes) -> None:
    try:
        loudness.normalizing(loudness.parse(_text(data)))
    except loudness.NotMeasured:
        return


def read_name(data: bytes) -> None:
    try:
        names.check_upload(_text(data), 1, _text(data))
    except UploadInvalid:
        return


def read_token(data: bytes) -> None:
    try:
        claims = cat.verify(
            _text(data),
            keys={KEY.kid: KEY.key},
            audience=CLAIMS.audience,
            path=f"{CLAIMS.path_prefix}v144/1.m4s",
            now=NOW,
        )
    except cat.TokenRejected:
        return
    assert claims == CLAIMS, "a token was forged"


def read_passport(data: bytes) -> None:
    try:
        OFFICE.verify(data.decode("latin-1"))
    except PassportRejected:
        return
    raise AssertionError("a passport was forged")


def read_small_texts(data: bytes) -> None:
    text = data.decode("latin-1")
    ids.is_id(text, "ver")
    tracing.trace_id_of(text)
    origins.is_host(text)
    origins.is_foreign_write(host=text, origin=text, fetch_site=text, needs_proof=True)
    clearkey.is_kid(text)
    try:
        pages.keys_of(text, 2)
    except pages.PageInvalid:
        return


def read_range(data: bytes) -> None:
    try:
        span = ranges.requested(data.decode("latin-1"), 1000)
    except ranges.Unsatisfiable:
        return
    assert span is None or 0 <= span.start < span.stop <= 1000


def read_request_head(data: bytes) -> None:
    try:
        edge_http.read_head(data)
    except edge_http.RequestInvalid:
        return


def read_cmcd(data: bytes) -> None:
    text = data.decode("latin-1")
    for found in (cmcd.parse(text), cmcd.parse_headers(text), cmcd.parse_query(text)):
        if found is not None:
            assert found != Cmcd()
            assert msgspec.json.decode(msgspec.json.encode(found), type=Cmcd) == found


def read_access_log(data: bytes) -> None:
    """What an appliance makes of it is what control takes."""
    found, bad = lines.read(data)
    assert len(found) + bad <= data.count(b"\n") + 1
    if found and all(_is_of_nginx(line) for line in found):
        assert telemetry.unpacked(lines.packed(found)) == found


def _is_of_nginx(line: Line) -> bool:
    """Whether the fields that no client writes are what nginx and the agent write there."""
    try:
        msgspec.convert(msgspec.structs.asdict(line), Line)
    except msgspec.ValidationError:
        return False
    return True


def read_batch(data: bytes) -> None:
    for body in (data, gzip.compress(data, 1)):
        try:
            found = telemetry.unpacked(body)
        except LinesInvalid:
            continue
        telemetry.added(found, (), NOW, NOW)


def read_licence_request(data: bytes) -> None:
    try:
        kids = clearkey.kids_of(data)
    except LicenceInvalid:
        return
    assert all(clearkey.is_kid(kid) for kid in kids)


def read_exchange(data: bytes) -> None:
    try:
        document = cpix.read(data)
        assert cpix.read(cpix.write(document)).keys == document.keys
        speke.wanted_labels(document)
    except cpix.CpixInvalid:
        return


def read_cloud_licence(data: bytes) -> None:
    try:
        assert widevine.licence_in(data)
    except NoLicence:
        return


def read_pssh(data: bytes) -> None:
    try:
        found = systems.data_of("widevine", data)
    except systems.PsshInvalid:
        return
    assert len(found) < len(data)


def read_index(data: bytes) -> None:
    try:
        index = store.read_index(VersionId(VERSION), data)
    except store.IndexInvalid:
        return
    assert not any({"", ".", ".."} & set(path.split("/")) for path in index.files)


def read_log_line(data: bytes) -> None:
    line = log_lines.line_of(data, LOG)
    if line is not None:
        assert line.order > (datetime.min.replace(tzinfo=UTC), -1)


def read_dash(data: bytes) -> None:
    try:
        dash.parse(_text(data))
    except ManifestInvalid:
        return


def read_hls(data: bytes) -> None:
    for parse in (hls.parse_multivariant, lambda text: hls.parse_media(text, {})):
        try:
            parse(_text(data))
        except ManifestInvalid:
            continue


def read_segment(data: bytes) -> None:
    head, _, media = data.partition(b"----")
    decode("video", head, media, "00" * 16, SEGMENT)


SEGMENT = Segment("1.m4s", 0.0, 2.0)
EXCHANGE = cpix.write(speke.request_of("ver_1", {"SD": "ab" * 16}, "cbcs", ["widevine"]))
_TICKS = "\n".join(f"{n * 512},K__" for n in range(9)).encode()
_PROBE = (
    b'{"streams":[{"index":0,"codec_type":"video","width":640,"height":360,"time_base":"1/12800",'
    b'"r_frame_rate":"25/1","avg_frame_rate":"25/1"}],"format":{"duration":"1.0"}}\n\n'
)
_TTML = (
    b'<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling" '
    b'xml:lang="de"><head><styling><style xml:id="s" tts:fontStyle="italic"/></styling><layout>'
    b'<region xml:id="r" tts:displayAlign="before" tts:origin="10% 5%"/></layout></head><body><div>'
    b'<p region="r" begin="1s" dur="00:00:02:10">a<br/><span style="s" end="500ms">b</span></p>'
    b"</div></body></tt>"
)
_BOX = b"\x00\x00\x00\x10moov\x00\x00\x00\x08trak"

VERSION = f"ver_{'0' * 26}"
_INDEX = (
    f'{{"version_id":"{VERSION}","files":{{"v144/init.mp4":'
    f'{{"blake3":"{"0" * 64}","size_bytes":1}}}}}}'
).encode()
LOG = log_lines.LogSource("control", Path("cuemark.jsonl"))

PARSERS: Table = {
    "passkey": (
        read_passkey,
        [
            passkeys.decoded(MADE.attestation),
            passkeys.decoded(MADE.client_data),
            passkeys.decoded(DEVICE.answer(CHALLENGE).authenticator_data),
            passkeys.NOBODYS_KEY,
        ],
    ),
    "codes": (read_codes, [b"7K2M-AAAA-BBBB-0000", b" 123 456"]),
    "captions": (
        read_captions,
        [b"1\n00:00:01,000 --> 00:00:02,000\n<b>x</b>\n", b"WEBVTT\n\n0:01.5 --> 0:02.5 line:0\nx"],
    ),
    "ttml": (read_captions, [_TTML]),
    "boxes": (read_boxes, [_BOX, b"\x00\x00\x00\x08moof"]),
    "probe": (read_probe, [_PROBE + _TICKS]),
    "idet": (read_idet, [b"Multi frame detection: TFF: 9 BFF: 0 Progressive: 1"]),
    "light": (
        read_light,
        [
            b"p010le\nContent light level metadata: MaxCLL=9, MaxFALL=1",
            b"p010le\nMastering display metadata: has_primaries:1 has_luminance:1 r(0.6800,0.3200)"
            b" g(0.2650,0.6900) b(0.1500 0.0600) wp(0.3127, 0.3290) min_luminance=0.000100,"
            b" max_luminance=1000.000000",
        ],
    ),
    "loudness": (read_loudness, [b"Summary:\n I: -23.0 LUFS\n Peak: -1.0 dBFS"]),
    "name": (read_name, [b"film.mp4", b"ab" * 32]),
    "token": (read_token, [cat.mint(CLAIMS, KEY).encode()]),
    "passport": (read_passport, [b"e30.e30", b"a.b"]),
    "texts": (
        read_small_texts,
        [b"127.0.0.1:8080", b"00-%b-%b-01" % (b"a" * 32, b"b" * 16)],
    ),
    "cmcd": (
        read_cmcd,
        [
            b'bl=21300,br=3200,bs,cid="f",d=4004,mtp=48100,nor="..%2F3%2Ft.m4v",nrr="1-4",ot=v,pr=1.08',
            b"br%3D3200%2Csid%3D%22a%22%2Csu",
            b'br=1\tbl=2\tsid="a"\tbs',
        ],
    ),
    "access-log": (
        read_access_log,
        [
            b'{"at_s":1.5,"status":200,"bytes":7,"cache":"cuemark-a; hit","cmsd":";rtt=20"}\n'
            b'{"at_s":1.5,"status":503,"waited_s":"0.002, -","cmcd_query":"br%3D7%2Csu"}\n',
        ],
    ),
    "batch": (read_batch, [b'{"at_s":1.5,"sc_status":200,"cmcd":{"br":7,"bs":true}}\n']),
    "range": (read_range, [b"bytes=0-9", b"bytes=-5", b"bytes=7-"]),
    "request": (read_request_head, [b"GET /v/1 HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\n\r\n"]),
    "exchange": (read_exchange, [EXCHANGE]),
    "cloud-licence": (
        read_cloud_licence,
        [b'{"status": "OK", "license": "bGljZW5jZQ=="}', b'{"status": "DENIED"}', DEEP],
    ),
    "pssh": (read_pssh, [systems.pssh_box("widevine", b"data", ["ab" * 16])]),
    "licence": (read_licence_request, [b'{"kids":["ABEiM0RVZneImaq7zN3u_w"],"type":"temporary"}']),
    "index": (read_index, [_INDEX, DEEP]),
    "dash": (read_dash, [(GOLDEN / "manifest.mpd").read_bytes()]),
    "hls": (read_hls, [(GOLDEN / "master.m3u8").read_bytes(), b"#EXTM3U\n#EXTINF:2,\n1.m4s\n"]),
    "segment": (read_segment, [_BOX + b"----" + _BOX]),
    "log": (
        read_log_line,
        [
            b'{"timestamp":"2026-01-31T20:15:00Z","level":"error","event":"x","ms":5}',
            b'{"at_s":1770000000.5,"status":503,"duration_s":0.2}',
        ],
    ),
}
