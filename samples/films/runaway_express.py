"""Runaway Express: toys chase one another across a room. Stop motion on twos, fast, bright."""

import numpy as np
from PIL import Image, ImageDraw

from samples import paint, synth, toys
from samples.captions import cues
from samples.film import MASTER_SIZE, Draw, Recipe, Shot, Sound

WIDTH, HEIGHT = SIZE = MASTER_SIZE


def _rails(pen: ImageDraw.ImageDraw, y: float, shift: float) -> None:
    for x in np.arange(-(shift % 80), WIDTH, 80):
        pen.rounded_rectangle((x, y + 6, x + 44, y + 26), 5, fill=(150, 96, 60))
    pen.rectangle((0, y, WIDTH, y + 10), fill=(110, 112, 130))


def _chase(rng: paint.Random) -> Draw:
    room = toys.room(rng, (255, 214, 120), (206, 140, 84))

    def draw(t: float) -> Image.Image:
        run = 900 * t
        picture = paint.scrolled(room, run, WIDTH)
        pen = ImageDraw.Draw(picture)
        _rails(pen, 590, run * 1.4)
        x = 1010 + 60 * np.sin(1.3 * t)
        toys.puffs(pen, x + 76, 350, t)
        toys.train(pen, x, 590, 11 * t, rng)
        hop = abs(np.sin(5 * t))
        toys.ball(pen, 90 + 24 * t, 560 - 240 * hop, 96, 7 * t, 0.16 * (hop < 0.2))
        return picture

    return draw


def _face_on(rng: paint.Random) -> Draw:
    """The ball comes at the camera."""
    colors = ((20, 150, 170), (26, 168, 186))

    def draw(t: float) -> Image.Image:
        picture = Image.new("RGB", SIZE, colors[0])
        pen = ImageDraw.Draw(picture)
        for ray in range(0, 24, 2):
            a, b = (ray + 2 * t) * np.pi / 12, (ray + 1 + 2 * t) * np.pi / 12
            pen.polygon(
                [
                    (640, 330),
                    (640 + 900 * np.cos(a), 330 + 900 * np.sin(a)),
                    (640 + 900 * np.cos(b), 330 + 900 * np.sin(b)),
                ],
                fill=colors[1],
            )
        pen.polygon([(600, 330), (680, 330), (1500, 720), (-220, 720)], fill=(206, 140, 84))
        for step in range(9):
            near = ((step + 5 * t) % 9 / 9) ** 2.4
            pen.rectangle(
                (640 - 60 - 560 * near, 336 + 384 * near, 640 + 60 + 560 * near, 344 + 410 * near),
                fill=(150, 96, 60),
            )
        for side in (-1, 1):
            pen.polygon(
                [
                    (640 + side * 24, 330),
                    (640 + side * 30, 330),
                    (640 + side * 470, 720),
                    (640 + side * 400, 720),
                ],
                fill=(110, 112, 130),
            )
        near = (t / 1.76) ** 2.2
        hop = abs(np.sin(6 * t))
        toys.ball(
            pen,
            640 + rng.uniform(-4, 4),
            360 + 60 * near - 120 * hop * (1 - near),
            50 + 420 * near,
            0.5 * np.sin(5 * t),
            0.0,
        )
        return picture

    return draw


def _bridge(rng: paint.Random) -> Draw:
    """Over a gap between two piles of books."""
    sky = paint.gradient(SIZE, [(0, (96, 60, 150)), (0.7, (240, 130, 150)), (1, (255, 190, 140))])
    pen = ImageDraw.Draw(sky)
    pen.ellipse((140, 90, 320, 270), fill=(255, 236, 170))
    for side in (0, 1):
        top = 420
        while top < HEIGHT:
            tall, inset = int(rng.integers(46, 80)), int(rng.integers(0, 60))
            color = toys.COLORS[int(rng.integers(4))]
            box = (
                (-40, top, 380 - inset, top + tall)
                if side == 0
                else (900 + inset, top, 1320, top + tall)
            )
            pen.rounded_rectangle(box, 10, fill=color)
            for line in range(3):
                pen.line(
                    (box[0], top + 14 + 12 * line, box[2] - 10, top + 14 + 12 * line),
                    fill=paint.mix(color, toys.WHITE, 0.3),
                    width=4,
                )
            top += tall + 4
    pen.rounded_rectangle((280, 404, 1000, 428), 8, fill=(240, 200, 130))
    for x in range(300, 1000, 34):
        pen.line((x, 408, x, 408 + (18 if x % 170 else 24)), fill=toys.INK, width=3)

    def draw(t: float) -> Image.Image:
        picture = sky.copy()
        pen = ImageDraw.Draw(picture)
        pen.rectangle((0, 400, WIDTH, 410), fill=(110, 112, 130))
        x = 300 + 720 * t
        toys.puffs(pen, x + 76, 160, t)
        toys.train(pen, x, 400, 12 * t, rng)
        hop = abs(np.sin(4.6 * t))
        toys.ball(pen, x - 1080 + 60 * t, 320 - 150 * hop, 84, 8 * t)
        return picture

    return draw


