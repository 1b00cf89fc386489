"""Avails in and out: what is taken, what is said of the rest, and what is refused unread."""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from openpyxl import Workbook, load_workbook

from cuemark.contexts.rights.tools.documents import read_document, write_document
from cuemark.contexts.rights.tools.lines import Fault, Line, Taken, take
from cuemark.contexts.rights.tools.sheets import (
    MOST_FILE_BYTES,
    AvailsUnreadable,
    read_sheet,
    write_sheet,
)
from cuemark.contexts.rights.tools.telling import Licensor, lines_of
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import Moment, TitleRights, TitleWindows, Window
from tests.unit.rights import oracle

FILM, OTHER = TitleId("ttl_" + "1" * 26), TitleId("ttl_" + "2" * 26)
KNOWN = {FILM, OTHER}
HEAD = ["WorkType", "ContentID", "AvailID", "Territory", "LicenseType", "Start", "End", "Exclusive"]
ROW = ["Movie", FILM, "a1", "DE", "SVOD", "2026-05-01", "2026-05-31", ""]
Written = Callable[[list[dict[str, str]]], bytes]


def sheet(*rows: Sequence[object], head: Sequence[str] = HEAD, title: str = "Movies") -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = title
    page.append(["Avail"] * len(head))
    page.append(list(head))
    page.append(["//REQ"] * len(head))
    for row in rows:
        page.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def taken(data: bytes) -> Taken:
    return take(read_sheet(data), {"THEIRS-1": FILM}, KNOWN)


def but(**cells: object) -> list[object]:
    return [cells.get(name, value) for name, value in zip(HEAD, ROW, strict=True)]


def test_a_row_is_a_window_by_local_clocks_to_the_end_of_its_last_day() -> None:
    found = taken(sheet(ROW))
    window = Window(
        window_id="a1",
        territories=["DE"],
        licence_type="SVOD",
        start=Moment(wall="2026-05-01T00:00:00", zone="local"),
        end=Moment(wall="2026-06-01T00:00:00", zone="local"),
    )
    assert found == Taken(sets=[TitleWindows(title_id=FILM, windows=[window])])


def test_dates_are_taken_as_cells_of_dates_and_as_text() -> None:
    cells = but(Start=datetime(2026, 5, 1), End=datetime(2026, 5, 31))
    assert taken(sheet(cells)) == taken(sheet(ROW))
    timed = taken(sheet(but(Start="2026-05-01T20:00:00+02:00", End="2026-05-31T23:59:59Z")))
    (window,) = timed.sets[0].windows
    assert window.start == Moment(wall="2026-05-01T20:00:00", zone="+02:00")
    assert window.end == Moment(wall="2026-06-01T00:00:00", zone="UTC")


def test_open_sides_and_exclusivity_have_words() -> None:
    (window,) = taken(sheet(but(Start="Immediate", End="Open", Exclusive="Yes"))).sets[0].windows
    assert (window.start, window.end, window.exclusive) == (None, None, True)


def test_rows_with_one_avail_id_are_one_window() -> None:
    found = taken(sheet(ROW, but(Territory="AT"), but(Territory="FR", AvailID="a2")))
    assert [each.territories for each in found.sets[0].windows] == [["DE", "AT"], ["FR"]]


def test_an_id_of_theirs_is_ours_where_that_was_said() -> None:
    assert taken(sheet(but(ContentID="THEIRS-1"))).sets[0].title_id == FILM


@pytest.mark.parametrize(
    ("cells", "where", "said"),
    [
        ({"ContentID": "md:cid:eidr:1"}, "Movies!B4", "is no title of this install"),
        ({"ContentID": ""}, "Movies!B4", "names no title"),
        ({"Territory": "Germany"}, "Movies!D4", "'Germany', which is no territory"),
        ({"Territory": ""}, "Movies!D4", "names no territory"),
        ({"Territory": "WW,DE"}, "Movies!D4", "names WW and others"),
        ({"LicenseType": "svod"}, "Movies!E4", "no licence type"),
        ({"Start": "ESTStart"}, "Movies!F4", "is no date such as"),
        ({"Start": "31.5.2026"}, "Movies!F4", "is no date such as"),
        ({"Start": "1066-10-14"}, "Movies!F4", "outside of the years"),
        ({"End": ""}, "Movies!G4", "is empty: write a date, or Open"),
        ({"Exclusive": "perhaps"}, "Movies!H4", "neither Yes nor No"),
        ({"AvailID": "a b"}, "Movies!C4", "is no id"),
        ({"End": "2026-04-01"}, "Movies!B4", "does not end after it starts"),
    ],
)
def test_a_fault_is_told_with_its_cell(cells: dict[str, object], where: str, said: str) -> None:
    found = taken(sheet(but(**cells)))
    (fault,) = found.faults
    assert fault.where == where
    assert said in fault.wrong
    assert found.sets == []


