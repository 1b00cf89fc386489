"""Neon Tide: a night city in the rain. Dark, with parallax, bright signs and reflections."""

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from samples import paint, synth
from samples.captions import cues
from samples.film import Draw, Recipe, Shot, Sound

WIDTH, HEIGHT = SIZE = (640, 360)
STREET = 268
SIGNS: tuple[paint.Rgb, ...] = (
    (255, 40, 120),
    (30, 230, 255),
    (255, 150, 30),
    (150, 80, 255),
    (60, 255, 160),
)
Light = tuple[Image.Image, Image.Image, Image.Image]


def _towers(rng: paint.Random, width: int, tallest: int, body: paint.Rgb, signs: int) -> Light:
    """A row of towers that tiles sideways: its picture, its mask, and the light of its signs."""
    picture = Image.new("RGB", (width, HEIGHT), body)
    mask = Image.new("L", (width, HEIGHT))
    lights = Image.new("RGB", (width, HEIGHT))
    pen, cut, lamp = ImageDraw.Draw(picture), ImageDraw.Draw(mask), ImageDraw.Draw(lights)
    x, tops = 0, []
    while x < width:
        broad = min(int(rng.integers(26, 64)), width - x)
        top = HEIGHT - 70 - int(tallest * rng.uniform(0.35, 1.0))
        cut.rectangle((x, top, x + broad, HEIGHT), fill=255)
        if rng.random() < 0.4:
            cut.line((x + broad // 2, top - 22, x + broad // 2, top), fill=255)
            lamp.point((x + broad // 2, top - 22), fill=(255, 60, 60))
        pen.line((x, top, x, HEIGHT), fill=paint.mix(body, (120, 150, 220), 0.25))
        warm = SIGNS[int(rng.integers(len(SIGNS)))] if rng.random() < 0.3 else (255, 214, 150)
        for row in range(top + 6, HEIGHT, 7):
            for column in range(x + 4, x + broad - 4, 6):
                if rng.random() < 0.3:
                    glow = paint.mix(body, warm, float(rng.uniform(0.25, 0.85)))
                    pen.rectangle((column, row, column + 2, row + 3), fill=glow)
        tops.append((x, top, broad))
        x += broad
    for _ in range(signs):
        left, top, broad = tops[int(rng.integers(len(tops)))]
        _sign(rng, lamp, left + int(rng.integers(2, max(3, broad - 14))), top + 14)
    return picture, mask, ImageChops.add(paint.bloom(lights, 18, 1.7), lights)


def _sign(rng: paint.Random, lamp: ImageDraw.ImageDraw, x: int, y: int) -> None:
    color = SIGNS[int(rng.integers(len(SIGNS)))]
    count, cell = int(rng.integers(3, 7)), int(rng.integers(9, 14))
    lamp.rectangle((x - 2, y - 3, x + cell + 1, y + count * (cell + 2) + 1), outline=color)
    for row in range(count):
        top = y + row * (cell + 2)
        for _ in range(3):
            if rng.random() < 0.5:
                across = top + int(rng.integers(1, cell - 1))
                lamp.line((x + 1, across, x + cell - 2, across), fill=color, width=2)
            else:
                down = x + int(rng.integers(1, cell - 1))
                lamp.line((down, top + 1, down, top + cell - 2), fill=color, width=2)


def _rain(rng: paint.Random, drops: int, length: int, light: int) -> Image.Image:
    """A sheet of rain that tiles downwards, twice the height of the picture."""
    sheet = Image.new("L", (WIDTH, 2 * HEIGHT))
    pen = ImageDraw.Draw(sheet)
    for x, y, shade in zip(
        rng.integers(-20, WIDTH, drops),
        rng.integers(0, HEIGHT, drops),
        rng.integers(light // 3, light, drops),
        strict=True,
    ):
        for top in (y - HEIGHT, y, y + HEIGHT):
            pen.line((x + length // 5, top, x, top + length), fill=int(shade))
    return paint.tint(sheet, (190, 215, 255))


def _rain_in_place(picture: Image.Image, sheet: Image.Image, t: float, speed: float) -> None:
    y = HEIGHT - round(t * speed) % HEIGHT
    picture.paste(ImageChops.add(picture, sheet.crop((0, y, WIDTH, y + HEIGHT))), (0, 0))


def _reflect_in_place(picture: Image.Image, t: float) -> None:
    """Below the street line: what stands above it, upside down, smeared by wet asphalt."""
    depth = HEIGHT - STREET
    above = picture.crop((0, STREET - 2 * depth, WIDTH, STREET))
    smeared = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((160, 10), paint.BILINEAR)
    wet = paint.dimmed(smeared.resize((WIDTH, depth), paint.BILINEAR), 0.75)
    for y in range(0, depth, 4):
        shift = round(3 * np.sin(y * 0.9 + t * 7) * y / depth)
        picture.paste(wet.crop((0, y, WIDTH, y + 4)), (shift, STREET + y))


def _skyline(rng: paint.Random) -> Draw:
    sky = paint.gradient(
        SIZE, [(0, (6, 4, 26)), (0.45, (40, 10, 72)), (0.74, (196, 40, 120)), (1, (40, 8, 50))]
    )
    moon = paint.spark(96, (255, 120, 150), 0.16)
    paint.add_in_place(sky, paint.dimmed(moon, 0.8), 430, 130)
    paint.add_in_place(sky, paint.spark(230, (120, 20, 90), 1.6), 430, 130)
    pen = ImageDraw.Draw(sky)
    for gap, y in enumerate(range(140, 226, 11)):
        pen.rectangle((320, y, 540, y + gap // 2), fill=(150, 30, 104))
    layers = [
        (_towers(rng, 900, 150, (44, 16, 74), 4), 16.0),
        (_towers(rng, 1000, 205, (20, 9, 44), 10), 42.0),
        (_towers(rng, 1300, 150, (8, 5, 20), 14), 104.0),
    ]
    far, near = _rain(rng, 260, 16, 70), _rain(rng, 90, 34, 110)

    def draw(t: float) -> Image.Image:
        picture = sky.copy()
        for (towers, mask, lights), speed in layers:
            x = 60 + t * speed
            picture.paste(paint.scrolled(towers, x, WIDTH), (0, 0), paint.scrolled(mask, x, WIDTH))
            picture = ImageChops.add(picture, paint.scrolled(lights, x, WIDTH))
        _reflect_in_place(picture, t)
        _rain_in_place(picture, far, t, 420)
        _rain_in_place(picture, near, t, 900)
        return picture

    return draw


def _walker(step: float, tall: int) -> Image.Image:
    """A mask of somebody under an umbrella, in mid stride."""
    mask = Image.new("L", (tall, round(tall * 1.35)))
    pen = ImageDraw.Draw(mask)
    middle, scale = tall / 2, tall / 100
    pen.pieslice((4 * scale, 2, tall - 4 * scale, 70 * scale), 180, 360, fill=255)
    pen.line((middle, 34 * scale, middle, 80 * scale), fill=255, width=max(1, round(2 * scale)))
    pen.ellipse((middle - 9 * scale, 36 * scale, middle + 9 * scale, 56 * scale), fill=255)
    coat = [(-13, 56), (13, 56), (20, 108), (-20, 108)]
    pen.polygon([(middle + x * scale, y * scale) for x, y in coat], fill=255)
    for side in (-1, 1):
        foot = middle + side * 12 * scale * np.sin(step)
        lift = 4 * scale * max(0.0, side * np.cos(step))
        pen.line(
            (middle + side * 5 * scale, 104 * scale, foot + side * 3 * scale, 132 * scale - lift),
            fill=255,
            width=round(9 * scale),
        )
    return mask


CANYON = (800, 450)
CANYON_CENTER, CANYON_HORIZON = 400, 190


def _canyon(rng: paint.Random) -> Image.Image:
    """A street between towers that runs to the horizon, doubled in its wet asphalt."""
    (wide, tall), center, horizon = CANYON, CANYON_CENTER, CANYON_HORIZON
    scene = paint.gradient(
        CANYON, [(0, (4, 4, 20)), (0.4, (30, 60, 110)), (0.46, (90, 190, 220)), (1, (4, 6, 16))]
    )
    lights = Image.new("RGB", (wide, tall))
    pen, lamp = ImageDraw.Draw(scene), ImageDraw.Draw(lights)
    for depth in np.geomspace(14.0, 1.0, 16):
        for side in (-1, 1):
            near, far = 430 / depth, 430 / (depth * 1.19)
            top = horizon - rng.uniform(500, 900) / depth
            ground = horizon + 230 / depth
            wall = paint.mix(
                (16, 44, 80), (6, 5, 18), float(1 - 1 / depth**0.2) * 0.4 + 0.6 / depth
            )
            corner = [(center + side * near, top), (center + side * far, top + 20 / depth)]
            foot = [(center + side * far, horizon + 193 / depth), (center + side * near, ground)]
            pen.polygon([*corner, *foot], fill=wall)
            for _ in range(10):
                x = center + side * rng.uniform(far, near)
                y = rng.uniform(top, ground - 60 / depth)
                size = 7 / depth
                glow = paint.mix(wall, (255, 210, 140), float(rng.uniform(0.2, 0.7)))
                pen.rectangle((x - size, y - size, x + size, y + size), fill=glow)
            for _ in range(2):
                color = SIGNS[int(rng.integers(len(SIGNS)))]
                x = center + side * far * rng.uniform(0.80, 0.98)
                y = horizon + rng.uniform(-330, 60) / depth
                half, drop = 17 / depth, rng.uniform(70, 150) / depth
                lamp.rectangle(
                    (x - half, y, x + half, y + drop), outline=color, width=max(1, int(5 / depth))
                )
                for bar in np.arange(y + drop * 0.15, y + drop * 0.9, max(2.0, 15 / depth)):
                    lamp.line(
                        (x - half / 2, bar, x + half / 2, bar),
                        fill=color,
                        width=max(1, int(6 / depth)),
                    )
    scene = ImageChops.add(scene, ImageChops.add(lights, paint.bloom(lights, 24, 2.2)))
    floor = horizon + 26
    above = scene.crop((0, max(0, 2 * floor - tall), wide, floor))
    smeared = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((200, 26), paint.BILINEAR)
    mirrored = smeared.resize((wide, tall - floor), paint.BILINEAR)
    road = Image.new("L", (wide, tall))
    ImageDraw.Draw(road).polygon(
        [(center - 40, floor), (center + 40, floor), (wide + 60, tall), (-60, tall)], fill=235
    )
    wet = Image.new("RGB", (wide, tall))
    wet.paste(mirrored, (0, floor))
    scene.paste(wet, (0, 0), road.filter(ImageFilter.GaussianBlur(3)))
    return scene


def _street(rng: paint.Random) -> Draw:
    """Somebody under an umbrella walks away between the signs; cars come by."""
    (wide, tall), center, horizon = CANYON, CANYON_CENTER, CANYON_HORIZON
    scene = _canyon(rng)
    far, near = _rain(rng, 320, 20, 80), _rain(rng, 110, 44, 120)
    dark = Image.new("RGB", (400, 400), (3, 4, 12))
    head = paint.spark(26, (255, 240, 210), 2.2)

    def draw(t: float) -> Image.Image:
        push = 1 + 0.07 * t
        half_w, half_h = wide / 2 / push / 1.05, tall / 2 / push / 1.05
        box = (center - half_w, horizon + 25 - half_h, center + half_w, horizon + 25 + half_h)
        picture = scene.resize(SIZE, paint.BILINEAR, box=(box[0], max(0, box[1]), box[2], box[3]))
        for lag in (0.0, 1.1, 2.2):
            way = max(0.05, (t + 0.4 - lag) / 1.7) ** 2.4
            for side in (0.55, 1.0):
                paint.add_in_place(picture, head, 334 + 160 * way * side, 172 + 90 * way)
        _rain_in_place(picture, far, t, 460)
        walker = _walker(t * 6.5, round(112 + 9 * t))
        x = 320 - walker.width // 2 - round(8 * t)
        y = 322 - walker.height + round(2 * np.sin(t * 13))
        upside = paint.dimmed(walker.transpose(Image.Transpose.FLIP_TOP_BOTTOM), 0.55)
        picture.paste(dark.crop((0, 0, *walker.size)), (x, y + walker.height - 4), upside)
        picture.paste(dark.crop((0, 0, *walker.size)), (x, y), walker)
        _rain_in_place(picture, near, t, 1000)
        return picture

    return draw


def _window(rng: paint.Random) -> Draw:
    """Through a wet pane: the city out of focus, a sign that cannot decide, drops that run."""
    depths = []
    for count, radius in ((46, 26), (26, 44)):
        sheet = Image.new("RGB", (900, HEIGHT), (0, 0, 0))
        for _ in range(count):
            disc = paint.spark(
                int(radius * rng.uniform(0.6, 1.1)), SIGNS[int(rng.integers(5))], 0.22
            )
            light = paint.dimmed(disc, float(rng.uniform(0.12, 0.5)))
            paint.add_in_place(
                sheet, light, float(rng.uniform(30, 870)), float(rng.normal(200, 70))
            )
        depths.append(sheet)
    room = paint.gradient(SIZE, [(0, (6, 8, 34)), (0.7, (40, 16, 66)), (1, (10, 5, 22))])
    word = paint.lettering("OPEN LATE", 62, 2, 5)
    sign = Image.new("RGB", SIZE)
    sign.paste((255, 50, 110), (56, 70), word)
    hollow = word.filter(ImageFilter.MinFilter(5))
    sign.paste((255, 205, 220), (56, 70), hollow)
    ImageDraw.Draw(sign).line((58, 134, 56 + word.width, 134), fill=(40, 230, 255), width=4)
    glow = ImageChops.add(sign, paint.bloom(sign, 24, 1.8))
    drops = [
        (float(x), float(y), float(v))
        for x, y, v in zip(
            rng.uniform(0, WIDTH, 70),
            rng.uniform(-60, HEIGHT, 70),
            rng.choice([2, 4, 60, 150], 70),
            strict=True,
        )
    ]
    bead = paint.spark(5, (170, 190, 230), 0.8)

    def draw(t: float) -> Image.Image:
        picture = ImageChops.add(room, paint.scrolled(depths[0], 40 + 18 * t, WIDTH))
        picture = ImageChops.add(picture, paint.scrolled(depths[1], 300 + 46 * t, WIDTH))
        dim = 0.35 if 0.5 < t < 0.58 or 0.7 < t < 0.76 or 1.5 < t < 1.58 else 1.0
        picture = ImageChops.add(picture, glow if dim == 1.0 else paint.dimmed(glow, dim))
        pen = ImageDraw.Draw(picture)
        for x, y, speed in drops:
            at = (y + speed * t * (1.2 + np.sin(t * 5 + x))) % (HEIGHT + 40) - 20
            if speed > 10:
                pen.line((x, at - speed / 4, x, at), fill=(90, 84, 130), width=2)
            paint.add_in_place(picture, bead, x, at)
        return picture

    return draw


def _rooftop(rng: paint.Random) -> Draw:
    """A cat on a ledge above the traffic of the air."""
    sky = paint.gradient(SIZE, [(0, (2, 10, 30)), (0.6, (0, 70, 92)), (1, (10, 200, 190))])
    towers, mask, lights = _towers(rng, 1000, 190, (3, 30, 48), 12)
    sky.paste(towers, (0, 20), mask)
    sky = ImageChops.add(sky, lights.crop((0, -20, WIDTH, HEIGHT - 20)))
    ledge = Image.new("L", SIZE)
    pen = ImageDraw.Draw(ledge)
    pen.rectangle((0, 296, WIDTH, HEIGHT), fill=255)
    pen.rectangle((30, 230, 96, 300), fill=255)
    pen.line((62, 230, 62, 130), fill=255, width=3)
    for y in (142, 156, 170):
        pen.line((40, y, 84, y), fill=255, width=2)
    pen.ellipse((404, 216, 470, 306), fill=255)
    pen.ellipse((410, 176, 458, 222), fill=255)
    pen.polygon([(412, 192), (414, 162), (430, 180)], fill=255)
    pen.polygon([(456, 192), (454, 162), (438, 180)], fill=255)
    dark = Image.new("RGB", SIZE, (2, 5, 12))
    beams = [
        (
            paint.spark(15, color, 1.8),
            float(rng.uniform(40, 230)),
            float(rng.uniform(180, 460)) * way,
        )
        for color in SIGNS
        for way in (-1.0, 1.0)
    ]
    rain = _rain(rng, 220, 18, 80)
    eye = paint.spark(5, (210, 255, 90), 1.0)

    def draw(t: float) -> Image.Image:
        picture = sky.copy()
        for number, (beam, y, speed) in enumerate(beams):
            x = (number * 131 + speed * t) % (WIDTH + 200) - 100
            for trail in range(5):
                paint.add_in_place(
                    picture, beam, x - trail * speed * 0.025, y + 5 * np.sin(t + number)
                )
        picture.paste(dark, (0, 0), ledge)
        pen = ImageDraw.Draw(picture)
        sway = [
            (466 + 14 * s, 296 - 30 * s * (1 - s) + 12 * s * np.sin(3 * t + 2 * s) + 14 * s)
            for s in np.linspace(0, 3, 16)
        ]
        pen.line(sway, fill=(2, 5, 12), width=8, joint="curve")
        if not 1.2 < t < 1.32:
            paint.add_in_place(picture, eye, 426, 199)
            paint.add_in_place(picture, eye, 444, 199)
        _rain_in_place(picture, rain, t, 520)
        return picture

    return draw


def _score(rng: np.random.Generator, duration_s: float) -> Sound:
    track = synth.silence(duration_s)
    for at, chord in zip(
        np.arange(0, duration_s, 3.4),
        ((45, 52, 60, 64), (41, 48, 57, 64), (43, 50, 59, 62), (40, 47, 55, 62)) * 2,
        strict=False,
    ):
        for number, note in enumerate(chord):
            synth.mix_in(
                track, synth.pad(note, 4.2, 5), float(at), 0.22, (-0.6, 0.5, -0.2, 0.6)[number]
            )
    line = (69, 72, 76, 79, 76, 72, 71, 67)
    for step in range(int(duration_s / 0.425)):
        note = line[step % 8] + (12 if step % 16 == 13 else 0)
        synth.mix_in(track, synth.pluck(note, 0.7, 2.0), step * 0.425, 0.16, float(np.sin(step)))
        if step % 2 == 0:
            synth.mix_in(track, synth.thump(), step * 0.425, 0.5)
    track = synth.hall(rng, track, 1.6, 0.3)
    rain = synth.hiss(rng, duration_s, 900, 7000)
    synth.mix_in(track, rain, 0, 0.16, -0.5)
    synth.mix_in(track, rain[::-1].copy(), 0, 0.16, 0.5)
    return synth.mastered(track, 0.55)


RECIPE = Recipe(
    slug="neon-tide",
    name="Neon Tide",
    synopsis="One wet night in a city that sells light by the meter, and the cat that owns it.",
    container="mp4",
    frame_rate=24,
    size=SIZE,
    shots=(Shot(3.75, _skyline), Shot(3.5, _street), Shot(2.75, _window), Shot(3.0, _rooftop)),
    score=_score,
    caption_format="vtt",
    cues=cues(
        ("en", "de"),
        (
            0.4,
            3.4,
            "It had rained for nine days.\nNobody in the city had looked up once.",
            "Es regnete seit neun Tagen.\nNiemand in der Stadt hatte einmal aufgesehen.",
        ),
        (
            3.9,
            7.0,
            "I knew every sign on this street\nby the color it left in the puddles.",
            "Ich kannte jedes Schild in dieser Straße\nan seiner Farbe in den Pfützen.",
        ),
        (
            7.4,
            9.8,
            "[neon buzzing] Open late, it said.\nIt meant: always.",
            "[Neon summt] Lange geöffnet, stand da.\nGemeint war: immer.",
        ),
        (
            10.2,
            12.7,
            "The cat had seen it all.\nThe cat was not impressed.",
            "Die Katze hatte alles gesehen.\nDie Katze war nicht beeindruckt.",
        ),
    ),
)
