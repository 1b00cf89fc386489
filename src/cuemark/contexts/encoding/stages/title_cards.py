"""A title's name over a frame of its film, as a picture in the object store.

Named by what went into it, so that another name makes another picture.
"""

import hashlib
import io

import msgspec
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cuemark.contexts.encoding.model import title_card
from cuemark.contexts.encoding.model.title_card import Box, Piece, Setting
from cuemark.contexts.encoding.tools import lettering
from cuemark.contexts.encoding.tools.lettering import Row
from cuemark.contracts.encoding.artwork import CardImpossible
from cuemark.kit.objects import Objects

REVISION = 1
"""Of how a card looks: another one makes other pictures."""
QUALITY = 88
_PAD, _BLUR = 0.35, 0.5
"""Of the size of the type: how far what is behind it reaches around it, and how softly it ends."""


def draw(objects: Objects, picture_key: str, name: str) -> str:
    """The key of the card of a name on a picture (a JPEG of the store), made where there is none.

    Raises ``CardImpossible``.
    """
    made_from = msgspec.json.encode(["title card", REVISION, picture_key, name])
    key = f"artworks/cards/{hashlib.sha256(made_from).hexdigest()}.jpg"
    if objects.exists(key):
        return key
    try:
        with Image.open(io.BytesIO(objects.read(picture_key))) as image:
            frame = image.convert("RGB")
    except OSError as error:
        raise CardImpossible("The picture of this title cannot be read here.") from error
    card = carded(frame, name)
    out = io.BytesIO()
    card.save(out, "JPEG", quality=QUALITY, subsampling=0)
    objects.put(key, out.getvalue())
    return key


def carded(frame: Image.Image, name: str) -> Image.Image:
    """The frame with the name on it; raises ``CardImpossible``."""
    covered = lettering.covered(name)
    if absent := title_card.missing(name, covered):
        letters = " ".join(absent[:5])
        raise CardImpossible(f"No font here has these letters of the name: {letters}")
    text = title_card.shown(name, covered)
    if not text:
        raise CardImpossible("The name has no letters that can be drawn.")
    setting = _setting(text, frame.width, frame.height)
    pixels = np.asarray(frame, np.uint8)
    pad = setting.size * _PAD
    box = title_card.calmest(pixels, setting.width + 2 * pad, setting.height + 2 * pad)
    shade = title_card.shade(pixels, box)
    ground = _shaded(frame, box, shade, setting.size * _BLUR)
    type_ = lettering.drawn(_rows(text, setting, box, pad), frame.width, frame.height)
    return Image.alpha_composite(ground.convert("RGBA"), type_).convert("RGB")


def _setting(text: str, width: int, height: int) -> Setting:
    """The name in lines. A word that is too long is broken, a name that is too long is cut."""
    pieces = title_card.pieces_of(text)
    room = title_card.widest(width, height)
    wide = lettering.widths([piece.text for piece in pieces])
    pieces = [
        part
        for piece, each in zip(pieces, wide, strict=True)
        for part in (title_card.letters_of(piece) if each > room else [piece])
    ]
    (space,) = lettering.widths([" "])
    tried = pieces
    while tried:
        widths = lettering.widths([piece.text for piece in tried])
        found = title_card.set_in_type(tried, widths, space, width, height)
        if found is not None:
            return found
        pieces = pieces[: len(pieces) * 9 // 10]
        tried = [*pieces, Piece(title_card.ELLIPSIS, False)] if pieces else []
    raise CardImpossible("The name does not fit on the picture.")


def _rows(text: str, setting: Setting, box: Box, pad: float) -> list[Row]:
    """Lines begin at the side where their script begins."""
    rtl, size = title_card.is_right_to_left(text), setting.size
    rows = []
    for number, line in enumerate(setting.lines):
        width = lettering.ink_width(line)
        left = box.left + (box.width - pad - width * size if rtl else pad)
        baseline = box.top + pad + (number * title_card.LEADING + 0.98) * size
        bold = title_card.is_light(line)
        rows.append(Row(line, left, baseline, size, rtl=rtl, bold=bold))
    return rows


def _shaded(frame: Image.Image, box: Box, shade: float, blur: float) -> Image.Image:
    """The frame with the box darkened, fading out around it."""
    if shade == 0:
        return frame
    reach = 2 * blur
    mask = Image.new("L", frame.size)
    right, bottom = box.left + box.width + reach, box.top + box.height + reach
    area = (box.left - reach, box.top - reach, right, bottom)
    ImageDraw.Draw(mask).rounded_rectangle(area, radius=reach, fill=255)
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(blur)), np.float64) / 255
    soft[box.top : box.top + box.height, box.left : box.left + box.width] = 1.0
    dark = np.asarray(frame, np.float64) * (1 - shade * soft[..., None])
    return Image.fromarray(np.floor(dark).astype(np.uint8), "RGB")
