"""Versions, their reports and title cards, as every caller of encoding may rely on them."""

import io

import pytest
from PIL import Image

from cuemark.contracts.encoding.artwork import CardImpossible, DrawTitleCard
from cuemark.contracts.encoding.jobs import (
    GetJob,
)
from cuemark.contracts.encoding.reports import GetReport
from cuemark.contracts.encoding.versions import GetVersion, UnknownVersion
from cuemark.contracts.ids import VersionId
from tests.contract.encoding.house import House


async def test_nobody_knows_a_version_or_a_job_that_was_not_made(house: House) -> None:
    nowhere = VersionId("ver_nowhere")
    with pytest.raises(UnknownVersion):
        await house.encoding.get_version(GetVersion(version_id=nowhere))
    with pytest.raises(UnknownVersion):
        await house.encoding.get_job(GetJob(version_id=nowhere))
    job = await house.ingest()
    with pytest.raises(UnknownVersion):
        await house.encoding.get_version(GetVersion(version_id=job.version_id))


async def test_a_version_that_is_not_there_has_no_report(house: House) -> None:
    with pytest.raises(UnknownVersion):
        await house.encoding.get_report(GetReport(version_id=VersionId("ver_none")))


async def test_a_title_card_is_drawn_once_for_a_name_and_a_picture(house: House) -> None:
    out = io.BytesIO()
    Image.new("RGB", (320, 180), (90, 120, 150)).save(out, "JPEG")
    house.objects.put("artworks/1.jpg", out.getvalue())
    keys = {
        name: (
            await house.encoding.draw_title_card(
                DrawTitleCard(picture_key="artworks/1.jpg", name=name)
            )
        ).picture_key
        for name in ("Paper", "Ocean", "Paper")
    }
    assert len(set(keys.values())) == 2
    assert house.objects.read(keys["Paper"]) != house.objects.read(keys["Ocean"])
    for picture_key, name in (("artworks/none.jpg", "Paper"), ("artworks/1.jpg", "ไทย")):
        with pytest.raises(CardImpossible):
            await house.encoding.draw_title_card(DrawTitleCard(picture_key=picture_key, name=name))