def test_every_fault_is_told_and_a_title_with_one_is_left_alone() -> None:
    rows: list[Sequence[object]] = [
        ROW,
        but(Territory="XX", AvailID="a2"),
        but(LicenseType="?", AvailID="a3"),
        but(ContentID=OTHER),
    ]
    found = taken(sheet(*rows))
    assert [fault.where for fault in found.faults] == ["Movies!D5", "Movies!E6"]
    assert [each.title_id for each in found.sets] == [OTHER]


def test_a_pre_order_is_left_out_and_no_fault() -> None:
    found = taken(sheet(ROW, but(LicenseType="POEST", AvailID="a2", End="ESTStart")))
    assert [each.where for each in found.left_out] == ["Movies!E5"]
    assert (found.faults, len(found.sets[0].windows)) == ([], 1)


def test_one_avail_id_with_other_terms_is_a_fault() -> None:
    found = taken(sheet(ROW, but(Territory="AT", End="Open")))
    assert found.faults == [
        Fault("Movies!C5", "a1", "is the id of another window of this title, with other terms")
    ]
    twice = taken(sheet(ROW, ROW))
    assert twice.faults[0].wrong == "tells DE twice for this AvailID"


def test_what_has_no_columns_of_avails_is_refused() -> None:
    with pytest.raises(AvailsUnreadable, match="no sheet has the columns"):
        read_sheet(sheet(head=["Title", "Price"]))
    for junk in (b"", b"PK\x03\x04 and no more", b"<xml/>", sheet(ROW)[:-200]):
        with pytest.raises(AvailsUnreadable, match="cannot be read as a spreadsheet"):
            read_sheet(junk)


def test_a_lag_and_a_duration_are_faults() -> None:
    for column in ("StartLag", "EndLag", "WindowDuration"):
        found = taken(sheet([*ROW, "P1D"], head=[*HEAD, column]))
        assert (found.faults[0].where, found.sets) == ("Movies!I4", [])
        assert f"instead of {column}" in found.faults[0].wrong


def test_a_full_delete_takes_all_windows_away_and_an_update_is_a_fault() -> None:
    head = [*HEAD, "EntryType"]
    found = taken(sheet([*ROW, "Full Delete"], head=head))
    assert found.sets == [TitleWindows(title_id=FILM, windows=[])]
    assert taken(sheet([*ROW, "Update"], head=head)).faults[0].where == "Movies!I4"


def test_an_episode_is_named_by_its_own_content_id() -> None:
    head = [*HEAD, "EpisodeContentID"]
    row = [*but(WorkType="Episode", ContentID=""), OTHER]
    assert taken(sheet(row, head=head)).sets[0].title_id == OTHER


def packed(*parts: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts:
            archive.writestr(name, data)
    return out.getvalue()


def replaced(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = [(each.filename, archive.read(each)) for each in archive.infolist()]
    return packed(*[(name, change(body) if name == part else body) for name, body in found])


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n > 1 else b"&a;" * 10)
        for n in range(1, 12)
    )
    + b"]><l>&a11;</l>"
)


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    zeros = bytes(1 << 20) * 140
    bomb = replaced(sheet(ROW), "xl/worksheets/sheet1.xml", lambda body: body + zeros)
    assert len(bomb) < 1 << 20
    with pytest.raises(AvailsUnreadable, match="unpacks to more than 128 MB"):
        read_sheet(bomb)
    many = packed(*[(f"part{n}", b"") for n in range(300)])
    with pytest.raises(AvailsUnreadable, match="200 parts"):
        read_sheet(many)
    with pytest.raises(AvailsUnreadable, match="larger than 16 MB"):
        read_sheet(bytes(MOST_FILE_BYTES + 1))


def test_a_part_that_is_larger_than_it_says_is_not_read_on() -> None:
    data = bytearray(
        replaced(sheet(ROW), "xl/worksheets/sheet1.xml", lambda body: body + bytes(1 << 20))
    )
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    said = size.to_bytes(4, "little")
    at = data.rindex(said)
    data[at : at + 4] = (100).to_bytes(4, "little")
    with pytest.raises(AvailsUnreadable):
        read_sheet(bytes(data))


def with_shared_strings(data: bytes) -> bytes:
    """As other programs than ours write it: all texts in a part of their own."""
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    told = b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + kind + b'"/></Types>'
    data = replaced(data, "[Content_Types].xml", lambda body: body.replace(b"</Types>", told))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = [(each.filename, archive.read(each)) for each in archive.infolist()]
    return packed(*found, ("xl/sharedStrings.xml", b"<sst/>"))


