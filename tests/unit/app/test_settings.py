"""Settings from the file and the environment."""

import base64
from pathlib import Path

import pytest

from cuemark.app.folder import DataFolder
from cuemark.app.mail import MailPasswordUnreadable, password_in
from cuemark.app.payments import PaymentKeyUnreadable
from cuemark.app.protection import (
    HeadersUnreadable,
    SigningKeyUnreadable,
    communication_key_in,
    headers_in,
    is_safe,
    provider_key_in,
)
from cuemark.app.settings import Settings, SettingsInvalid, load
from cuemark.app.system import install_on, provider_of
from cuemark.contexts.billing.wiring import StripeAt
from cuemark.contracts.steering.routes import Place

SITE = """
[sites.appliance-1]
country = "DE"
bgp.asn = 64500
bgp.router_id = "10.0.0.1"
[[sites.appliance-1.bgp.peers]]
address = "192.0.2.1"
asn = 64501
local_address = "192.0.2.2"
allow = ["198.51.100.0/24"]
"""

GUID = "12196546-a312-4a4e-ab65-c19bccce1adf"
VENDOR = """
[protection.systems.fairplay]
licence_url = "https://x"
protocol = "entitlement"
signing_file = "secrets/vendor"
"""


def test_a_site_says_where_an_appliance_is_and_who_tells_it_routes(tmp_path: Path) -> None:
    (tmp_path / "cuemark.toml").write_text(SITE)
    site = load(tmp_path, {"CUEMARK_TRUSTED_PROXIES": "10.0.0.0/8, ::1/128"}).sites["appliance-1"]
    assert site.place == Place(country="DE")
    assert site.bgp is not None
    assert [(peer.address, peer.max_prefixes) for peer in site.bgp.peers] == [("192.0.2.1", 10_000)]


