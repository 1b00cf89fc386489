"""The Paper Ocean: a voyage cut out of colored paper. Flat colors, shadows, smooth motion."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from samples import paint, synth
from samples.captions import cues
from samples.film import Draw, Recipe, Shot, Sound

WIDTH, HEIGHT = SIZE = (960, 540)
SHADOW = (8, 12, 40)
Sheet = tuple[Image.Image, Image.Image]


def _paper(rng: paint.Random, size: paint.Size, color: paint.Rgb) -> Image.Image:
    """Colored paper: a flat color with a little tooth."""
    tooth = rng.normal(0, 2.5, (size[1], size[0], 1)).astype(np.float32)
    return Image.fromarray(np.clip(np.array(color, np.float32) + tooth, 0, 255).astype(np.uint8))


def _cut(rng: paint.Random, mask: Image.Image, color: paint.Rgb) -> Sheet:
    """A sheet cut to a mask, with the shadow that it throws: its picture and its opacity."""
    shadow = ImageChops.offset(mask.filter(ImageFilter.BoxBlur(7)), -5, -8)
    picture = Image.new("RGB", mask.size, SHADOW)
    picture.paste(_paper(rng, mask.size, color), (0, 0), mask.point(lambda v: 255 * (v > 40)))
    return picture, ImageChops.lighter(mask, paint.dimmed(shadow, 0.42))


def _wave(rng: paint.Random, color: paint.Rgb, height: int, period: int, crest: int) -> Sheet:
    """A strip of scalloped waves that tiles sideways."""
    width = period * 8
    x = np.arange(width, dtype=np.float32)
    tops = 22 + crest - crest * np.abs(np.sin(np.pi * x / period)) ** 0.8
    return _cut(rng, paint.below(tops.astype(np.float32), height), color)


def _laid_in_place(picture: Image.Image, sheet: Sheet, x: float, y: float) -> None:
    """A strip that tiles sideways."""
    paper, opacity = sheet
    picture.paste(paint.scrolled(paper, x, WIDTH), (0, round(y)), paint.scrolled(opacity, x, WIDTH))


def _stuck_in_place(picture: Image.Image, sheet: Sheet, x: float, y: float) -> None:
    """A piece, centered at (x, y)."""
    paper, opacity = sheet
    picture.paste(paper, (round(x) - paper.width // 2, round(y) - paper.height // 2), opacity)


def _shape(size: paint.Size, draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
    """A mask with smooth edges: drawn at three times its size."""
    mask = Image.new("L", (size[0] * 3, size[1] * 3))
    draw(ImageDraw.Draw(mask))
    return mask.reduce(3)


def _disc(rng: paint.Random, radius: int, color: paint.Rgb) -> Sheet:
    side = 2 * radius + 40
    mask = _shape(
        (side, side), lambda pen: pen.ellipse((60, 60, 3 * side - 60, 3 * side - 60), fill=255)
    )
    return _cut(rng, mask, color)


def _cloud(rng: paint.Random, wide: int, color: paint.Rgb) -> Sheet:
    def puffs(pen: ImageDraw.ImageDraw) -> None:
        base = 3 * wide * 0.36
        pen.rounded_rectangle((60, base - 90, 3 * wide - 60, base), 45, fill=255)
        for share, size in ((0.28, 0.11), (0.46, 0.16), (0.66, 0.13), (0.8, 0.08)):
            x, r = 3 * wide * share, 3 * wide * size
            pen.ellipse((x - r, base - 70 - r, x + r, base - 70 + r), fill=255)

    return _cut(rng, _shape((wide, round(wide * 0.42)), puffs), color)


def _boat(hull: paint.Rgb, sail: paint.Rgb, flag: paint.Rgb) -> Image.Image:
    """The ship, folded from paper, with its transparency."""
    ship = Image.new("RGBA", (720, 720))
    pen = ImageDraw.Draw(ship)
    pen.rectangle((352, 90, 366, 500), fill=(92, 60, 48))
    pen.polygon([(378, 110), (378, 450), (600, 450)], fill=sail)
    pen.polygon([(378, 110), (378, 450), (440, 450)], fill=paint.mix(sail, (0, 0, 0), 0.12))
    pen.polygon([(340, 170), (340, 450), (170, 450)], fill=paint.mix(sail, flag, 0.3))
    pen.polygon([(366, 60), (366, 116), (270, 88)], fill=flag)
    pen.polygon([(90, 480), (650, 480), (560, 620), (190, 620)], fill=hull)
    pen.polygon(
        [(90, 480), (370, 480), (250, 620), (190, 620)], fill=paint.mix(hull, (0, 0, 0), 0.16)
    )
    for x in (300, 380, 460):
        pen.ellipse((x - 18, 526, x + 18, 562), fill=sail)
    return ship.reduce(3)


def _sailed_in_place(
    picture: Image.Image, ship: Image.Image, x: float, y: float, lean: float
) -> None:
    turned = ship.rotate(lean, paint.BILINEAR)
    at = (round(x) - ship.width // 2, round(y) - ship.height // 2)
    picture.paste(SHADOW, (at[0] - 5, at[1] + 4), paint.dimmed(turned.getchannel("A"), 0.35))
    picture.paste(turned, at, turned)


def _sea(rng: paint.Random, colors: tuple[paint.Rgb, ...]) -> list[tuple[Sheet, float, float]]:
    """Strips from far to near, each with its height on the page and its speed."""
    return [
        (_wave(rng, color, 150, 120 + 24 * row, 16 + 5 * row), 270 + 48 * row, 34 + 42 * row)
        for row, color in enumerate(colors)
    ]


def _departure(rng: paint.Random) -> Draw:
    sky = _paper(rng, SIZE, (255, 214, 170))
    for radius, color in ((330, (255, 196, 140)), (250, (255, 172, 112)), (176, (255, 146, 92))):
        _stuck_in_place(sky, _disc(rng, radius, color), 640, 300)
    _stuck_in_place(sky, _disc(rng, 104, (255, 240, 190)), 640, 300)
    sea = _sea(rng, ((42, 168, 168), (22, 134, 150), (14, 102, 130), (10, 72, 104), (8, 46, 78)))
    clouds = [_cloud(rng, 260, (255, 246, 232)), _cloud(rng, 190, (255, 232, 214))]
    ship = _boat((206, 62, 56), (255, 248, 236), (244, 180, 50))

    def draw(t: float) -> Image.Image:
        picture = sky.copy()
        _stuck_in_place(picture, clouds[0], 190 + 14 * t, 118)
        _stuck_in_place(picture, clouds[1], 850 + 9 * t, 90)
        for row, (sheet, y, speed) in enumerate(sea):
            if row == 2:
                _sailed_in_place(
                    picture, ship, 300 + 62 * t, 262 + 9 * np.sin(2.2 * t), 5 * np.sin(2.2 * t + 1)
                )
            _laid_in_place(picture, sheet, speed * t, y + 7 * np.sin(2 * t + row))
        return picture

    return draw


def _storm(rng: paint.Random) -> Draw:
    sky = _paper(rng, SIZE, (38, 42, 84))
    for x, y, wide, color in (
        (140, 70, 420, (62, 64, 112)),
        (560, 50, 520, (52, 54, 100)),
        (860, 110, 400, (74, 74, 126)),
    ):
        _stuck_in_place(sky, _cloud(rng, wide, color), x, y)
    lit = Image.blend(sky, Image.new("RGB", SIZE, (214, 220, 255)), 0.62)
    bolt = Image.new("L", (WIDTH * 2, HEIGHT * 2))
    ImageDraw.Draw(bolt).polygon(
        [(1240, 150), (1120, 420), (1210, 410), (1090, 700), (1330, 350), (1240, 360), (1340, 150)],
        fill=255,
    )
    flash = _cut(rng, bolt.reduce(2), (255, 232, 120))
    sea = _sea(rng, ((54, 84, 140), (40, 66, 122), (28, 48, 100), (20, 34, 78), (12, 20, 54)))
    ship = _boat((206, 62, 56), (240, 236, 240), (244, 180, 50))
    slant = Image.new("L", (WIDTH, 2 * HEIGHT))
    pen = ImageDraw.Draw(slant)
    for x, y in zip(rng.integers(0, WIDTH + 100, 130), rng.integers(0, HEIGHT, 130), strict=True):
        for top in (y, y + HEIGHT):
            pen.line((x, top, x - 14, top + 40), fill=120, width=2)

    def draw(t: float) -> Image.Image:
        striking = 0.9 < t < 1.15 or 1.25 < t < 1.35 or 2.2 < t < 2.4
        picture = (lit if striking else sky).copy()
        if striking:
            _stuck_in_place(picture, flash, WIDTH / 2 + (0 if t < 2 else -330), HEIGHT / 2)
        for row, (sheet, y, speed) in enumerate(sea):
            if row == 2:
                heave = np.sin(3.4 * t)
                _sailed_in_place(
                    picture, ship, 470 + 20 * t, 250 - 34 * heave, 19 * np.cos(3.4 * t)
                )
            _laid_in_place(
                picture,
                sheet,
                2.3 * speed * t,
                y - 12 + (14 + 7 * row) * np.sin(3.4 * t + 0.8 * row),
            )
        y = HEIGHT - round(900 * t) % HEIGHT
        picture.paste((190, 200, 240), (0, 0), slant.crop((0, y, WIDTH, y + HEIGHT)))
        return picture

    return draw


def _deep(rng: paint.Random) -> Draw:
    """Under the boat: a whale, a shoal, light in shafts."""
    water = paint.gradient(SIZE, [(0, (112, 214, 200)), (0.4, (20, 140, 160)), (1, (6, 40, 84))])
    shafts = Image.new("L", SIZE)
    pen = ImageDraw.Draw(shafts)
    for x in (120, 300, 470, 700, 850):
        pen.polygon([(x, 0), (x + 60, 0), (x - 30, HEIGHT), (x - 200, HEIGHT)], fill=46)
    water.paste((230, 255, 236), (0, 0), shafts.filter(ImageFilter.BoxBlur(4)))

    def body(pen: ImageDraw.ImageDraw) -> None:
        pen.ellipse((300, 180, 1380, 690), fill=255)
        pen.polygon(
            [(420, 520), (200, 420), (60, 180), (150, 160), (300, 300), (520, 330)], fill=255
        )
        pen.polygon([(110, 210), (10, 60), (190, 110), (300, 20), (240, 240)], fill=255)
        pen.polygon([(900, 620), (1040, 610), (800, 850), (730, 830)], fill=255)

    def swimmer(pen: ImageDraw.ImageDraw) -> None:
        pen.ellipse((86, 66, 176, 126), fill=255)
        pen.polygon([(96, 96), (56, 66), (56, 126)], fill=255)

    def underside(pen: ImageDraw.ImageDraw) -> None:
        pen.ellipse((420, 430, 1500, 900), fill=255)

    mask = _shape((480, 300), body)
    belly = ImageChops.multiply(mask, _shape((480, 300), underside))
    whale = _cut(rng, mask, (30, 62, 120))
    under = _paper(rng, belly.size, (226, 236, 232)), belly
    eye = _disc(rng, 8, (255, 255, 255))
    fish = _cut(rng, _shape((84, 64), swimmer), (255, 150, 92))
    shoal = [
        (float(x), float(y))
        for x, y in zip(rng.uniform(-60, 380, 16), rng.normal(150, 54, 16), strict=True)
    ]
    weeds = [
        _cut(rng, paint.below(54 * (1 - paint.ridge(rng, 1280, 22)), 150), color)
        for color in ((232, 92, 92), (10, 60, 84))
    ]
    surface = _wave(rng, (214, 250, 238), 80, 150, 26)
    flip = Image.Transpose.FLIP_TOP_BOTTOM
    top = surface[0].transpose(flip), surface[1].transpose(flip)

    def draw(t: float) -> Image.Image:
        picture = water.copy()
        _laid_in_place(picture, top, 60 * t, -32)
        x, y = 300 + 110 * t, 300 - 16 * np.sin(1.3 * t)
        _stuck_in_place(picture, whale, x, y)
        _stuck_in_place(picture, under, x, y)
        _stuck_in_place(picture, eye, x + 160, y - 10)
        for number, (dx, dy) in enumerate(shoal):
            _stuck_in_place(
                picture,
                fish,
                560 + dx + (50 + number % 3 * 16) * t,
                dy + 10 * np.sin(3 * t + number),
            )
        _laid_in_place(picture, weeds[0], 46 * t, 416)
        _laid_in_place(picture, weeds[1], 120 * t, 452)
        return picture

    return draw


def _night(rng: paint.Random) -> Draw:
    sky = _paper(rng, SIZE, (44, 24, 84))
    for radius, color in ((300, (60, 34, 106)), (200, (82, 48, 130))):
        _stuck_in_place(sky, _disc(rng, radius, color), 250, 170)
    _stuck_in_place(sky, _disc(rng, 90, (255, 240, 200)), 250, 170)

    def star(pen: ImageDraw.ImageDraw) -> None:
        turns = np.arange(10) * np.pi / 5
        pen.polygon(
            [
                (
                    105 + (54 if i % 2 == 0 else 22) * np.sin(a),
                    105 - (54 if i % 2 == 0 else 22) * np.cos(a),
                )
                for i, a in enumerate(turns)
            ],
            fill=255,
        )

    def lighthouse(pen: ImageDraw.ImageDraw) -> None:
        pen.ellipse((0, 330, 1260, 1000), fill=255)
        pen.rectangle((800, 90, 890, 420), fill=255)
        pen.polygon([(780, 100), (910, 100), (845, 30)], fill=255)

    star_mask = _shape((70, 70), star)
    stars = [
        (_cut(rng, star_mask.resize((s, s)), (255, 222, 130)), float(x), float(y))
        for s, x, y in zip(
            rng.integers(34, 74, 22),
            rng.uniform(370, 930, 22),
            rng.uniform(20, 240, 22),
            strict=True,
        )
    ]
    sea = _sea(rng, ((92, 56, 140), (70, 44, 124), (52, 34, 104), (38, 26, 84), (24, 16, 60)))
    island = _cut(rng, _shape((420, 220), lighthouse), (20, 14, 48))
    ship = _boat((206, 62, 56), (255, 240, 214), (244, 180, 50))
    beam_x, beam_y = 720 + (845 - 630) / 3, 272 - 110 + 40

    def draw(t: float) -> Image.Image:
        picture = sky.copy()
        for number, (sheet, x, y) in enumerate(stars):
            _stuck_in_place(picture, sheet, x, y + 3 * np.sin(2 * t + number))
        beam = Image.new("L", SIZE)
        reach = np.sin(0.9 * t - 0.3)
        far = -40
        ImageDraw.Draw(beam).polygon(
            [(beam_x, beam_y), (far, beam_y - 90 + 130 * reach), (far, beam_y + 60 + 130 * reach)],
            fill=120,
        )
        picture.paste((255, 232, 150), (0, 0), beam)
        _stuck_in_place(picture, island, 720, 272)
        for row, (sheet, y, speed) in enumerate(sea):
            if row == 2:
                _sailed_in_place(
                    picture, ship, 200 + 58 * t, 268 + 6 * np.sin(1.6 * t), 3 * np.sin(1.6 * t + 1)
                )
            _laid_in_place(picture, sheet, 0.7 * speed * t, y + 5 * np.sin(1.6 * t + row))
        return picture

    return draw


def _score(rng: np.random.Generator, duration_s: float) -> Sound:
    """A waltz for toy piano over surf."""
    track = synth.silence(duration_s)
    beat = 0.32
    tune = (72, 76, 79, 84, 83, 79, 77, 81, 84, 83, 79, 76, 74, 77, 81, 79, 76, 72)
    roots = (48, 53, 43, 48, 45, 50)
    for step in range(int(duration_s / beat)):
        at = step * beat
        root = roots[step // 6 % 6]
        if step % 3 == 0:
            synth.mix_in(track, synth.pluck(root, 1.4, 2.0), at, 0.5, -0.2)
        else:
            for third in (12, 16, 19):
                synth.mix_in(track, synth.pluck(root + third, 0.5, 3.0), at, 0.12, 0.3)
        if step % 3 != 1:
            synth.mix_in(track, synth.pluck(tune[step % len(tune)], 1.0, 4.0), at, 0.34, 0.1)
    track = synth.hall(rng, track, 1.2, 0.22)
    surf = synth.hiss(rng, duration_s, 200, 2400)
    for phase, pan in ((0.0, -0.7), (1.8, 0.7)):
        swell = 0.4 + 0.6 * np.sin(1.7 * synth.seconds(duration_s)[: len(surf)] + phase) ** 2
        synth.mix_in(track, surf * swell, 0, 0.2, pan)
    return synth.mastered(track, 0.4)


RECIPE = Recipe(
    slug="paper-ocean",
    name="The Paper Ocean",
    synopsis="A boat, folded from a letter that was never sent, sets out to deliver it.",
    container="mov",
    frame_rate=25,
    size=SIZE,
    shots=(Shot(3.4, _departure), Shot(3.0, _storm), Shot(3.4, _deep), Shot(3.6, _night)),
    score=_score,
    caption_format="srt",
    cues=cues(
        ("en", "es"),
        (
            0.3,
            3.2,
            "The letter said only: come home.\nSo we folded it into a boat.",
            "La carta solo decía: vuelve a casa.\nAsí que la doblamos y fue un barco.",
        ),
        (
            3.6,
            6.2,
            "[thunder] Paper is afraid of very little.\nWater, mostly.",
            "[truenos] El papel teme pocas cosas.\nEl agua, sobre todo.",
        ),
        (
            6.6,
            9.6,
            "Below us somebody old and enormous\nread the address, and nodded.",
            "Debajo, alguien viejo y enorme\nleyó la dirección y asintió.",
        ),
        (
            10.0,
            13.0,
            "And there was the light,\nexactly where the envelope had said.",
            "Y allí estaba la luz,\njusto donde decía el sobre.",
        ),
    ),
)
