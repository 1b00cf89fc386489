"""The XML of a TTML document, read from a stranger: no DTD, no entity, bounded in every way."""

import re
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from cuemark.contexts.encoding.model.captions.cues import CaptionsInvalid

MAX_DEPTH = 64
MAX_ELEMENTS = 400_000
XML = "{http://www.w3.org/XML/1998/namespace}"
_BASES = (
    "http://www.w3.org/ns/ttml",
    "http://www.w3.org/2006/10/ttaf1",
    "http://www.w3.org/2006/04/ttaf1",
)
_TAG = re.compile(r"^\{([^}]*)\}tt$")


class Names(msgspec.Struct, frozen=True):
    """The names of one edition of TTML, whose namespaces begin with ``base``."""

    base: str

    def tag(self, local: str) -> str:
        return f"{{{self.base}}}{local}"

    def style(self, local: str) -> str:
        """The attribute of a property of style."""
        return f"{{{self.base}#styling}}{local}"

    def parameter(self, element: Element, local: str) -> str | None:
        return element.get(f"{{{self.base}#parameter}}{local}")


def tree_of(source: bytes | str) -> tuple[Element, Names]:
    """The root of a document and the names of its edition. Raises ``CaptionsInvalid``."""
    parser = XMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(source)
        root: Element = parser.close()
    except CaptionsInvalid:
        raise
    except DefusedXmlException as error:
        raise CaptionsInvalid(
            "it declares a document type or entities, which captions have no use for"
        ) from error
    except ParseError as error:
        line, column = error.position
        raise CaptionsInvalid(
            f"it is XML that breaks at line {line}, column {column + 1}"
        ) from error
    except (ValueError, LookupError) as error:
        raise CaptionsInvalid("it is XML in an encoding that it does not say") from error
    match = _TAG.match(root.tag)
    if match is None:
        raise CaptionsInvalid("it is XML, but not TTML: its root is not tt")
    if match[1] not in _BASES:
        raise CaptionsInvalid(f"it is of an edition of TTML that is not read: {match[1][:80]!r}")
    return root, Names(match[1])


class _Bounded:
    """Builds the tree, and stops at what no caption file needs."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = 0
        self._elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            raise CaptionsInvalid(f"its elements lie more than {MAX_DEPTH} deep in one another")
        if self._elements > MAX_ELEMENTS:
            raise CaptionsInvalid(f"it has more than {MAX_ELEMENTS} elements")
        return self._builder.start(tag, attributes)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return self._builder.end(tag)

    def data(self, text: str) -> None:
        self._builder.data(text)

    def close(self) -> Element:
        return self._builder.close()