def _tunnel(rng: paint.Random) -> Draw:
    """Out of the dark under a chair, head lamp first."""
    beam = Image.new("L", SIZE)
    ImageDraw.Draw(beam).polygon([(660, 470), (1400, 210), (1400, 700)], fill=150)
    dark = (22, 16, 44)

    def draw(t: float) -> Image.Image:
        picture = Image.new("RGB", SIZE, dark)
        pen = ImageDraw.Draw(picture)
        for x in range(-200, 1500, 300):
            left = x - (500 * t) % 300
            pen.rectangle((left, 0, left + 70, 580), fill=(36, 26, 66))
            pen.rectangle((left + 12, 0, left + 26, 580), fill=(48, 36, 84))
        pen.rectangle((0, 580, WIDTH, HEIGHT), fill=(34, 22, 50))
        picture.paste((255, 236, 150), (round(90 * t), 0), beam)
        _rails(pen, 580, 1100 * t)
        head = 520 + 90 * t
        toys.train(pen, head, 580 + rng.uniform(-2, 2), 12 * t, rng)
        for number in range(8):
            blink = 0 if (t * 3 + number) % 4 < 0.3 else 1
            ex, ey = 90 + number * 157 - 120 * t, 150 + 90 * np.sin(number * 2.3)
            for side in (-16, 16):
                pen.ellipse(
                    (ex + side - 11, ey - 11 * blink, ex + side + 11, ey + 11 * blink),
                    fill=toys.YELLOW,
                )
                pen.ellipse(
                    (ex + side, ey - 6 * blink, ex + side + 9, ey + 6 * blink), fill=toys.INK
                )
        return picture

    return draw


