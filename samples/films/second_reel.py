"""The Second Reel: a title sequence. Type and shapes in three flat colors, cut hard and fast."""

import itertools

import numpy as np
from PIL import Image, ImageDraw

from samples import paint, synth
from samples.captions import cues
from samples.film import Draw, Recipe, Shot, Sound

WIDTH, HEIGHT = SIZE = (1280, 720)
RED, CREAM, INK = (222, 42, 30), (250, 232, 204), (22, 18, 20)


def _stamp_in_place(
    picture: Image.Image, mask: Image.Image, color: paint.Rgb, x: float, y: float
) -> None:
    """A mask in one color, centered at (x, y)."""
    picture.paste(color, (round(x) - mask.width // 2, round(y) - mask.height // 2), mask)


def _leader(rng: paint.Random) -> Draw:
    """The countdown at the head of a reel, with its sweeping hand."""
    digits = [paint.lettering(digit, 360, 10) for digit in "32"]

    def draw(t: float) -> Image.Image:
        part, number = t % 0.8 / 0.8, int(t / 0.8) % 2
        picture = Image.new("RGB", SIZE, CREAM)
        pen = ImageDraw.Draw(picture)
        pen.pieslice((-300, -580, 1580, 1300), -90, -90 + 360 * part, fill=(232, 204, 166))
        pen.line((640, 0, 640, 720), fill=INK, width=4)
        pen.line((0, 360, 1280, 360), fill=INK, width=4)
        for radius in (318, 268):
            pen.ellipse(
                (640 - radius, 360 - radius, 640 + radius, 360 + radius), outline=INK, width=9
            )
        _stamp_in_place(picture, digits[number], RED, 640, 360)
        return picture

    return draw


def _bars(rng: paint.Random) -> Draw:
    """Bars fall like blinds and leave the first words."""
    word = paint.lettering("A FILM", 250, 12, 14)
    under = paint.lettering("ABOUT THE CUT", 74, 3, 16)
    widths = np.cumsum([0, 150, 90, 220, 70, 180, 130, 110, 210, 120])

    def draw(t: float) -> Image.Image:
        picture = Image.new("RGB", SIZE, RED)
        pen = ImageDraw.Draw(picture)
        _stamp_in_place(picture, word, CREAM, 640, 300)
        _stamp_in_place(picture, under, INK, 640, 486)
        for number, (left, right) in enumerate(itertools.pairwise(widths)):
            drop = 720 * paint.smooth(t, 0.05 * number, 0.5 + 0.05 * number)
            top, bottom = (drop, 720.0) if number % 2 else (0.0, 719 - drop)
            if top < bottom:
                pen.rectangle((left, top, right, bottom), fill=INK)
        return picture

    return draw


def _marching(rng: paint.Random) -> Draw:
    """One word in rows that run against each other."""
    rows = [Image.new("L", (3000, 190)) for _ in range(4)]
    mask = paint.lettering("FRAME", 180, 8, 10)
    for row in rows:
        for x in range(0, 3000, 750):
            row.paste(mask, (x + 20, (190 - mask.height) // 2))

    def draw(t: float) -> Image.Image:
        picture = Image.new("RGB", SIZE, INK)
        for number, row in enumerate(rows):
            way = 1 if number % 2 else -1
            band = paint.scrolled(row, 700 + way * (150 + 760 * t * t), WIDTH)
            color = (RED, CREAM, (244, 162, 40), CREAM)[number]
            picture.paste(color, (0, 180 * number - 5), band)
        return picture

    return draw


def _eye(rng: paint.Random) -> Draw:
    """A spiral turns in an eye that follows a passing ball."""
    word = paint.lettering("LOOK", 130, 6, 40)

    def draw(t: float) -> Image.Image:
        picture = Image.new("RGB", SIZE, (244, 162, 40))
        pen = ImageDraw.Draw(picture)
        look = np.sin(2.6 * t - 1)
        pen.polygon(
            [
                (90, 330),
                (330, 120),
                (640, 60),
                (950, 120),
                (1190, 330),
                (950, 540),
                (640, 600),
                (330, 540),
            ],
            fill=CREAM,
        )
        x, y = 640 + 170 * look, 330
        for ring, radius in enumerate(range(240, 30, -30)):
            wobble = 14 * np.sin(4 * t + ring)
            color = (INK, RED)[ring % 2]
            pen.ellipse(
                (x - radius + wobble, y - radius, x + radius + wobble, y + radius), fill=color
            )
        pen.ellipse((x - 40, y - 110, x + 20, y - 50), fill=CREAM)
        for number in range(9):
            turn = -np.pi * (0.12 + 0.095 * number)
            long = 90 + 26 * np.sin(5 * t + number)
            pen.line(
                (
                    640 + 600 * np.cos(turn),
                    330 + 300 * np.sin(turn),
                    640 + (600 + long) * np.cos(turn),
                    330 + (300 + long) * np.sin(turn),
                ),
                fill=INK,
                width=18,
            )
        _stamp_in_place(picture, word, INK, 640, 650)
        return picture

    return draw


def _scissors(rng: paint.Random) -> Draw:
    """A strip of film is cut; its halves part, and the word with them."""
    strip = Image.new("RGB", (1500, 260), INK)
    pen = ImageDraw.Draw(strip)
    for x in range(10, 1500, 60):
        for y in (16, 214):
            pen.rounded_rectangle((x, y, x + 34, y + 30), 7, fill=CREAM)
    for number, x in enumerate(range(6, 1500, 250)):
        pen.rectangle((x, 62, x + 238, 198), fill=(RED, (244, 162, 40))[number % 2])
        pen.ellipse((x + 30 + 34 * number, 80, x + 100 + 34 * number, 150), fill=CREAM)
        pen.rectangle((x, 170, x + 238, 198), fill=(120, 20, 24))
    word = paint.lettering("CUT", 330, 16, 20)
    top, bottom = (
        word.crop((0, 0, word.width, word.height // 2)),
        word.crop((0, word.height // 2, *word.size)),
    )

    def draw(t: float) -> Image.Image:
        picture = Image.new("RGB", SIZE, CREAM)
        apart = 150 * paint.smooth(t, 0.5, 0.75)
        left = strip.crop((0, 0, 750, 260)).rotate(
            apart / 14, paint.BILINEAR, expand=True, fillcolor=CREAM
        )
        right = strip.crop((750, 0, 1500, 260)).rotate(
            -apart / 14, paint.BILINEAR, expand=True, fillcolor=CREAM
        )
        picture.paste(left, (round(-112 - apart * 0.5), round(20 - apart * 0.1)))
        picture.paste(right, (round(638 + apart * 0.5), round(20 - apart * 0.1)))
        slide = apart * 0.3
        _stamp_in_place(picture, top, INK, 640 - slide, 520 - top.height / 2)
        _stamp_in_place(picture, bottom, RED, 640 + slide, 520 + bottom.height / 2)
        return picture

    return draw


def _stairs(rng: paint.Random) -> Draw:
    """A figure runs up stairs made of bars."""
    word = paint.lettering("RUN", 210, 10, 10)

    def draw(t: float) -> Image.Image:
        picture = Image.new("RGB", SIZE, INK)
        pen = ImageDraw.Draw(picture)
        pen.ellipse((760, 40, 1180, 460), fill=RED)
        shift = 420 * t
        for number in range(-1, 20):
            x = number * 120 - shift % 120
            y = 640 - (x / 120) * 46
            pen.rectangle((x, min(y, 720), x + 108, 720), fill=CREAM)
        stride = 12 * t
        x, y = 560, 330 - 10 * abs(np.sin(stride))
        body = (244, 162, 40)
        pen.ellipse((x - 2, y - 116, x + 56, y - 58), fill=body)
        pen.line((x + 16, y - 50, x - 10, y + 30), fill=body, width=44)
        for side in (0.0, np.pi):
            swing = np.sin(stride + side)
            knee = (x + 44 * swing, y + 66)
            pen.line(
                ((x - 10, y + 26), knee, (knee[0] - 34 + 20 * swing, y + 112 - 18 * max(0, swing))),
                fill=body,
                width=24,
                joint="curve",
            )
            hand = (x - 44 * swing, y + 6)
            pen.line(
                ((x + 12, y - 44), hand, (hand[0] + 34, hand[1] - 12)),
                fill=body,
                width=18,
                joint="curve",
            )
        _stamp_in_place(picture, word, CREAM, 250, 170)
        return picture

    return draw


def _zoom(rng: paint.Random) -> Draw:
    """Fly through a letter into the next color."""
    mask = paint.lettering("O", 600, 30)

    def draw(t: float) -> Image.Image:
        colors = (RED, CREAM, INK, (244, 162, 40))
        picture = Image.new("RGB", SIZE, colors[0])
        for ring in range(6, -1, -1):
            scale = 2.0 ** (ring - 3 + 2.4 * t) / 3
            wide, tall = mask.width * scale, mask.height * scale
            if 8 < wide < 12000:
                pen = ImageDraw.Draw(picture)
                pen.ellipse(
                    (640 - wide / 2, 360 - tall / 2, 640 + wide / 2, 360 + tall / 2),
                    fill=colors[(ring + 1) % 4],
                )
        return picture

    return draw


def _title(rng: paint.Random) -> Draw:
    lines = [paint.lettering("THE SECOND", 106, 5, 6), paint.lettering("REEL", 250, 13, 8)]
    credit = paint.lettering("drawn by arithmetic", 44, 1, 6)

    def draw(t: float) -> Image.Image:
        picture = Image.new("RGB", SIZE, RED)
        pen = ImageDraw.Draw(picture)
        turn = 0.9 * t
        pen.ellipse((800, 60, 1400, 660), fill=INK)
        for hole in range(5):
            angle = turn + hole * 2 * np.pi / 5
            x, y = 1100 + 180 * np.cos(angle), 360 + 180 * np.sin(angle)
            pen.ellipse((x - 78, y - 78, x + 78, y + 78), fill=RED)
        pen.ellipse((1064, 324, 1136, 396), fill=CREAM)
        slide = 1 - paint.smooth(t, 0.0, 0.5)
        _stamp_in_place(picture, lines[0], CREAM, 430 - 900 * slide, 236)
        _stamp_in_place(picture, lines[1], INK, 430, 408 + 600 * slide)
        if t > 0.9:
            _stamp_in_place(picture, credit, CREAM, 430, 570)
        if t > 1.2:
            pen.ellipse((1190, 30, 1250, 90), fill=CREAM)
        return picture

    return draw


def _score(rng: np.random.Generator, duration_s: float) -> Sound:
    """A small jazz combo: walking bass, brushes, brass stabs on the cuts."""
    track = synth.silence(duration_s)
    beat = 0.4
    walk = (40, 43, 45, 46, 47, 46, 45, 43, 45, 48, 50, 51, 52, 50, 48, 47)
    brush = synth.fading(synth.hiss(rng, 0.2, 3000, 12000), lambda t: np.exp(-26 * t))
    tap = synth.fading(synth.hiss(rng, 0.08, 5000, 14000), lambda t: np.exp(-60 * t))
    for step in range(4, int(duration_s / beat)):
        at = step * beat
        synth.mix_in(track, synth.pluck(walk[step % 16], 0.5, 2.0), at, 0.8, -0.1)
        synth.mix_in(track, tap, at, 0.22, 0.4)
        synth.mix_in(track, tap, at + beat * 2 / 3, 0.14, 0.4)
        if step % 2:
            synth.mix_in(track, brush, at, 0.4, 0.3)
        if step % 4 == 0:
            synth.mix_in(track, synth.thump(), at, 0.7)
    for at in (1.6, 3.2, 4.4, 6.0, 7.6, 9.2, 10.4):
        for note, pan in ((64, -0.5), (67, 0.1), (70, 0.5), (74, 0.0)):
            synth.mix_in(track, synth.pad(note, 0.34, 8, 0.02), at, 0.3, pan)
    for at in (0.0, 0.8):
        synth.mix_in(track, synth.pluck(81, 0.25, 1.0), at, 0.5)
    return synth.mastered(synth.hall(rng, track, 0.8, 0.15), 0.9)


RECIPE = Recipe(
    slug="second-reel",
    name="The Second Reel",
    synopsis="A title sequence with no film behind it. It runs upstairs and never explains.",
    container="mp4",
    frame_rate=25,
    size=SIZE,
    shots=(
        Shot(1.6, _leader),
        Shot(1.6, _bars),
        Shot(1.2, _marching),
        Shot(1.6, _eye),
        Shot(1.6, _scissors),
        Shot(1.6, _stairs),
        Shot(1.2, _zoom),
        Shot(2.6, _title),
    ),
    score=_score,
    caption_format="vtt",
    cues=cues(
        ("en", "es"),
        (0.1, 1.5, "[projector whirs] Three. Two.", "[zumbido del proyector] Tres. Dos."),
        (1.7, 3.1, "This is a film about the cut.", "Esta es una película sobre el corte."),
        (
            3.3,
            5.9,
            "[brass stabs] Look closely:\nbetween two frames there is nothing.",
            "[golpes de metal] Mira bien:\nentre dos fotogramas no hay nada.",
        ),
        (
            6.2,
            9.0,
            "And in that nothing,\nsomebody ran up the stairs.",
            "Y en esa nada,\nalguien subió corriendo la escalera.",
        ),
        (
            10.6,
            12.8,
            "When you see the dot, change the reel.",
            "Cuando veas el punto, cambia el rollo.",
        ),
    ),
)