@pytest.mark.parametrize(
    "part",
    [
        "xl/worksheets/sheet1.xml",
        "xl/workbook.xml",
        "xl/styles.xml",
        "xl/sharedStrings.xml",
        "[Content_Types].xml",
    ],
)
def test_entities_in_a_spreadsheet_are_refused(part: str) -> None:
    whole = with_shared_strings(sheet(ROW))
    assert len(read_sheet(whole)) == 1
    bomb = replaced(whole, part, lambda body: BOMB)
    with pytest.raises(AvailsUnreadable):
        read_sheet(bomb)


@pytest.mark.parametrize(
    "document",
    [
        BOMB,
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x"><a/>',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    ],
)
def test_a_document_type_in_xml_is_refused(document: bytes) -> None:
    with pytest.raises(AvailsUnreadable, match="a document type or entities"):
        read_document(document)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "cannot be read as XML"),
        (b"<a>", "cannot be read as XML"),
        (b"<AvailList/>", "no AvailList"),
        (b"<a>" * 200_000, "cannot be read as XML"),
        (bytes(MOST_FILE_BYTES + 1), "larger than 16 MB"),
    ],
)
def test_what_is_no_document_of_avails_is_refused(document: bytes, said: str) -> None:
    with pytest.raises(AvailsUnreadable, match=said):
        read_document(document)


def test_a_fault_in_xml_is_told_with_its_path() -> None:
    rights = TitleRights(
        title_id=FILM,
        number=1,
        windows=[Window(window_id="w", territories=["DE"], licence_type="SVOD")],
    )
    data = write_document(lines_of(rights, "Film", Licensor("Studio")))
    found = take(read_document(data.replace(b">DE<", b">DEU<")), {}, KNOWN)
    assert [fault.where for fault in found.faults] == ["Avail[1]/Transaction[1]/Territory"]
    theirs = data.replace(b"/avails/v2.6/", b"/avails/v2.5/")
    assert len(take(read_document(theirs), {}, KNOWN).sets) == 1


def test_a_title_without_windows_comes_back_without_any() -> None:
    none = TitleRights(title_id=FILM, number=1, windows=[])
    for write, read in ((write_sheet, read_sheet), (write_document, read_document)):
        found = take(read(write(lines_of(none, "Film", Licensor("Studio")))), {}, KNOWN)
        assert found == Taken(sets=[TitleWindows(title_id=FILM, windows=[])])


def test_a_name_that_looks_like_a_formula_is_text() -> None:
    rights = TitleRights(
        title_id=FILM,
        number=1,
        windows=[Window(window_id="w", territories=["DE"], licence_type="SVOD")],
    )
    data = write_sheet(lines_of(rights, "=HYPERLINK(1)", Licensor("Studio")))
    page = load_workbook(io.BytesIO(data)).worksheets[0]
    (cell,) = [each for row in page.iter_rows() for each in row if each.value == "=HYPERLINK(1)"]
    assert cell.data_type == "s"


@settings(max_examples=40, deadline=None)
@given(oracle.window_sets())
def test_what_goes_out_comes_back(windows: list[Window]) -> None:
    """But for ends at the last second of a day, which are the end of that day in Avails."""
    assert_round_trip(windows)


def assert_round_trip(windows: list[Window]) -> None:
    expected = [
        Window(
            window_id=each.window_id,
            territories=each.territories,
            licence_type=each.licence_type,
            start=each.start,
            end=_to_midnight(each.end),
            excluding=each.excluding,
            exclusive=each.exclusive,
            announce=each.announce,
            holdbacks=each.holdbacks,
        )
        for each in windows
    ]
    rights = TitleRights(title_id=FILM, number=1, windows=windows, set_at=datetime.now(UTC))
    for write, read in (
        (write_sheet, read_sheet),
        (write_document, read_document),
    ):
        lines: list[Line] = read(write(lines_of(rights, "Film", Licensor("Studio"))))
        found = take(lines, {}, KNOWN)
        if any("does not end" in fault.wrong for fault in found.faults):
            continue
        assert found.faults == []
        (of_title,) = found.sets
        by_id = {each.window_id: each for each in of_title.windows}
        assert [by_id[each.window_id] for each in expected] == expected


def _to_midnight(end: Moment | None) -> Moment | None:
    if end is None or not end.wall.endswith("T23:59:59"):
        return end
    day = datetime.fromisoformat(end.wall).date().toordinal() + 1
    wall = datetime.combine(datetime.fromordinal(day), datetime.min.time()).isoformat()
    return Moment(wall=wall, zone=end.zone)
