"""Corridor Nine: a film noir in one hallway. Black and white, hard light, heavy grain."""

import math

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from samples import paint, synth
from samples.captions import cues
from samples.film import Draw, Recipe, Shot, Sound

WIDTH, HEIGHT = SIZE = (640, 360)
EYE = (WIDTH / 2, 160.0)


class _Corridor:
    """For each pixel of a corridor seen along its axis: where in space it lies, in meters.

    ``across`` runs from -1.5 to 1.5, ``up`` from -1.5 (floor) to 1.5, ``deep`` into the picture.
    """

    def __init__(self, rng: paint.Random) -> None:
        x = (np.arange(WIDTH, dtype=np.float32)[None, :] - EYE[0]) / 210
        y = (EYE[1] - np.arange(HEIGHT, dtype=np.float32)[:, None]) / 210
        spread = np.maximum(np.maximum(np.abs(x), np.abs(y)), 1.5 / 16).astype(np.float32)
        self.deep = 1.5 / spread
        self.across, self.up = x * self.deep, y * self.deep
        self.floor = self.up < -1.48
        self.wall = np.abs(self.across) > 1.48
        self.end = self.deep > 15.9
        boards = 0.8 + 0.2 * (np.sin(self.across * 14) > -0.9)
        doors = np.abs((self.deep + 1.2) % 3.0 - 1.5) < 0.5
        panel = np.where(self.up > 0.75, 0.72, np.where(doors, 0.34, 0.62))
        panel = np.where((np.abs(self.up + 0.45) < 0.03) & ~doors, 0.95, panel)
        stripes = 0.93 + 0.07 * np.sin(self.deep * 26)
        self.paint = np.where(self.wall, panel * stripes, np.where(self.floor, 0.5 * boards, 0.5))
        self.paint = self.paint.astype(np.float32)

    def lit(self, across: float, up: float, deep: float, strength: float) -> paint.Array:
        """The light of one lamp on everything."""
        square = (self.across - across) ** 2 + (self.up - up) ** 2 + (self.deep - deep) ** 2
        return (self.paint * np.float32(strength) / (0.25 + square)).astype(np.float32)


def _man(tall: int, step: float = 0.0) -> Image.Image:
    """A mask of a man in a hat and a long coat."""
    mask = Image.new("L", (tall, tall))
    pen = ImageDraw.Draw(mask)
    unit, middle = tall / 100, tall / 2

    def at(x: float, y: float) -> tuple[float, float]:
        return middle + x * unit, y * unit

    pen.ellipse((*at(-17, 11), *at(17, 16)), fill=255)
    pen.polygon([at(-10, 13), at(-8, 3), at(0, 5), at(8, 2), at(10, 13)], fill=255)
    pen.ellipse((*at(-7, 10), *at(7, 25)), fill=255)
    pen.polygon(
        [
            at(-6, 23),
            at(6, 23),
            at(19, 30),
            at(22, 60),
            at(16, 80),
            at(-16, 80),
            at(-22, 60),
            at(-19, 30),
        ],
        fill=255,
    )
    for side in (-1, 1):
        swing = 5 * np.sin(step) * side
        pen.polygon(
            [
                at(side * 9 - 5, 76),
                at(side * 9 + 5, 76),
                at(side * 8 + 4 + swing, 98),
                at(side * 8 - 6 + swing, 98),
            ],
            fill=255,
        )
    return mask


def _approach(rng: paint.Random) -> Draw:
    """A lamp swings; somebody comes."""
    hall = _Corridor(rng)
    still = hall.lit(0, 1.2, 11.0, 3.4) + hall.lit(0, 0.2, 1.0, 0.3) + hall.end * np.float32(0.7)
    bulb = paint.spark(20, (255, 255, 255), 1.0).convert("L")

    def draw(t: float) -> Image.Image:
        swing = 0.9 * math.sin(2.4 * t)
        flicker = 0.55 if 1.7 < t < 1.79 or 1.9 < t < 1.95 else 1.0
        light = hall.lit(swing, 0.9, 3.6, 1.9 * flicker) + still
        picture = paint.gray(light)
        deep = 11.0 - 1.9 * t
        tall = round(2.45 * 210 / deep)
        man = _man(tall, 6 * t)
        foot = EYE[1] + 1.5 * 210 / deep
        x = EYE[0] + swing * 4
        shadow = man.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize(
            (tall, round(tall * 1.5)), paint.BILINEAR
        )
        picture.paste(6, (round(x - tall / 2), round(foot) - 4), paint.dimmed(shadow, 0.75))
        picture.paste(8, (round(x - tall / 2), round(foot - tall)), man)
        lamp_x, lamp_y = EYE[0] + swing * 42, EYE[1] - 42
        pen = ImageDraw.Draw(picture)
        pen.line((EYE[0], 92, lamp_x, lamp_y), fill=20, width=2)
        halo = ImageChops.add(
            picture.crop(
                (round(lamp_x) - 20, round(lamp_y) - 20, round(lamp_x) + 21, round(lamp_y) + 21)
            ),
            bulb,
        )
        picture.paste(halo, (round(lamp_x) - 20, round(lamp_y) - 20))
        return picture

    return draw


