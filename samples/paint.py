"""Drawing with Pillow and NumPy: gradients, noise, silhouettes, light. Sizes are (width, height).

Functions ending in ``_in_place`` change the picture that they are given; all others make a new
one.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

Size = tuple[int, int]
Rgb = tuple[int, int, int]
Array = NDArray[np.float32]
Random = np.random.Generator

BILINEAR = Image.Resampling.BILINEAR
BICUBIC = Image.Resampling.BICUBIC


def smooth(x: float, low: float = 0.0, high: float = 1.0) -> float:
    """0 below ``low``, 1 above ``high``, with a soft start and end between."""
    at = min(1.0, max(0.0, (x - low) / (high - low)))
    return at * at * (3 - 2 * at)


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """The color that lies ``share`` of the way from ``a`` to ``b``."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def gradient(size: Size, stops: Sequence[tuple[float, Rgb]]) -> Image.Image:
    """A vertical gradient; a stop is (height from 0 at the top to 1, color)."""
    width, height = size
    rows = np.linspace(0, 1, height)
    places = [place for place, _ in stops]
    column = np.stack(
        [np.interp(rows, places, [color[i] for _, color in stops]) for i in range(3)], axis=-1
    )
    return Image.fromarray(np.repeat(column[:, None, :].astype(np.uint8), width, axis=1))


def fractal(
    rng: Random, size: Size, cell: int = 64, octaves: int = 4, stretch: float = 1.0
) -> Array:
    """Cloud-like noise in [0, 1] that tiles sideways; ``cell`` is its coarsest grain in pixels.

    ``stretch`` above 1 draws the grains out sideways.
    """
    width, height = size
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    for octave in range(octaves):
        step = max(2, cell >> octave)
        columns = max(2, round(width / (step * stretch)))
        grid = rng.random((height // step + 3, columns), dtype=np.float32)
        grid = np.concatenate([grid[:, -2:], grid, grid[:, :2]], axis=1)
        edge = 2 * width / columns
        picture = Image.fromarray(grid).resize(
            (round(width + 2 * edge), height), BICUBIC, box=(0, 1, columns + 4, grid.shape[0] - 1)
        )
        left = (picture.width - width) // 2
        total += weight * np.asarray(picture)[:, left : left + width]
        weight /= 2
    total -= total.min()
    return total / np.float32(total.max())


def gray(values: NDArray[np.floating]) -> Image.Image:
    """Values in [0, 1] as a gray picture."""
    return Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))


def tint(values: Image.Image, color: Rgb) -> Image.Image:
    """A gray picture as light of one color on black."""
    return Image.merge("RGB", [values.point([v * c // 255 for v in range(256)]) for c in color])


def dimmed(picture: Image.Image, share: float) -> Image.Image:
    """The picture at a share of its light."""
    return picture.point([round(level * share) for level in range(256)] * len(picture.getbands()))


def bloom(picture: Image.Image, reach: int, strength: float = 1.0) -> Image.Image:
    """The light that spills around the bright parts of a picture, on black."""
    small = picture.reduce(max(1, reach // 3)).filter(ImageFilter.GaussianBlur(3))
    wide = small.resize(picture.size, BILINEAR)
    return dimmed(wide, strength) if strength != 1.0 else wide


def spark(radius: int, color: Rgb, falloff: float = 2.0) -> Image.Image:
    """A round glow on black, brightest in the middle."""
    axis = np.linspace(-1, 1, 2 * radius + 1, dtype=np.float32)
    near = np.clip(1 - np.hypot(*np.meshgrid(axis, axis)), 0, 1) ** falloff
    return tint(gray(near.astype(np.float32)), color)


def add_in_place(picture: Image.Image, light: Image.Image, x: float, y: float) -> None:
    """Add a light, centered at (x, y), to the picture."""
    left, top = round(x) - light.width // 2, round(y) - light.height // 2
    box = (
        max(0, left),
        max(0, top),
        min(picture.width, left + light.width),
        min(picture.height, top + light.height),
    )
    if box[0] >= box[2] or box[1] >= box[3]:
        return
    part = light.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))
    picture.paste(ImageChops.add(picture.crop(box), part), box)


def scrolled(wide: Image.Image, x: float, width: int) -> Image.Image:
    """The ``width`` pixels from ``x`` of a picture that tiles sideways."""
    left = round(x) % wide.width
    first = wide.crop((left, 0, min(left + width, wide.width), wide.height))
    if first.width == width:
        return first
    whole = Image.new(wide.mode, (width, wide.height))
    whole.paste(first, (0, 0))
    whole.paste(wide.crop((0, 0, width - first.width, wide.height)), (first.width, 0))
    return whole


def ridge(rng: Random, width: int, waves: int = 6, rough: float = 0.55) -> Array:
    """A skyline of hills in [0, 1] that tiles sideways: one height for each column."""
    x = np.arange(width, dtype=np.float32) / width * 2 * np.pi
    heights = np.zeros(width, np.float32)
    for harmonic in range(1, 64):
        strength = 1.0 if harmonic <= waves else rough ** (harmonic / waves)
        turn = rng.uniform(0, 2 * np.pi)
        heights += (strength * rng.normal() / harmonic**0.7 * np.sin(harmonic * x + turn)).astype(
            np.float32
        )
    heights -= heights.min()
    return heights / np.float32(heights.max())


def below(tops: Array, height: int) -> Image.Image:
    """A mask of all that lies under a line; ``tops`` is its row in each column."""
    rows = np.arange(height, dtype=np.float32)[:, None]
    return gray(np.clip(rows - tops[None, :] + 1, 0, 1))


def font(pixels: int) -> ImageFont.FreeTypeFont:
    """The typeface that comes inside Pillow."""
    face = ImageFont.load_default(pixels)
    assert isinstance(face, ImageFont.FreeTypeFont)
    return face


def lettering(text: str, pixels: int, weight: int = 0, spacing: int = 0) -> Image.Image:
    """A tight mask of one line of text; ``weight`` thickens its strokes, in pixels."""
    face = font(pixels)
    advances = [face.getlength(letter) + spacing + weight for letter in text]
    pad = weight + 4
    mask = Image.new("L", (round(sum(advances)) + 2 * pad, round(pixels * 1.4) + 2 * pad))
    pen = ImageDraw.Draw(mask)
    at = float(pad)
    for letter, advance in zip(text, advances, strict=True):
        pen.text((at, pad), letter, font=face, fill=255, stroke_width=weight)
        at += advance
    return mask.crop(mask.getbbox())


def vignette(size: Size, strength: float = 0.6) -> Image.Image:
    """A gray picture to multiply with: darker towards the corners."""
    x = np.linspace(-1, 1, size[0], dtype=np.float32)
    y = np.linspace(-1, 1, size[1], dtype=np.float32)
    far = np.hypot(*np.meshgrid(x, y)) / np.sqrt(2)
    return gray((1 - strength * far**2.2).astype(np.float32))
