"""Writing XML: what is put into an element is XML already, what is put into an attribute is not."""

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_ATTRIBUTES = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def text(value: str) -> str:
    """``value`` as the content of an element."""
    return escape(_NOT_XML.sub("", value))


def element(name: str, attributes: Mapping[str, object], *content: str) -> str:
    written = "".join(
        f' {key}="{escape(_NOT_XML.sub("", str(value)), _IN_ATTRIBUTES)}"'
        for key, value in attributes.items()
    )
    if not content:
        return f"<{name}{written}/>"
    return f"<{name}{written}>{''.join(content)}</{name}>"


def descriptor(name: str, scheme: str, value: str, *content: str) -> str:
    """An element of DASH that says something by a scheme (ISO/IEC 23009-1 section 5.8)."""
    return element(name, {"schemeIdUri": scheme, "value": value}, *content)