def _blinds(rng: paint.Random) -> Draw:
    """A face in profile behind the light of a venetian blind; smoke."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    slant = y + 0.16 * x
    slats = np.clip(1.6 * np.sin(slant / 5.2) + 0.2, 0, 1) * np.exp(-(((x - 250) / 230) ** 2))
    wall = (0.05 + 0.72 * slats * (0.75 + 0.25 * np.sin(x / 90))).astype(np.float32)
    smoke = paint.fractal(rng, (900, HEIGHT), 120, 5, 1.0) ** 2
    profile = Image.new("L", (WIDTH * 2, HEIGHT * 2))
    line = [
        (820, 720),
        (800, 560),
        (740, 520),
        (700, 516),
        (664, 500),
        (660, 470),
        (640, 456),
        (652, 438),
        (636, 424),
        (646, 404),
        (610, 388),
        (604, 376),
        (640, 320),
        (640, 276),
        (560, 268),
        (556, 252),
        (660, 236),
        (676, 140),
        (760, 116),
        (850, 122),
        (930, 148),
        (950, 244),
        (1030, 262),
        (1020, 278),
        (940, 284),
        (956, 380),
        (930, 470),
        (960, 540),
        (1130, 600),
        (1230, 720),
    ]
    ImageDraw.Draw(profile).polygon(line, fill=255)
    man = profile.reduce(2)
    edge = ImageChops.subtract(man, ImageChops.offset(man, 4, 2)).filter(
        ImageFilter.GaussianBlur(1.2)
    )
    rim = paint.dimmed(edge, 0.9)
    ember = paint.spark(9, (255, 255, 255), 1.0).convert("L")

    def draw(t: float) -> Image.Image:
        drift = np.roll(smoke, -int(26 * t), axis=1)[:, :WIDTH]
        rising = np.roll(drift, -int(20 * t), axis=0)
        sweep = 0.35 + 0.65 * math.exp(-(((t - 1.5) / 0.9) ** 2))
        picture = paint.gray(wall * np.float32(sweep) + rising * slats * np.float32(0.5))
        picture.paste(5, (0, 0), man)
        picture = ImageChops.add(picture, paint.dimmed(rim, sweep))
        pen = ImageDraw.Draw(picture)
        pen.line((318, 214, 284, 222), fill=180, width=4)
        glow = 0.35 + 0.65 * max(0.0, np.sin(2.1 * t)) ** 2
        spot = picture.crop((275, 213, 294, 232))
        picture.paste(ImageChops.add(spot, paint.dimmed(ember, glow)), (275, 213))
        return picture

    return draw


def _shadow(rng: paint.Random) -> Draw:
    """A shadow with a hat grows on the wall beside a door marked 9."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    pool = np.exp(-(((x - 250) / 260) ** 2 + ((y - 150) / 210) ** 2))
    wall = (0.06 + 0.8 * pool * (0.94 + 0.06 * np.sin(x / 3.4))).astype(np.float32)
    wall *= np.where(y > 262, 0.55, 1).astype(np.float32)
    plain = paint.gray(wall)
    pen = ImageDraw.Draw(plain)
    pen.rectangle((430, 60, 566, 360), fill=20)
    pen.rectangle((438, 68, 558, 360), fill=62)
    for top in (92, 214):
        pen.rectangle((456, top, 540, top + 92), outline=26, width=3)
    pen.ellipse((444, 206, 456, 218), fill=200)
    plain.paste(214, (484, 104), paint.lettering("9", 62, 3))
    plain = ImageChops.multiply(plain, paint.vignette(SIZE, 0.5))
    dark = ImageChops.multiply(plain, Image.new("L", SIZE, 34))

    def draw(t: float) -> Image.Image:
        tall = round(230 + 86 * t)
        cast = _man(tall, 5 * t).filter(ImageFilter.GaussianBlur(2.2))
        picture = plain.copy()
        mask = Image.new("L", SIZE)
        mask.paste(cast, (round(-120 + 92 * t), 66 - round(8 * t)))
        picture.paste(dark, (0, 0), mask)
        return picture

    return draw