def test_a_site_says_when_an_appliance_is_filled(tmp_path: Path) -> None:
    (tmp_path / "cuemark.toml").write_text(
        """
        [sites.appliance-1]
        region = "north"
        timezone = "Europe/Oslo"
        fill_window = "22:00-06:30"
        fill_kbps = 50000
        """
    )
    site = load(tmp_path, {}).sites["appliance-1"]
    assert (site.region, site.timezone, site.fill_window, site.fill_kbps) == (
        "north",
        "Europe/Oslo",
        "22:00-06:30",
        50_000,
    )


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load(tmp_path, {}) == Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "cuemark.toml").write_text('workers = 3\nservice_name = "Kino"\n')
    found = load(tmp_path, {"CUEMARK_WORKERS": "5", "CUEMARK_DATA": "/elsewhere"})
    assert (found.workers, found.service_name) == (5, "Kino")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("wrokers = 3", "unknown field `wrokers`"),
        ('workers = "many"', "Expected `int`"),
        ("workers = ", "is not TOML"),
        ("workers = -1", ">= 0"),
        ("port = 0", ">= 1"),
        ("port = 65536", "<= 65535"),
        (f"port = {'1' * 5000}", "is not TOML"),
        (f"port = {'[' * 5000}", "is not TOML"),
        ('bind = "::1"', "`bind` is '::1': write an IPv4 address"),
        ('bind = "a..b"', "`bind` is"),
        ('film_grain = "on"', "Invalid enum value 'on' .*: write one of auto, off"),
        ('effort = "slow"', "Invalid enum value 'slow' .*: write one of fast, balanced, best"),
        ("[energy]\ncore_w = -1", ">= 0.0 - at `\\$.energy.core_w"),
        ("[energy]\npue = 0.9", ">= 1.0 - at `\\$.energy.pue"),
        ("[energy]\npue = nan", "energy.pue"),
        ("[energy]\nstored_tb_w = inf", "energy.stored_tb_w"),
        ("[energy]\ncore_watts = 5", "unknown field `core_watts`"),
        ('nginx = "/usr/sbin/nginx\\u0000"', "`nginx` holds a character"),
        ("protection.crypto_period_s = 59", "`protection.crypto_period_s` is 59: write 60 or more"),
        ("protection.crypto_period_s = -1", "is -1: write 60 or more seconds, or 0 for one key"),
        ('protection.robustness.UHD = "hardware"', "the labels are AUDIO, SD, HD, UHD1, UHD2"),
        ('protection.robustness.HD = "L1"', "each demands software or hardware"),
        ('protection.scheme = "cens"', "'cens' .*: write one of cbcs, cenc"),
        ("[protection.systems.adobe]", "'adobe' .*: the systems are common, widevine"),
        ("[protection.systems.widevine]", "`protection.systems.widevine` needs the `licence_url`"),
        ('protection.systems.widevine.url = "https://x"', "unknown field `url`"),
        (
            'protection.systems.widevine.licence_url = "http://licences.example/wv"',
            "`licence_url` must begin with https://, or lead to this machine",
        ),
        ('protection.systems.common.licence_url = "https://x"', "leave the table empty"),
        (
            'protection.key_server = "http://keys.example/"',
            "`protection.key_server` must begin",
        ),
        (
            '[protection]\nscheme = "cenc"\nsystems.fairplay.licence_url = "https://x/"',
            "FairPlay plays cbcs alone",
        ),
        (
            "[protection]\nclearkey = false\nsystems.common = {}",
            "no DRM system has a licence server",
        ),
        ('protection.systems.widevine.protocol = "cast"', "forward, widevine_cloud, entitlement"),
        (
            '[protection.systems.playready]\nlicence_url = "https://x"\n'
            'protocol = "widevine_cloud"',
            "speaks for Widevine alone",
        ),
        (
            '[protection.systems.widevine]\nlicence_url = "https://x"\nprotocol = "widevine_cloud"',
            "it needs `signer` and `signing_file`",
        ),
        (
            '[protection.systems.widevine]\nlicence_url = "https://x"\nsigner = "us"',
            "nothing is signed: set its `protocol`",
        ),
        (f"{VENDOR}signer = 'us'", "`signer` is the id of the communication key, a GUID"),
        (f"{VENDOR}signer = '{GUID}'", "set `key_server` to the vendor's"),
        ('protection.licences.outputs.UHD1 = "2.2"', "keys in the clear leave by any output"),
        ('protection.licences.outputs.UHD1 = "3.0"', "HDCP of 1.4, 2.0, 2.2"),
        ("protection.licences.renew_after_s = 29", "renew_after_s` is 30 at least"),
        ("protection.licences.renew_retry_s = 0", "is 1 at least"),
        ("protection.licences.duration_s = -1", ">= 0"),
        (
            "[protection.licences]\nduration_s = 60\nrenew_after_s = 60",
            "or nothing is left to renew",
        ),
        ('trusted_proxies = ["10.0.0.1/8"]', "`trusted_proxies` has '10.0.0.1/8'"),
        ('[sites.appliance-1]\ncountry = "Germany"', "sites"),
        ("[sites.appliance-1]\nlatitude = 52.5", "needs both latitude and longitude"),
        ("[sites.appliance-1]\nannounced_only = true", "announced_only` needs routers"),
        ("[sites.a]\nregion = 'North America'", "sites"),
        ("[sites.a]\nfill_kbps = -1", ">= 0"),
        ("[sites.a]\ntimezone = 'Berlin'", "`sites.a.timezone`: 'Berlin' is no time zone"),
        ("[sites.a]\nfill_window = '2-14'", "`sites.a.fill_window`: '2-14' is no window: write"),
        ("[sites.a]\nfill_window = '02:00-02:00'", "a window ends at another time"),
        (SITE.replace("10.0.0.1", "router"), "router_id is 'router'"),
        (SITE.replace("192.0.2.1", "192.0.2.x"), "'192.0.2.x' and its local_address must be"),
        (SITE.replace("192.0.2.1", "2001:db8::1"), "are not of one kind"),
        (SITE.replace('["198.51.100.0/24"]', "[]"), "may announce nothing: write its networks"),
        (SITE.replace("100.0/24", "100.7/24"), "allows '198.51.100.7/24'"),
        (SITE + SITE[SITE.index("[[") :], "two peers have the same address"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_names_it(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "cuemark.toml").write_text(text)
    with pytest.raises(SettingsInvalid, match=says) as caught:
        load(tmp_path, {})
    assert "cuemark.toml" in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cuemark.toml").mkdir()
    with pytest.raises(SettingsInvalid, match="cannot be read: Is a directory"):
        load(tmp_path, {})


def test_an_environment_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    for name in ("CUEMARK_SERVICE_NAME", "CUEMARK_WORKERS"):
        with pytest.raises(SettingsInvalid, match=f"{name} holds a character"):
            load(tmp_path, {name: "2\udcff"})


def test_a_table_is_set_in_the_file_alone(tmp_path: Path) -> None:
    said = rf"^CUEMARK_VALIDATION is a table: write \[validation\] in {tmp_path}/cuemark\.toml"
    with pytest.raises(SettingsInvalid, match=said):
        load(tmp_path, {"CUEMARK_VALIDATION": "block"})


def test_the_effort_and_the_model_of_energy_are_settings(tmp_path: Path) -> None:
    (tmp_path / "cuemark.toml").write_text("[energy]\ncore_w = 7.5\n")
    found = load(tmp_path, {"CUEMARK_EFFORT": "best"})
    assert (found.effort, found.energy.core_w, found.energy.pue) == ("best", 7.5, 1.135)


def test_drm_systems_stand_in_the_order_in_which_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "cuemark.toml").write_text(
        '[protection]\nscheme = "cbcs"\nclearkey = false\n'
        'systems.playready.licence_url = "https://licences.example/pr?x=1"\n'
        'systems.widevine = { licence_url = "http://127.0.0.1:9/", headers_file = "h" }\n'
        "systems.common = {}\n"
    )
    found = load(tmp_path, {}).protection
    assert list(found.systems) == ["playready", "widevine", "common"]
    assert (found.clearkey, found.systems["widevine"].headers_file) == (False, "h")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "licences.example",
        "ftp://x/",
        "https://",
        "https://user:secret@x/",
        "http://127.0.0.1.evil.example/",
        "http://localhost@evil.example/",
        "https://x/#f",
        "https://x:0/",
        "https://[::1/",
        "https://x/ y",
        "https://x/\r\nA: b",
    ],
)
def test_an_address_to_which_secrets_do_not_go_is_refused(url: str) -> None:
    assert not is_safe(url)


