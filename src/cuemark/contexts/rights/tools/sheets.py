"""Avails as a spreadsheet: EMA Avails 1.9, xlsx.

The columns are those of MovieLabs' templates for movies and for television. Two rows name them: a
group, then the column. The row after that says what is required, each cell beginning with ``//``.
"""

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from cuemark.contexts.rights.tools.lines import CONTENT_IDS, MOST_LINES, Cell, Line
from cuemark.kit.errors import OperatorError

MOST_FILE_BYTES = 16 << 20
MOST_UNPACKED_BYTES = 128 << 20
MOST_PARTS = 200
MOST_COLUMNS = 256
HEAD_ROWS = 6
COLUMNS = {
    "DisplayName": "Avail",
    "Territory": "AvailTrans",
    "TerritoryExclusion": "AvailTrans",
    "WorkType": "AvailAsset",
    "EntryType": "Disposition",
    "TitleInternalAlias": "AvailMetadata",
    "LicenseType": "AvailTrans",
    "FormatProfile": "AvailTrans",
    "Start": "AvailTrans",
    "End": "AvailTrans",
    "OtherTerms": "AvailTrans",
    "ContentID": "AvailAsset",
    "AvailID": "Avail",
    "ALID": "AvailTrans",
    "SuppressionLiftDate": "AvailTrans",
    "AnnounceDate": "AvailTrans",
    "Exclusive": "AvailTrans",
}
"""The columns that are written, and the groups that stand over them."""
USED = frozenset(
    {*COLUMNS, *CONTENT_IDS.values(), "StartLag", "EndLag", "WindowDuration"}
    - {"DisplayName", "TitleInternalAlias", "FormatProfile", "ALID"}
)
_NEEDED = {"Territory", "LicenseType", "Start", "End"}
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, KeyError, ValueError),
    *(TypeError, AttributeError, IndexError, EOFError, OSError, NotImplementedError, RuntimeError),
)


class AvailsUnreadable(OperatorError):
    """A file is no Avails, or larger than any that is taken."""


def read_sheet(data: bytes) -> list[Line]:
    """The lines of all sheets that have the columns of Avails; raises ``AvailsUnreadable``."""
    if len(data) > MOST_FILE_BYTES:
        raise AvailsUnreadable(f"the file is larger than {MOST_FILE_BYTES >> 20} MB")
    try:
        _check_archive(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return _lines(data)
    except _DAMAGE as error:
        raise AvailsUnreadable(
            f"the file cannot be read as a spreadsheet (xlsx): {type(error).__name__}"
        ) from error


def _check_archive(data: bytes) -> None:
    """Refuse what unpacks to more than a spreadsheet of rights has. No more than is announced here
    is ever unpacked: ``zipfile`` reads as many bytes of a part as its entry says."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES:
        raise AvailsUnreadable(
            f"the file unpacks to more than {MOST_UNPACKED_BYTES >> 20} MB or {MOST_PARTS} parts"
        )


def _lines(data: bytes) -> list[Line]:
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    lines: list[Line] = []
    found = False
    try:
        for sheet in book.worksheets:
            columns: dict[int, str] = {}
            rows = sheet.iter_rows(
                max_row=MOST_LINES + HEAD_ROWS, max_col=MOST_COLUMNS, values_only=True
            )
            for number, row in enumerate(rows, 1):
                if not columns:
                    columns = _head(row)
                    found = found or bool(columns)
                    if number == HEAD_ROWS and not columns:
                        break
                    continue
                if line := _line(row, columns, sheet.title, number):
                    lines.append(line)
                if len(lines) > MOST_LINES:
                    raise AvailsUnreadable(f"the file has more than {MOST_LINES} rows")
    finally:
        book.close()
    if not found:
        raise AvailsUnreadable(
            f"no sheet has the columns {', '.join(sorted(_NEEDED))} in its first {HEAD_ROWS} rows"
        )
    return lines


def _head(row: Iterable[object]) -> dict[int, str]:
    """The columns that are used, by their place, where the row names them."""
    named = {place: _text(value) for place, value in enumerate(row)}
    if not set(named.values()) >= _NEEDED:
        return {}
    return {place: name for place, name in named.items() if name in USED}


def _line(row: tuple[object, ...], columns: dict[int, str], sheet: str, number: int) -> Line | None:
    texts = {place: _text(row[place]) for place in columns if place < len(row)}
    if not any(texts.values()) or any(text.startswith("//") for text in texts.values()):
        return None
    return {
        columns[place]: Cell(text, f"{sheet}!{get_column_letter(place + 1)}{number}")
        for place, text in texts.items()
    }


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def write_sheet(lines: Iterable[Mapping[str, str]]) -> bytes:
    """A spreadsheet of these lines. Whatever a cell says, it is text and no formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Avails")

    def text(value: str) -> SheetCell:
        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s"
        return cell

    sheet.append([text(group) for group in COLUMNS.values()])
    sheet.append([text(name) for name in COLUMNS])
    for line in lines:
        sheet.append([text(line.get(name, "")) for name in COLUMNS])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
