"""Uploads, as every caller of encoding may rely on them."""

import pytest

from cuemark.contracts.encoding.jobs import (
    Ingest,
)
from cuemark.contracts.encoding.uploads import (
    CompleteUpload,
    GetUpload,
    UnknownUpload,
    UploadIncomplete,
    UploadInvalid,
)
from cuemark.contracts.ids import UploadId
from tests.contract.encoding.house import FILM, SHA256, TITLE, House


async def test_an_upload_grows_and_becomes_a_master(house: House) -> None:
    upload = await house.open(sha256=SHA256)
    assert upload.received_bytes == 0
    house.receive(upload, FILM[:7])
    halfway = await house.encoding.get_upload(GetUpload(upload_id=upload.upload_id))
    assert halfway.received_bytes == 7
    assert halfway.asset_id is None
    house.receive(upload, FILM[7:])
    done = await house.complete(upload)
    assert done.received_bytes == done.size_bytes == len(FILM)
    assert done.asset_id is not None
    assert house.objects.read(f"masters/{SHA256}") == FILM
    assert not house.objects.exists(upload.spool_key)


async def test_an_incomplete_upload_is_refused_and_can_go_on(house: House) -> None:
    upload = await house.open()
    house.receive(upload, FILM[:-1])
    with pytest.raises(UploadIncomplete, match=f"{len(FILM)} bytes and {len(FILM) - 1} have"):
        await house.complete(upload)
    with pytest.raises(UploadIncomplete, match="not complete yet"):
        await house.encoding.ingest(Ingest(title_id=TITLE, upload_id=upload.upload_id))
    house.receive(upload, FILM[-1:])
    assert (await house.complete(upload)).asset_id


async def test_more_bytes_than_were_announced_are_refused(house: House) -> None:
    upload = await house.open()
    house.receive(upload, FILM + b"!")
    with pytest.raises(UploadIncomplete):
        await house.complete(upload)


async def test_other_bytes_than_were_announced_are_refused(house: House) -> None:
    upload = await house.open(sha256="00" * 32)
    house.receive(upload, FILM)
    with pytest.raises(UploadInvalid, match="another SHA-256"):
        await house.complete(upload)
    assert not house.objects.exists(f"masters/{SHA256}")


async def test_an_upload_that_cannot_be_is_refused(house: House) -> None:
    with pytest.raises(UploadInvalid):
        await house.open(size_bytes=0)
    with pytest.raises(UploadInvalid):
        await house.open(sha256="not a hash")


async def test_nobody_knows_an_upload_that_was_not_opened(house: House) -> None:
    nowhere = UploadId("upl_nowhere")
    with pytest.raises(UnknownUpload):
        await house.encoding.get_upload(GetUpload(upload_id=nowhere))
    with pytest.raises(UnknownUpload):
        await house.encoding.complete_upload(CompleteUpload(upload_id=nowhere))
    with pytest.raises(UnknownUpload):
        await house.encoding.ingest(Ingest(title_id=TITLE, upload_id=nowhere))


async def test_completing_twice_is_completing_once(house: House) -> None:
    upload = await house.open()
    house.receive(upload, FILM)
    assert await house.complete(upload) == await house.complete(upload)


async def test_uploads_of_equal_bytes_are_one_asset(house: House) -> None:
    first, second, other = [await house.upload(data) for data in (FILM, FILM, FILM[::-1])]
    assert first.upload_id != second.upload_id
    assert first.asset_id == second.asset_id != other.asset_id