def test_headers_are_read_from_a_file_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "headers").write_text(
        "# of the vendor\nX-Token:  a b=\r\n\nAuthorization: Bearer x\n"
    )
    assert headers_in(tmp_path, "headers") == {"X-Token": "a b=", "Authorization": "Bearer x"}
    assert headers_in(tmp_path, "") == {}


@pytest.mark.parametrize("line", ["5ec2e7", "Host: x", "A: 5ec2e7\x01", "A:", "Ä: x", "A b: x"])
def test_a_file_of_something_else_is_refused_without_being_shown(tmp_path: Path, line: str) -> None:
    (tmp_path / "headers").write_text(f"Good: x\n{line}\n")
    with pytest.raises(HeadersUnreadable, match=r"line 2 of .*headers is no header") as refused:
        headers_in(tmp_path, "headers")
    assert "5ec2e7" not in str(refused.value)
    with pytest.raises(HeadersUnreadable, match=r"cannot be read .No such file"):
        headers_in(tmp_path, "other")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ('kept = "cloud"', "write files or module"),
        ('kept = "module"', "has no `library`"),
        ('library = "/usr/lib/module.so"', "has no `token`"),
        ('library = "/usr/lib/module.so"\ntoken = "films"', "has no `pin_file`"),
    ],
)
def test_a_security_module_is_told_whole(tmp_path: Path, written: str, why: str) -> None:
    (tmp_path / "cuemark.toml").write_text(f"[master_keys]\n{written}")
    with pytest.raises(SettingsInvalid, match=why):
        load(tmp_path, {})


def test_mail_goes_into_a_folder_and_sign_up_is_closed_unless_it_is_said(tmp_path: Path) -> None:
    found = load(tmp_path, {})
    assert (found.sign_up, found.mail.host, found.public_url) == ("closed", "", "")
    (tmp_path / "cuemark.toml").write_text(
        'sign_up = "open"\npublic_url = "https://films.example/"\n'
        '[mail]\nfrom = "films@films.example"\nhost = "smtp.films.example"\n'
        'user = "films"\npassword_file = "secrets/smtp"\n'
    )
    found = load(tmp_path, {})
    assert (found.sign_up, found.mail.sender, found.mail.security) == (
        "open",
        "films@films.example",
        "starttls",
    )
    with pytest.raises(MailPasswordUnreadable, match="No such file"):
        password_in(tmp_path, found.mail)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "smtp").write_text("secret\n")
    assert password_in(tmp_path, found.mail) == "secret"
    (tmp_path / "secrets" / "smtp").write_text("two\nlines\n")
    with pytest.raises(MailPasswordUnreadable, match="on one line"):
        password_in(tmp_path, found.mail)


