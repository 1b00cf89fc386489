"""First Light: a day begins, in time lapse. Wide gradients, slow change, soft motion."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from samples import paint, synth
from samples.captions import cues
from samples.film import Draw, Recipe, Shot, Sound

WIDTH, HEIGHT = SIZE = (640, 360)
Sky = Sequence[paint.Rgb]
NIGHT: Sky = ((8, 12, 40), (22, 28, 78), (60, 52, 112))
DAWN: Sky = ((44, 46, 116), (186, 88, 130), (255, 158, 104))
GOLD: Sky = ((96, 140, 206), (250, 196, 150), (255, 226, 150))
DAY: Sky = ((60, 140, 220), (140, 200, 240), (226, 244, 250))


def _between(looks: Sequence[Sky], at: float) -> Sky:
    """The sky at a moment from 0 (the first look) to 1 (the last)."""
    place = min(0.9999, max(0.0, at)) * (len(looks) - 1)
    first, share = int(place), place % 1
    return [paint.mix(a, b, share) for a, b in zip(looks[first], looks[first + 1], strict=True)]


def _sky(colors: Sky, height: int) -> Image.Image:
    column = paint.gradient((1, height), [(0, colors[0]), (0.55, colors[1]), (1, colors[2])])
    return column.resize((WIDTH, height))


class _Clouds:
    """Clouds that drift, grow and take the light."""

    def __init__(self, rng: paint.Random, height: int, cover: float) -> None:
        first = paint.fractal(rng, (900, height), 130, 5, 2.6)
        fade = np.linspace(0.4, 1.0, height, dtype=np.float32)[:, None]
        dense = np.clip((first - (1 - cover)) * 3.2, 0, 1) * fade
        self._body = paint.gray(0.75 * dense)
        self._lit = paint.gray(np.clip(dense - np.roll(dense, -5, axis=0) + 0.25 * dense, 0, 1))

    def drawn_in_place(
        self, picture: Image.Image, x: float, shade: paint.Rgb, light: paint.Rgb
    ) -> None:
        picture.paste(shade, (0, 0), paint.scrolled(self._body, x, WIDTH))
        picture.paste(light, (0, 0), paint.scrolled(self._lit, x, WIDTH))


def _stars(rng: paint.Random, height: int) -> Image.Image:
    mask = Image.new("L", (WIDTH, height))
    for x, y, light in zip(
        rng.integers(0, WIDTH, 260), rng.integers(0, height, 260), rng.random(260), strict=True
    ):
        mask.putpixel((int(x), int(y)), int(40 + 215 * light**4))
    return mask


def _sun_in_place(picture: Image.Image, x: float, y: float, warmth: float) -> None:
    color = paint.mix((255, 240, 190), (255, 253, 240), warmth)
    for radius, share in ((230, 0.5), (90, 0.6)):
        paint.add_in_place(picture, paint.dimmed(_GLOW[radius], share), x, y)
    ImageDraw.Draw(picture).ellipse((x - 21, y - 21, x + 21, y + 21), fill=color)


_GLOW = {radius: paint.spark(radius, (255, 170, 100), 2.2) for radius in (230, 90)}


def _lake(rng: paint.Random) -> Draw:
    """Mountains in a lake, from the last stars to the sun."""
    shore = 232
    stars, clouds = _stars(rng, shore), _Clouds(rng, shore, 0.46)
    ranges = []
    for row, (height, waves) in enumerate(((150, 5), (104, 7), (58, 12))):
        ranges.append(
            paint.below(shore - 14 - height * paint.ridge(rng, WIDTH, waves, 0.62) + 6 * row, shore)
        )
    pines = np.full(WIDTH, float(shore), np.float32)
    for x in rng.integers(0, WIDTH, 90):
        tall, half = float(rng.uniform(10, 34)), 5
        span = np.arange(max(0, x - half), min(WIDTH, x + half))
        pines[span] = np.minimum(pines[span], shore - tall * (1 - np.abs(span - x) / half))
    forest = paint.below(pines, shore)

    def draw(t: float) -> Image.Image:
        at = t / 4.2
        colors = _between((NIGHT, DAWN, GOLD), at)
        land = _sky(colors, shore)
        night = max(0.0, 1 - 2.4 * at)
        if night:
            land.paste((255, 255, 255), (0, 0), paint.dimmed(stars, night))
        clouds.drawn_in_place(
            land,
            60 * t,
            paint.mix(colors[0], colors[1], 0.5),
            paint.mix(colors[2], (255, 250, 230), 0.25),
        )
        _sun_in_place(land, 410 + 8 * t, 262 - 128 * paint.smooth(at, 0.1, 1.1), at)
        for number, mask in enumerate(ranges):
            haze = (0.52, 0.30, 0.12)[number]
            land.paste(paint.mix((10, 12, 34), colors[1], haze * (0.5 + 0.7 * at)), (0, 0), mask)
        land.paste(paint.mix((4, 6, 18), colors[1], 0.05), (0, 0), forest)
        picture = Image.new("RGB", SIZE)
        picture.paste(land, (0, 0))
        depth = HEIGHT - shore
        mirrored = land.transpose(Image.Transpose.FLIP_TOP_BOTTOM).crop((0, 0, WIDTH, depth))
        mirrored = Image.blend(mirrored, Image.new("RGB", (WIDTH, depth), colors[0]), 0.28)
        for y in range(0, depth, 2):
            shift = round(
                (1 + y / 16) * np.sin(0.55 * y + 5 * t) + y / 30 * np.sin(0.19 * y - 3 * t)
            )
            picture.paste(
                ImageChops.offset(mirrored.crop((0, y, WIDTH, y + 2)), shift, 0), (0, shore + y)
            )
        return picture

    return draw


def _dunes(rng: paint.Random) -> Draw:
    """Light crosses a desert; shadows shorten."""
    sheets = []
    for row in range(4):
        tops = 190 + 42 * row - (64 - 6 * row) * paint.ridge(rng, WIDTH, 3, 0.2)
        slope = np.gradient(tops)
        sheets.append(
            (
                paint.below(tops, HEIGHT),
                paint.gray(
                    np.repeat(np.clip(0.5 - slope * 1.4, 0, 1)[None, :], HEIGHT, 0).astype(
                        np.float32
                    )
                ),
                tops,
            )
        )
    ripple = ImageChops.multiply(
        sheets[3][0],
        paint.gray(
            (
                0.5
                + 0.5
                * np.sin(
                    np.arange(HEIGHT, dtype=np.float32)[:, None] * 0.9
                    + 9 * paint.ridge(rng, WIDTH, 5)[None, :]
                )
            )
            * 0.16
        ),
    )
    caravan = [(float(x), float(rng.uniform(0, 6))) for x in range(0, 190, 34)]

    def draw(t: float) -> Image.Image:
        at = t / 3.2
        colors = _between(
            (
                ((70, 30, 84), (226, 84, 90), (255, 170, 90)),
                ((120, 96, 160), (255, 160, 110), (255, 220, 140)),
                ((90, 160, 214), (250, 214, 170), (255, 240, 200)),
            ),
            at,
        )
        picture = _sky(colors, HEIGHT)
        _sun_in_place(picture, 150 + 30 * t, 168 - 26 * t, at)
        for row, (mask, slope, tops) in enumerate(sheets):
            dark = paint.mix((64, 18, 46), (150, 70, 50), at)
            light = paint.mix((250, 120, 66), (255, 206, 120), at)
            haze = 0.42 - 0.13 * row
            dark, light = paint.mix(dark, colors[1], haze), paint.mix(light, colors[1], haze)
            slope.putpalette(
                [v for share in range(256) for v in paint.mix(dark, light, share / 255)]
            )
            picture.paste(slope.convert("RGB"), (0, 0), mask)
            if row == 3:
                picture.paste(dark, (0, 0), ripple)
            if row == 2:
                pen = ImageDraw.Draw(picture)
                for gap, phase in caravan:
                    x = 560 - gap - 44 * t
                    y = float(tops[int(x) % WIDTH])
                    _camel(pen, x, y, 9 * t + phase)
        return picture

    return draw


def _camel(pen: ImageDraw.ImageDraw, x: float, y: float, step: float) -> None:
    """A small one, walking left."""
    dark = (40, 14, 34)
    pen.ellipse((x - 9, y - 19, x + 9, y - 9), fill=dark)
    pen.ellipse((x - 5, y - 25, x + 4, y - 13), fill=dark)
    pen.line((x - 8, y - 14, x - 14, y - 23, x - 19, y - 22), fill=dark, width=3)
    for leg, phase in ((-7, 0.0), (-3, 3.1), (4, 1.6), (8, 4.7)):
        pen.line((x + leg, y - 12, x + leg + 3 * np.sin(step + phase), y + 2), fill=dark, width=2)


def _cliff() -> Image.Image:
    """A mask of a headland with a lighthouse on it."""
    mask = Image.new("L", SIZE)
    pen = ImageDraw.Draw(mask)
    edge = "640,176 560,180 520,176 484,186 470,220 444,236 430,282 400,300 380,360 640,360"
    pen.polygon([tuple(map(int, point.split(","))) for point in edge.split()], fill=255)
    pen.polygon([(536, 178), (541, 96), (563, 96), (568, 178)], fill=255)
    pen.rectangle((538, 82, 566, 94), fill=255)
    pen.polygon([(536, 84), (568, 84), (552, 68)], fill=255)
    return mask


def _coast(rng: paint.Random) -> Draw:
    """A lighthouse goes out; the sea takes the sun."""
    horizon = 196
    clouds = _Clouds(rng, horizon, 0.55)
    glitter = paint.fractal(rng, (WIDTH, 512), 10, 2, 5.0)
    rows = np.arange(HEIGHT - horizon, dtype=np.float32)[:, None]
    far = np.abs(np.arange(WIDTH, dtype=np.float32)[None, :] - 250)
    path = np.exp(-((far / (16 + rows * 0.75)) ** 2))
    cliff = _cliff()
    lamp = paint.spark(34, (255, 230, 160), 1.8)
    birds = [
        (float(x), float(y), float(p))
        for x, y, p in zip(
            rng.uniform(60, 420, 9), rng.uniform(60, 130, 9), rng.uniform(0, 6, 9), strict=True
        )
    ]

    def draw(t: float) -> Image.Image:
        at = t / 3.2
        colors = _between(
            (
                ((30, 60, 110), (120, 120, 170), (250, 170, 150)),
                ((60, 130, 190), (170, 200, 210), (255, 214, 160)),
                DAY,
            ),
            at,
        )
        picture = Image.new("RGB", SIZE, colors[1])
        picture.paste(_sky(colors, horizon), (0, 0))
        clouds.drawn_in_place(picture, 70 * t, colors[1], (255, 244, 230))
        _sun_in_place(picture, 250, 186 - 36 * t, at)
        sea = paint.gradient(
            (1, HEIGHT - horizon),
            [
                (0, paint.mix(colors[2], (20, 90, 130), 0.55)),
                (1, paint.mix((8, 40, 76), (10, 90, 140), at)),
            ],
        )
        picture.paste(sea.resize((WIDTH, HEIGHT - horizon)), (0, horizon))
        roll = np.roll(glitter, (int(50 * t), int(30 * t)), axis=(0, 1))[: HEIGHT - horizon]
        picture.paste(
            (255, 240, 200),
            (0, horizon),
            paint.gray(np.clip((roll - 0.5) * 5, 0, 1) * (path + 0.1)),
        )
        picture.paste(paint.mix((14, 20, 44), (40, 70, 70), at), (0, 0), cliff)
        if at < 0.5:
            paint.add_in_place(picture, paint.dimmed(lamp, 1 - 2 * at), 552, 88)
        pen = ImageDraw.Draw(picture)
        for x, y, phase in birds:
            lift = 5 * np.sin(9 * t + phase)
            left = x + 40 * t
            pen.line((left - 8, y - lift, left, y, left + 8, y - lift), fill=(30, 34, 60), width=2)
        return picture

    return draw


def _meadow(rng: paint.Random) -> Draw:
    """A tree on a hill, grass in the wind, the day as it will stay."""
    clouds = _Clouds(rng, 260, 0.5)
    hills = [
        (paint.below(tops, HEIGHT), color)
        for tops, color in (
            (236 - 50 * paint.ridge(rng, WIDTH, 3, 0.2), (116, 176, 150)),
            (268 - 40 * paint.ridge(rng, WIDTH, 2, 0.2), (84, 156, 92)),
        )
    ]
    x = np.arange(WIDTH, dtype=np.float32)
    hill = paint.below(300 - 74 * np.exp(-(((x - 430) / 190) ** 2)), HEIGHT)
    crown = Image.new("L", SIZE)
    pen = ImageDraw.Draw(crown)
    pen.polygon([(422, 232), (427, 160), (437, 160), (444, 232)], fill=255)
    for dx, dy, r in rng.normal(0, 1, (46, 3)):
        radius = 17 + 4 * abs(r)
        cx, cy = 432 + 36 * dx, 122 + 24 * dy
        pen.ellipse((cx - radius, cy - radius, cx + radius, cy + radius), fill=255)
    blades = [
        (float(a), float(b), float(c))
        for a, b, c in zip(
            rng.uniform(-10, 650, 420),
            rng.uniform(312, 366, 420),
            rng.uniform(0, 1, 420),
            strict=True,
        )
    ]
    blades.sort(key=lambda blade: blade[1])

    def draw(t: float) -> Image.Image:
        at = t / 2.8
        colors = _between((GOLD, DAY), 0.3 + 0.7 * at)
        picture = _sky(colors, HEIGHT)
        clouds.drawn_in_place(
            picture, 90 * t, paint.mix(colors[1], (200, 210, 230), 0.5), (255, 255, 255)
        )
        _sun_in_place(picture, 150 + 12 * t, 110 - 16 * t, 1.0)
        for mask, color in hills:
            picture.paste(paint.mix(color, (255, 210, 130), 0.35 * (1 - at)), (0, 0), mask)
        picture.paste((58, 132, 62), (0, 0), hill)
        picture.paste((26, 74, 52), (0, 0), crown)
        pen = ImageDraw.Draw(picture)
        for left, foot, tone in blades:
            tall = 16 + 26 * tone
            bend = 9 * np.sin(3.2 * t + left * 0.02 + tone)
            tip = (255, 120, 110) if tone > 0.93 else paint.mix((34, 100, 44), (170, 214, 90), tone)
            pen.line(
                (left, foot, left + bend * 0.4, foot - tall * 0.6, left + bend, foot - tall),
                fill=tip,
                width=2,
            )
            if tone > 0.93:
                pen.ellipse(
                    (left + bend - 4, foot - tall - 4, left + bend + 4, foot - tall + 4), fill=tip
                )
        return picture

    return draw


def _score(rng: np.random.Generator, duration_s: float) -> Sound:
    """Strings that open, and birds."""
    track = synth.silence(duration_s)
    for at, chord in (
        (0.0, (43, 50, 62)),
        (3.4, (48, 55, 64, 67)),
        (6.8, (45, 52, 60, 69, 72)),
        (10.0, (43, 55, 59, 67, 71, 79)),
    ):
        for number, note in enumerate(chord):
            synth.mix_in(
                track,
                synth.pad(note, 4.6, 7, 1.2),
                at,
                0.12 + 0.012 * at,
                (-0.6, 0.6, -0.2, 0.3, 0.8, -0.8)[number],
            )
    for at in np.arange(4.2, duration_s - 1.2, 0.37):
        if rng.random() < 0.6:
            t = synth.seconds(0.14)
            start = rng.uniform(2600, 4200)
            chirp = np.sin(
                2 * np.pi * (start * t + rng.uniform(-4000, 6000) * t * t)
            ) * synth.envelope(0.14, 0.02, 0.06)
            synth.mix_in(
                track, chirp.astype(np.float32), float(at), 0.06, float(rng.uniform(-0.9, 0.9))
            )
    return synth.mastered(synth.hall(rng, track, 2.4, 0.35), 0.5, 1.4)


RECIPE = Recipe(
    slug="first-light",
    name="First Light",
    synopsis="Four places wait for the same sun. Nothing else happens, and it is enough.",
    container="mov",
    frame_rate=24,
    size=SIZE,
    grain=3,
    shots=(Shot(4.25, _lake), Shot(3.25, _dunes), Shot(3.25, _coast), Shot(2.75, _meadow)),
    score=_score,
    caption_format="vtt",
    cues=cues(
        ("en", "de"),
        (
            0.5,
            3.9,
            "Before the sun there is a color\nthat has no name in any language.",
            "Vor der Sonne gibt es eine Farbe,\ndie in keiner Sprache einen Namen hat.",
        ),
        (
            4.5,
            7.2,
            "The caravan left at four.\nIt likes to meet the day halfway.",
            "Die Karawane brach um vier auf.\nSie geht dem Tag gern entgegen.",
        ),
        (
            7.7,
            10.4,
            "[gulls] The keeper put out his lamp.\nSomebody else was on duty now.",
            "[Möwen] Der Wärter löschte seine Lampe.\nNun hatte jemand anders Dienst.",
        ),
        (
            10.9,
            13.2,
            "[birdsong] And the grass stood up\nas if it had been called.",
            "[Vogelgesang] Und das Gras stand auf,\nals hätte man es gerufen.",
        ),
    ),
)
