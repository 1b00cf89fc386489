"""Marked versions and the search in a copy, as every caller of encoding may rely on them."""

import msgspec
import pytest

from cuemark.contexts.encoding.service import Ledger
from cuemark.contracts.encoding.jobs import (
    GetJob,
)
from cuemark.contracts.encoding.marks import (
    FindMark,
    GetMarkSearch,
    MarkEvidence,
    NotMarked,
    UnknownMarkSearch,
)
from cuemark.contracts.encoding.uploads import (
    UnknownUpload,
    UploadIncomplete,
)
from cuemark.contracts.encoding.versions import UnknownVersion
from cuemark.contracts.ids import UploadId, VersionId
from cuemark.kit.outbox import Log
from tests.contract.encoding.house import House


async def test_a_marked_job_has_a_key_of_its_own_which_no_answer_tells(house: House) -> None:
    jobs = [await house.ingest_marked() for _ in range(2)]
    plain = await house.ingest_marked(marked=False)
    keys = {await house.key_of(job.version_id) for job in jobs}
    assert [job.marked for job in (*jobs, plain)] == [True, True, False]
    assert len(keys) == 2
    assert await house.key_of(plain.version_id) is None
    for job in jobs:
        told = msgspec.json.encode(await house.encoding.get_job(GetJob(version_id=job.version_id)))
        for key in keys:
            assert key is not None
            assert len(key) == 16
            assert key.hex().encode() not in told
    await house.publish(jobs[0])
    ledger = Ledger(house.database, Log(house.clock), house.clock)
    begun = msgspec.json.encode(await ledger.begin(jobs[0].version_id))
    assert not any(key and key.hex().encode() in begun for key in keys)


async def test_a_copy_is_searched_for_a_mark_once(house: House) -> None:
    version_id = await house.publish(await house.ingest_marked())
    copy = await house.upload(b"what somebody found")
    search = await house.find_mark(version_id, copy)
    assert (search.state, search.evidence, search.error) == ("running", None, "")
    assert await house.find_mark(version_id, copy) == search
    queued = [row for row in await house.queued() if row[1] == "encoding.find_mark"]
    assert queued == [(search.search_id, "encoding.find_mark", "encoding-tasks")]
    evidence = MarkEvidence(first_segment=3, values=[0.4, -0.5, 0.0], agreement=0.9)
    await house.end_search(search, evidence)
    done = await house.encoding.get_mark_search(GetMarkSearch(search_id=search.search_id))
    assert (done.state, done.evidence) == ("done", evidence)
    assert await house.find_mark(version_id, copy) == done


async def test_a_search_that_failed_says_why_and_is_begun_again_on_request(house: House) -> None:
    version_id = await house.publish(await house.ingest_marked())
    copy = await house.upload(b"what somebody found")
    search = await house.find_mark(version_id, copy)
    await house.end_search(search, None)
    failed = await house.encoding.get_mark_search(GetMarkSearch(search_id=search.search_id))
    assert (failed.state, failed.error) == ("failed", "the file shows nothing of this film")
    again = await house.find_mark(version_id, copy)
    assert again.state == "running"
    assert again.search_id != search.search_id


async def test_only_a_finished_copy_of_a_marked_version_is_searched(house: House) -> None:
    marked = await house.publish(await house.ingest_marked())
    plain = await house.publish(await house.ingest_marked(marked=False))
    copy, halfway = await house.upload(b"what somebody found"), await house.open()
    with pytest.raises(NotMarked, match="is not marked"):
        await house.find_mark(plain, copy)
    with pytest.raises(UnknownVersion):
        await house.find_mark(VersionId("ver_nowhere"), copy)
    with pytest.raises(UploadIncomplete):
        await house.find_mark(marked, halfway)
    with pytest.raises(UnknownUpload):
        await house.encoding.find_mark(
            FindMark(version_id=marked, upload_id=UploadId("upl_nowhere"))
        )
    with pytest.raises(UnknownMarkSearch):
        await house.encoding.get_mark_search(GetMarkSearch(search_id="mks_nowhere"))
    assert not [row for row in await house.queued() if row[1] == "encoding.find_mark"]
