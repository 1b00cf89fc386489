"""The table ``[objects]`` of the settings: a directory, or a bucket and how it is opened."""

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from cuemark.app.folder import DataFolder
from cuemark.kit.errors import OperatorError, Unavailable
from cuemark.kit.objects import Objects

if TYPE_CHECKING:
    from cuemark.kit.bucket import BucketAt

_STORE = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9_.-]+)*)/?")
ID_VARIABLE, SECRET_VARIABLE = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
START_PATIENCE_S = 3.0


class BucketUnusable(OperatorError):
    """The bucket of the settings cannot be opened."""


class BucketAway(BucketUnusable):
    """The bucket does not answer now."""


class ObjectsIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``store`` is ``s3://bucket/prefix``, or empty for the data folder. ``endpoint`` is where an
    S3 other than AWS answers. ``credentials_file``, relative to the data folder, has the lines
    ``access_key_id = "..."`` and ``secret_access_key = "..."``; without one they are
    ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY`` of the environment."""

    store: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    credentials_file: str = ""


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return "Credentials()"


def complaint_about(objects: ObjectsIn) -> str:
    """What is wrong with the table, as the end of a sentence; empty where nothing is."""
    if objects.store and not _STORE.fullmatch(objects.store):
        return f"`objects.store` is {objects.store!r}: write s3://BUCKET or s3://BUCKET/PREFIX"
    if objects.endpoint:
        try:
            parts = urlsplit(objects.endpoint)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
            good = good and parts.username is None and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good:
            return "`objects.endpoint` is no address: write http://HOST:PORT or https://HOST"
    return ""


def bucket_of(folder: Path, objects: ObjectsIn) -> "BucketAt | None":
    """The bucket of the settings; None for a directory. Raises ``BucketUnusable``."""
    matched = _STORE.fullmatch(objects.store)
    if matched is None:
        return None
    # Most installs have no bucket, and need not load what opens one.
    from cuemark.kit.bucket import BucketAt

    credentials = _credentials(folder, objects)
    return BucketAt(
        bucket=matched[1],
        prefix=matched[2].strip("/"),
        endpoint=objects.endpoint,
        region=objects.region,
        access_key_id=credentials.access_key_id,
        secret_access_key=credentials.secret_access_key,
    )


def _credentials(folder: Path, objects: ObjectsIn) -> Credentials:
    if not objects.credentials_file:
        found = Credentials(os.environ.get(ID_VARIABLE, ""), os.environ.get(SECRET_VARIABLE, ""))
        if found.access_key_id and found.secret_access_key:
            return found
        raise BucketUnusable(
            f"there are no credentials for {objects.store}: name a file of them as "
            f"`objects.credentials_file`, or set {ID_VARIABLE} and {SECRET_VARIABLE}"
        )
    path = folder / objects.credentials_file
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Credentials)
    except OSError as error:
        raise BucketUnusable(
            f"the credentials of the bucket in {path} cannot be read ({error.strerror}): "
            "write the file"
        ) from error
    except (ValueError, msgspec.ValidationError) as error:
        # The text is not told: it may be the secret.
        raise BucketUnusable(
            f'{path} holds no credentials: write the lines access_key_id = "..." and '
            'secret_access_key = "..."'
        ) from error


def open_objects(
    folder: DataFolder, settings: ObjectsIn, writer: str, patience_s: float | None = None
) -> Objects:
    """The objects of an install; ``patience_s`` as ``BucketObjects`` has it."""
    at = bucket_of(folder.root, settings)
    if at is None:
        return Objects(folder.objects, writer)
    from cuemark.kit.bucket import BucketObjects

    return BucketObjects(folder.objects, at, writer, patience_s=patience_s)


def check_bucket(at: "BucketAt", root: Path) -> None:
    """Raise ``BucketUnusable`` where a bucket does not take and give an object, ``BucketAway``
    where it may do so later."""
    from cuemark.kit.bucket import BucketObjects

    try:
        BucketObjects(root, at, "check", patience_s=START_PATIENCE_S).check()
    except Unavailable as error:
        said = f"the object store {str(error).partition(': ')[2]}"
        if "does not answer" in said:
            raise BucketAway(f"{said}: start it, or mend `objects.endpoint`") from error
        raise BucketUnusable(said) from error
