"""The tables ``[objects]`` and ``[farm]``: what is taken, and what is said of the rest."""

from pathlib import Path

import pytest

from cuemark.app import settings
from cuemark.app.settings import SettingsInvalid
from cuemark.app.storage import BucketUnusable, ObjectsIn, bucket_of

STORE = "s3://films/cuemark"


def load(folder: Path, text: str) -> settings.Settings:
    (folder / "cuemark.toml").write_text(text)
    return settings.load(folder, {})


def test_a_bucket_is_named_with_its_endpoint_and_a_file_of_credentials(tmp_path: Path) -> None:
    chosen = load(
        tmp_path,
        f'[objects]\nstore = "{STORE}"\nendpoint = "http://10.0.0.9:8333"\n'
        'credentials_file = "bucket.toml"\n[farm]\nlisten = "10.0.0.1"\n',
    )
    (tmp_path / "bucket.toml").write_text('access_key_id = "id"\nsecret_access_key = "hush"\n')
    at = bucket_of(tmp_path, chosen.objects)
    assert at is not None
    assert (at.bucket, at.prefix, at.endpoint) == ("films", "cuemark", "http://10.0.0.9:8333")
    assert (at.access_key_id, at.secret_access_key) == ("id", "hush")
    assert chosen.farm.listen == "10.0.0.1"


def test_no_bucket_is_the_default(tmp_path: Path) -> None:
    assert bucket_of(tmp_path, load(tmp_path, "").objects) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[objects]\nstore = "films"', "write s3://BUCKET"),
        ('[objects]\nstore = "s3://Films"', "write s3://BUCKET"),
        ('[objects]\nstore = "s3://films/a b"', "write s3://BUCKET"),
        ('[objects]\nstore = "https://films.s3.amazonaws.com"', "write s3://BUCKET"),
        (f'[objects]\nstore = "{STORE}"\nendpoint = "10.0.0.9"', "is no address"),
        (f'[objects]\nstore = "{STORE}"\nendpoint = "http://u:p@h"', "is no address"),
        (f'[objects]\nstore = "{STORE}"\nendpoint = "http://h:99999"', "is no address"),
        ('[objects]\nplace = "x"', "unknown field"),
        ('[farm]\nlisten = "10.0.0.1; rm"', "that the other hosts reach"),
        ("objects = 3", "Expected `object`"),
    ],
)
def test_what_is_no_place_is_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said) as refused:
        load(tmp_path, text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "hush", 'secret_access_key = "hush"', 'access_key_id = "hush"\nx = "hush"', "\0"]
)
def test_credentials_that_cannot_be_read_are_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "bucket.toml").write_text(text)
    with pytest.raises(BucketUnusable, match="holds no credentials") as refused:
        bucket_of(tmp_path, ObjectsIn(store=STORE, credentials_file="bucket.toml"))
    assert "hush" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BucketUnusable, match=r"bucket\.toml cannot be read"):
        bucket_of(tmp_path, ObjectsIn(store=STORE, credentials_file="bucket.toml"))


def test_without_a_file_the_environment_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "")
    with pytest.raises(BucketUnusable, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        bucket_of(tmp_path, ObjectsIn(store=STORE))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    at = bucket_of(tmp_path, ObjectsIn(store=STORE))
    assert at is not None
    assert "hush" not in repr(at)