def _stairwell(rng: paint.Random) -> Draw:
    """Straight down a square stairwell that turns."""
    x, y = np.meshgrid(
        (np.arange(WIDTH, dtype=np.float32) - 320) / 180,
        (np.arange(HEIGHT, dtype=np.float32) - 180) / 180,
    )
    grain = paint.fractal(rng, SIZE, 40, 4) * 0.2 + 0.8

    def draw(t: float) -> Image.Image:
        turn = 0.22 * t - 0.3
        u, v = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        far = np.maximum(np.abs(u), np.abs(v))
        deep = 1 / np.maximum(far, 0.05) + 0.7 * t
        level = deep % 1.0
        rail = (level < 0.1) * 0.9
        around = np.where(
            np.abs(u) > np.abs(v), v / np.maximum(far, 1e-3), u / np.maximum(far, 1e-3)
        )
        steps = 0.35 + 0.3 * (np.sin(around * 20) > 0)
        side = np.where(
            np.abs(u) > np.abs(v), np.where(u > 0, 1.0, 0.25), np.where(v > 0, 0.55, 0.12)
        )
        light = (rail + steps * side * (level > 0.1)) * np.clip(far * 1.5, 0, 1) ** 1.2 * grain
        light = np.where(far < 0.09, 0.95, light)
        return paint.gray(light.astype(np.float32))

    return draw


def _score(rng: np.random.Generator, duration_s: float) -> Sound:
    """Hum, steps, a muted horn that does not hurry."""
    track = synth.silence(duration_s)
    synth.mix_in(track, synth.pad(33, duration_s, 3, 2.0), 0, 0.3)
    step = synth.thump(0.16, 260)
    for number, at in enumerate(np.arange(0.3, duration_s - 0.6, 0.62)):
        synth.mix_in(track, step, float(at), 0.4, 0.5 if number % 2 else -0.5)
    for at, note, long in (
        (1.0, 62, 1.2),
        (2.3, 65, 0.7),
        (3.1, 64, 1.8),
        (5.4, 60, 1.0),
        (6.6, 57, 2.2),
        (9.4, 62, 0.8),
        (10.3, 61, 2.4),
    ):
        horn = synth.pad(note, long, 7, 0.09) * (
            1 + 0.12 * np.sin(2 * np.pi * 5.2 * synth.seconds(long))
        )
        synth.mix_in(track, horn.astype(np.float32), at, 0.34, 0.2)
    return synth.mastered(synth.hall(rng, track, 2.2, 0.45), 0.16, 1.2)


RECIPE = Recipe(
    slug="corridor-nine",
    name="Corridor Nine",
    synopsis="The detective was told there is no ninth door. Somebody has been oiling its hinges.",
    container="mkv",
    frame_rate=24,
    size=SIZE,
    mode="L",
    grain=26,
    shots=(Shot(3.5, _approach), Shot(3.0, _blinds), Shot(3.0, _shadow), Shot(3.5, _stairwell)),
    score=_score,
    caption_format="srt",
    cues=cues(
        ("en", "de"),
        (
            0.4,
            3.3,
            "[footsteps] They told me the building\nhad eight doors to a floor.",
            "[Schritte] Man hatte mir gesagt,\nes gebe acht Türen je Stockwerk.",
        ),
        (
            3.7,
            6.3,
            "I can count. It is most of what I do.",
            "Ich kann zählen. Viel mehr tue ich nicht.",
        ),
        (
            6.7,
            9.3,
            "So when I came to number nine,\nI knocked. I am polite that way.",
            "Als ich also vor der Neun stand,\nklopfte ich. So höflich bin ich.",
        ),
        (
            9.7,
            12.7,
            "[horn holds a low note]\nIt is a long way down, they say. They were right.",
            "[tiefer, langer Hornton]\nEs geht weit hinunter, heißt es. Es stimmt.",
        ),
    ),
)
