"""Avails as XML: MovieLabs TR-META-AVAIL 2.6.

Any namespace of 2.x is read. Nothing outside of the document is looked at, and none with a document
type is taken, so there are no entities.
"""

from collections.abc import Iterable, Iterator, Mapping
from xml.etree.ElementTree import (
    Element,
    ParseError,
    SubElement,
    indent,
    register_namespace,
    tostring,
)

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from cuemark.contexts.rights.tools.lines import MOST_LINES, Cell, Line
from cuemark.contexts.rights.tools.sheets import MOST_FILE_BYTES, AvailsUnreadable

AVAILS = "http://www.movielabs.com/schema/avails/v2.6/avails"
MD = "http://www.movielabs.com/schema/md/v2.10/md"
_FAMILY = "http://www.movielabs.com/schema/avails/v2"
_TERMS = {
    "AnnounceDate": "AnnounceDate",
    "SuppressionLiftDate": "SuppressionLiftDate",
    "Exclusive": "Exclusive",
}


def read_document(data: bytes) -> list[Line]:
    """The transactions of a list of Avails as lines; raises ``AvailsUnreadable``."""
    if len(data) > MOST_FILE_BYTES:
        raise AvailsUnreadable(f"the file is larger than {MOST_FILE_BYTES >> 20} MB")
    try:
        root = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise AvailsUnreadable(
            "the file has a document type or entities: send it without"
        ) from error
    except (ParseError, ValueError) as error:
        raise AvailsUnreadable(f"the file cannot be read as XML: {error}") from error
    if _name(root) not in ("AvailList", "Avail") or not root.tag.startswith(f"{{{_FAMILY}"):
        raise AvailsUnreadable("the file is no AvailList of MovieLabs' Avails 2")
    avails = [root] if _name(root) == "Avail" else _all(root, "Avail")
    lines = []
    for number, avail in enumerate(avails, 1):
        for line in _lines(avail, f"Avail[{number}]"):
            lines.append(line)
            if len(lines) > MOST_LINES:
                raise AvailsUnreadable(f"the file has more than {MOST_LINES} transactions")
    return lines


def _lines(avail: Element, where: str) -> Iterator[Line]:
    asset = next(iter(_all(avail, "Asset")), None)
    content = "" if asset is None else asset.get("contentID", "")
    about = {
        "ContentID": Cell(content.strip(), f"{where}/Asset/@contentID"),
        "EntryType": Cell(_at(avail, "Disposition", "EntryType"), f"{where}/Disposition/EntryType"),
    }
    for number, trade in enumerate(_all(avail, "Transaction"), 1):
        here = f"{where}/Transaction[{number}]"

        def cell(text: str, path: str, here: str = here) -> Cell:
            return Cell(text, f"{here}/{path}")

        line = dict(about)
        line["LicenseType"] = cell(_at(trade, "LicenseType"), "LicenseType")
        line["AvailID"] = cell(trade.get("TransactionID", "").strip(), "@TransactionID")
        line["Territory"] = cell(_places(trade, "Territory"), "Territory")
        line["TerritoryExclusion"] = cell(_places(trade, "TerritoryExcluded"), "TerritoryExcluded")
        for side in ("Start", "End"):
            told = _at(trade, side)
            name = side if told else f"{side}Condition"
            line[side] = cell(told or _at(trade, name), name)
            for condition in _all(trade, f"{side}Condition"):
                line[f"{side}Lag"] = cell(condition.get("lag", ""), f"{side}Condition/@lag")
        line["WindowDuration"] = cell(_at(trade, "WindowDuration"), "WindowDuration")
        line["OtherTerms"] = cell(_at(trade, "OtherInstructions"), "OtherInstructions")
        for term in _all(trade, "Term"):
            column = _TERMS.get(term.get("termName", ""))
            if column:
                text = "".join(term.itertext()).strip()
                line[column] = cell(text, f"Term[@termName='{column}']")
        yield line


def _places(trade: Element, name: str) -> str:
    """The countries of a transaction, or what else is told as a region, with commas between."""
    return ",".join("".join(each.itertext()).strip() for each in _all(trade, name))


def _all(parent: Element, name: str) -> list[Element]:
    return [each for each in parent if _name(each) == name]


def _at(parent: Element, *path: str) -> str:
    for name in path:
        found = _all(parent, name)
        if not found:
            return ""
        parent = found[0]
    return (parent.text or "").strip()


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def write_document(lines: Iterable[Mapping[str, str]]) -> bytes:
    """A list of Avails of these lines, one Avail for each title."""
    register_namespace("avails", AVAILS)
    register_namespace("md", MD)
    root = Element(f"{{{AVAILS}}}AvailList")
    avails: dict[str, Element] = {}
    for line in lines:
        content = line["ContentID"]
        if content not in avails:
            avails[content] = _avail(root, line)
        _transaction(avails[content], line)
    indent(root)
    out: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return out


def _avail(root: Element, line: Mapping[str, str]) -> Element:
    avail = SubElement(root, f"{{{AVAILS}}}Avail")
    _put(avail, "ALID", line["ALID"])
    _put(_put(avail, "Disposition"), "EntryType", line["EntryType"])
    _put(_put(avail, "Licensor"), "DisplayName", line["DisplayName"], MD)
    _put(avail, "AvailType", "single")
    _put(avail, "ShortDescription", line["TitleInternalAlias"])
    asset = _put(avail, "Asset")
    asset.set("contentID", line["ContentID"])
    _put(asset, "WorkType", line["WorkType"])
    _put(_put(asset, "Metadata"), "TitleInternalAlias", line["TitleInternalAlias"])
    return avail


def _transaction(avail: Element, line: Mapping[str, str]) -> None:
    """In the order of the schema's sequence."""
    trade = _put(avail, "Transaction")
    if "AvailID" in line:
        trade.set("TransactionID", line["AvailID"])
    _put(trade, "LicenseType", line["LicenseType"])
    _put(_put(trade, "Territory"), "country", line["Territory"], MD)
    for code in filter(None, line.get("TerritoryExclusion", "").split(",")):
        _put(_put(trade, "TerritoryExcluded"), "country", code, MD)
    for side in ("Start", "End"):
        dated = line[side][:4].isdecimal()
        _put(trade, side if dated else f"{side}Condition", line[side])
    _put(trade, "FormatProfile", line["FormatProfile"])
    for column, kind in (("AnnounceDate", "Event"), ("Exclusive", "Boolean")):
        if column in line:
            term = _put(trade, "Term")
            term.set("termName", column)
            _put(term, kind, "true" if kind == "Boolean" else line[column])
    if "OtherTerms" in line:
        _put(trade, "OtherInstructions", line["OtherTerms"])


def _put(parent: Element, name: str, text: str = "", namespace: str = AVAILS) -> Element:
    child = SubElement(parent, f"{{{namespace}}}{name}")
    child.text = text or None
    return child