def _crash(rng: paint.Random) -> Draw:
    """Into the tower of blocks; everything flies, and the engine sits on the ball."""
    room = toys.room(rng, (140, 214, 190), (214, 152, 96))
    blocks = []
    for row in range(6):
        for column in range(4):
            color = toys.COLORS[(row + column) % 4]
            block = Image.new("RGBA", (84, 84))
            ImageDraw.Draw(block).rounded_rectangle((2, 2, 82, 82), 12, fill=color)
            letter = paint.lettering("CUEMARKFILM"[(row * 4 + column) % 11], 52, 3)
            block.paste(toys.WHITE, ((84 - letter.width) // 2, (84 - letter.height) // 2), letter)
            speed = (
                float(rng.uniform(80, 620)),
                float(rng.uniform(-760, -160)),
                float(rng.uniform(-400, 400)),
            )
            blocks.append((block, 800 + 84 * column, 506 - 84 * row, speed))

    def draw(t: float) -> Image.Image:
        picture = room.crop((500, 0, 500 + WIDTH, HEIGHT))
        pen = ImageDraw.Draw(picture)
        _rails(pen, 590, 0)
        hit = 0.6
        x = min(690.0, 100 + 980 * t)
        flown = max(0.0, t - hit)
        if flown:
            hop = abs(np.sin(4 * flown)) * np.exp(-1.2 * flown)
            toys.ball(pen, 660, 500 - 150 * hop, 92, 2 * flown)
            toys.train(pen, x - 330, 590, 11 * hit, rng)
        else:
            toys.train(pen, x, 590, 11 * t, rng)
            toys.ball(pen, x - 250, 300 + 30 * np.sin(9 * t), 92, 6 * t)
        for block, left, top, (dx, dy, spin) in blocks:
            y = min(560.0, top + dy * flown + 900 * flown * flown)
            turned = block.rotate(spin * min(flown, 0.9), paint.BILINEAR) if flown else block
            picture.paste(turned, (round(left + dx * min(flown, 1.0)), round(y)), turned)
        if 0 < flown < 0.3:
            turns = np.arange(24) * np.pi / 12
            star = [
                (
                    780 + (300 if i % 2 else 150) * np.cos(a),
                    400 + (240 if i % 2 else 120) * np.sin(a),
                )
                for i, a in enumerate(turns)
            ]
            pen.polygon(star, fill=toys.YELLOW, outline=toys.RED, width=12)
            word = paint.lettering("CRASH", 110, 8)
            picture.paste(toys.RED, (780 - word.width // 2, 400 - word.height // 2), word)
        return picture

    return draw


def _score(rng: np.random.Generator, duration_s: float) -> Sound:
    """A galop on a toy piano, wheels, a whistle, a crash."""
    track = synth.silence(duration_s)
    beat = 0.16
    tune = (72, 76, 79, 76, 74, 77, 81, 77, 76, 79, 84, 79, 77, 74, 71, 67)
    bass = (48, 55, 48, 55, 50, 57, 43, 55)
    click = synth.fading(synth.hiss(rng, 0.06, 1500, 9000), lambda t: np.exp(-70 * t))
    crash_at = duration_s - 2.6
    for step in range(int(crash_at / beat)):
        at, lift = step * beat, 2 * (step // 32)
        synth.mix_in(track, synth.pluck(tune[step % 16] + lift, 0.5, 4.0), at, 0.5, 0.25)
        if step % 2 == 0:
            synth.mix_in(track, synth.pluck(bass[step // 2 % 8] + lift, 0.4, 2.0), at, 0.6, -0.3)
            synth.mix_in(track, synth.thump(0.15), at, 0.5)
        synth.mix_in(track, click, at, 0.4 if step % 4 else 0.8, -0.4)
    for at in (0.6, 5.4):
        for note in (77, 80, 84):
            synth.mix_in(track, synth.pad(note, 0.7, 3, 0.05), at, 0.4, 0.5)
    boom = synth.fading(synth.hiss(rng, 1.6, 60, 6000), lambda t: np.exp(-3.5 * t))
    synth.mix_in(track, boom, crash_at, 1.6)
    for number in range(14):
        synth.mix_in(
            track,
            synth.pluck(int(rng.integers(70, 96)), 0.3, 3.0),
            crash_at + 0.1 + 0.09 * number,
            0.4,
            float(rng.uniform(-1, 1)),
        )
    return synth.mastered(synth.hall(rng, track, 0.6, 0.12), 0.95)


RECIPE = Recipe(
    slug="runaway-express",
    name="Runaway Express",
    synopsis="The four o'clock to the bookshelf has no brakes, and the ball has a grudge.",
    container="mp4",
    frame_rate=25,
    size=SIZE,
    repeat=2,
    shots=(
        Shot(3.2, _chase),
        Shot(1.76, _face_on),
        Shot(2.4, _bridge),
        Shot(2.4, _tunnel),
        Shot(3.2, _crash),
    ),
    score=_score,
    caption_format="srt",
    cues=cues(
        ("en", "es"),
        (
            0.3,
            3.0,
            "[whistle] The four o'clock to the bookshelf\nwas early. There was a reason.",
            "[silbato] El tren de las cuatro al estante\niba adelantado. Había un motivo.",
        ),
        (3.3, 4.9, "The reason was round.", "El motivo era redondo."),
        (5.1, 7.2, "Do not look down. Do not look back.", "No mires abajo. No mires atrás."),
        (
            7.5,
            9.6,
            "Under the chair lives somebody.\nNobody has ever asked who.",
            "Bajo la silla vive alguien.\nNadie ha preguntado nunca quién.",
        ),
        (
            10.4,
            12.8,
            "[crash] And so they arrived,\nboth at once, and became friends.",
            "[choque] Y así llegaron,\nlos dos a la vez, y se hicieron amigos.",
        ),
    ),
)