def test_members_are_charged_by_the_sandbox_unless_it_is_said(tmp_path: Path) -> None:
    assert (load(tmp_path, {}).payments.provider, load(tmp_path, {}).has_sandbox) == (
        "sandbox",
        False,
    )
    (tmp_path / "cuemark.toml").write_text('billing = "on"\n[payments]\nprovider = "debit"\n')
    assert load(tmp_path, {}).has_sandbox
    (tmp_path / "cuemark.toml").write_text(
        'billing = "on"\n[payments]\nprovider = "stripe"\npublishable_key = "pk_test_1"\n'
    )
    folder = DataFolder(tmp_path)
    folder.prepare()
    install = install_on(folder, load(tmp_path, {}))
    assert (install.settings.has_sandbox, install.ports.sandbox) == (False, 0)
    with pytest.raises(PaymentKeyUnreadable, match="No such file"):
        provider_of(install)
    (tmp_path / "secrets" / "stripe_key").write_text("sk_test_secret\n")
    (tmp_path / "secrets" / "stripe_webhook_secret").write_text("pk_test_1\n")
    with pytest.raises(PaymentKeyUnreadable, match="begins with whsec_"):
        provider_of(install)
    (tmp_path / "secrets" / "stripe_webhook_secret").write_text("whsec_secret\n")
    provider = provider_of(install)
    assert isinstance(provider, StripeAt)
    assert (provider.key, provider.return_url) == ("sk_test_secret", f"{install.public_url}/plan")
    assert "secret" not in repr(provider)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ('provider = "paypal"', "write one of sandbox, debit, stripe"),
        ('provider = "stripe"', "`payments.publishable_key` is what Stripe shows"),
        ('key = "sk_live_1"', "unknown field"),
        ('seller = "Films Ltd"', "Expected `array`"),
        ('seller = ["Films Ltd", " "]', "write lines of 1 to 100 characters"),
        ('seller = ["Films\\nLtd"]', "write lines of 1 to 100 characters"),
        (f'seller = ["{"x" * 101}"]', "write lines of 1 to 100 characters"),
        (f"seller = {['x'] * 11}", "has 11 lines: write 10 at most"),
    ],
)
def test_payments_that_cannot_be_made_so_are_refused(
    tmp_path: Path, written: str, why: str
) -> None:
    (tmp_path / "cuemark.toml").write_text(f"[payments]\n{written}")
    with pytest.raises(SettingsInvalid, match=why):
        load(tmp_path, {})


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ('sign_up = "maybe"', "write one of closed, open"),
        ('public_url = "films.example"', "write https://HOST"),
        ('public_url = "https://films.example/app"', "write https://HOST"),
        ('public_url = "https://a:b@films.example"', "write https://HOST"),
        ('[mail]\nfrom = "Kino <films@films.example>"', "write a mail address"),
        ('[mail]\nhost = "smtp.example:25"', "write a name"),
        ('[mail]\nhost = "smtp.example"\nsecurity = "ssl"', "write one of tls, starttls, none"),
        ('[mail]\nhost = "smtp.example"\nuser = "a"', "belong together"),
        (
            '[mail]\nhost = "smtp.example"\nsecurity = "none"\nuser = "a"\npassword_file = "b"',
            "by tls or starttls only",
        ),
    ],
)
def test_mail_that_cannot_be_sent_so_is_refused(tmp_path: Path, written: str, why: str) -> None:
    (tmp_path / "cuemark.toml").write_text(written)
    with pytest.raises(SettingsInvalid, match=why):
        load(tmp_path, {})


def test_keys_that_vendors_gave_are_read_from_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "widevine").write_text(f"key {'a1' * 32}\niv {'b2' * 16}\n")
    assert provider_key_in(tmp_path, "widevine") == (b"\xa1" * 32, b"\xb2" * 16)
    (tmp_path / "vendor").write_bytes(base64.b64encode(b"\xc3" * 32) + b"\n")
    assert communication_key_in(tmp_path, "vendor") == b"\xc3" * 32


@pytest.mark.parametrize("text", ["", "key aa\niv bb", "key " + "zz" * 32 + " iv " + "00" * 16])
def test_a_file_without_such_a_key_is_named_and_not_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    for read in (provider_key_in, communication_key_in):
        with pytest.raises(SigningKeyUnreadable, match=str(tmp_path / "key")) as wrong:
            read(tmp_path, "key")
        assert "zz" not in str(wrong.value)
    with pytest.raises(SigningKeyUnreadable, match="cannot be read"):
        communication_key_in(tmp_path, "nowhere")
