"""Dust of a Thousand Suns: particles and light in deep space. Dark, with fine grain."""

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from samples import paint, synth
from samples.captions import cues
from samples.film import Draw, Recipe, Shot, Sound

WIDTH, HEIGHT = SIZE = (640, 360)


def _palette(stops: tuple[tuple[float, paint.Rgb], ...]) -> list[int]:
    """A color for each of 256 strengths of light."""
    at = np.linspace(0, 1, 256)
    places = [place for place, _ in stops]
    columns = [np.interp(at, places, [color[i] for _, color in stops]) for i in range(3)]
    return [int(v) for v in np.stack(columns, axis=-1).reshape(-1)]


def _colored(values: paint.Array, palette: list[int]) -> Image.Image:
    picture = paint.gray(values)
    picture.putpalette(palette)
    return picture.convert("RGB")


def _stars(rng: paint.Random, count: int, size: paint.Size = SIZE) -> Image.Image:
    sky = Image.new("RGB", size)
    pen = ImageDraw.Draw(sky)
    shades = ((255, 255, 255), (170, 200, 255), (255, 220, 180))
    for _ in range(count):
        x, y = int(rng.integers(size[0])), int(rng.integers(size[1]))
        light = float(rng.random()) ** 3
        pen.point((x, y), fill=paint.mix((10, 12, 30), shades[int(rng.integers(3))], light))
        if light > 0.85:
            paint.add_in_place(sky, paint.spark(4, (120, 140, 200)), x, y)
    return sky


def _galaxy(rng: paint.Random) -> Draw:
    count = 20000
    radius = np.abs(rng.normal(0, 0.36, count)).astype(np.float32) + 0.02
    arm = rng.integers(0, 2, count) * np.pi
    spread = rng.normal(0, 0.34, count) * (0.35 + 0.5 / (1 + 4 * radius))
    angle = (arm + 5.2 * np.log1p(3.4 * radius) + spread).astype(np.float32)
    lift = rng.normal(0, 0.02, count).astype(np.float32)
    hot = np.exp(-((radius / 0.2) ** 2))
    pink = (rng.random(count) < 0.1) * (radius > 0.2)
    light = (rng.random(count) ** 3 + 0.12).astype(np.float32)
    weights = [
        light * (0.36 + 0.9 * hot + 1.2 * pink),
        light * (0.44 + 0.5 * hot + 0.1 * pink),
        light * (1.0 - 0.35 * hot + 0.4 * pink),
    ]
    sky = _stars(rng, 500)
    core = paint.spark(120, (255, 200, 130), 3.0)

    def draw(t: float) -> Image.Image:
        turned = angle - 0.24 * t / (0.25 + radius)
        tilt = 0.50 + 0.07 * t
        scale = 300 * (1 + 0.07 * t)
        x = (WIDTH / 2 + scale * radius * np.cos(turned) * 1.25).astype(np.int32)
        y = (HEIGHT / 2 - 4 + scale * (radius * np.sin(turned) * tilt + lift)).astype(np.int32)
        seen = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < HEIGHT)
        cell = y[seen] * WIDTH + x[seen]
        channels = [
            np.bincount(cell, weight[seen], WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
            for weight in weights
        ]
        dust = Image.fromarray(np.minimum(np.stack(channels, -1) * 150, 255).astype(np.uint8))
        haze = dust.reduce(4).resize((40, 23), paint.BILINEAR).resize(SIZE, paint.BICUBIC)
        picture = ImageChops.add(ImageChops.add(sky, dust), ImageChops.add(haze, haze))
        picture = ImageChops.add(picture, dust.reduce(2).resize(SIZE, paint.BILINEAR))
        paint.add_in_place(picture, core, WIDTH / 2, HEIGHT / 2 - 4)
        return picture

    return draw


def _warp(rng: paint.Random) -> Draw:
    count = 420
    x, y = rng.normal(0, 1, count), rng.normal(0, 1, count)
    depth = rng.uniform(0, 1, count)
    tones = [paint.mix((90, 160, 255), (255, 170, 240), float(v)) for v in rng.random(count)]
    glow = paint.spark(240, (44, 22, 104), 1.8)

    def draw(t: float) -> Image.Image:
        picture = Image.new("RGB", SIZE, (3, 2, 12))
        paint.add_in_place(picture, glow, WIDTH / 2, HEIGHT / 2)
        pen = ImageDraw.Draw(picture)
        speed = 0.15 + 0.6 * t
        near = (depth - speed * t * 0.7) % 1 + 0.02
        tail = near + 0.02 + 0.07 * speed
        for i in range(count):
            light = min(1.0, 0.14 / near[i])
            pen.line(
                (
                    WIDTH / 2 + 46 * x[i] / near[i],
                    HEIGHT / 2 + 46 * y[i] / near[i],
                    WIDTH / 2 + 46 * x[i] / tail[i],
                    HEIGHT / 2 + 46 * y[i] / tail[i],
                ),
                fill=paint.mix((3, 2, 12), tones[i], light),
                width=1 if near[i] > 0.18 else 2,
            )
        return ImageChops.add(picture, paint.bloom(picture, 12))

    return draw


def _black_hole(rng: paint.Random) -> Draw:
    """A disc of fire around a shadow; its far side is bent over the top by gravity."""
    axis_x = (np.arange(WIDTH, dtype=np.float32) - WIDTH / 2) / 150
    axis_y = (np.arange(HEIGHT, dtype=np.float32) - HEIGHT / 2) / 150
    x, y = np.meshgrid(axis_x, axis_y)
    far = np.hypot(x, y)
    tilt = 0.2
    flat = np.hypot(x, y / tilt)
    turn = np.arctan2(y / tilt, x)
    texture = paint.fractal(rng, (1024, 128), 40, 4, 6.0)
    plate = np.clip((flat - 0.95) * 3, 0, 1) * np.exp(-((np.maximum(flat - 0.95, 0) / 0.7) ** 1.5))
    hidden = (far < 0.62) & (y < 0)
    plate = np.where(hidden, 0, plate)
    arch = np.exp(-(((far - 0.72) / 0.1) ** 2)) * (1.1 - 0.35 * y / np.maximum(far, 0.1))
    ring = np.exp(-(((far - 0.6) / 0.014) ** 2)) * 1.3
    bright = (1 - 0.52 * x / np.maximum(far, 0.3)).astype(np.float32)
    steady = (ring * bright + 0.06 * np.exp(-far)).astype(np.float32)
    lit_plate, lit_arch = (
        (plate * bright).astype(np.float32),
        (arch * bright * 0.75).astype(np.float32),
    )
    shadow = (
        (np.clip((far - 0.57) * 30, 0, 1) + (lit_plate > 0.02) * (y > 0))
        .clip(0, 1)
        .astype(np.float32)
    )
    row = np.clip(flat * 42, 0, 127).astype(np.int32)
    arch_row = np.clip((far - 0.4) * 160, 0, 127).astype(np.int32)
    column = ((turn / (2 * np.pi)) * 1024).astype(np.int32)
    arch_column = ((np.arctan2(y, x) / (2 * np.pi)) * 1024).astype(np.int32)
    flow = (1024 * 0.16 / np.maximum(0.6, flat) ** 1.5).astype(np.float32)
    fire = _palette(
        (
            (0, (2, 2, 8)),
            (0.25, (96, 20, 10)),
            (0.55, (255, 110, 20)),
            (0.8, (255, 214, 120)),
            (1, (255, 255, 240)),
        )
    )
    sky = _stars(rng, 420)
    sky.paste((0, 0, 0), (0, 0), paint.gray((far < 0.7).astype(np.float32)))

    def draw(t: float) -> Image.Image:
        swirl = texture[row, (column + (flow * t * 2).astype(np.int32)) & 1023]
        bent = texture[arch_row, (arch_column + int(150 * t)) & 1023]
        light = (lit_plate * (0.25 + 1.3 * swirl) + lit_arch * (0.35 + bent)) * shadow + steady
        picture = ImageChops.add(_colored(light * 0.72, fire), sky)
        return ImageChops.add(picture, paint.bloom(picture, 24, 0.7))

    return draw


def _planet(rng: paint.Random) -> Draw:
    """A sun comes up behind a planet with a ring, in front of a nebula."""
    wide = (800, HEIGHT)
    cloud = paint.fractal(rng, wide, 150, 5, 1.4) ** 2.2
    other = paint.fractal(rng, wide, 120, 5, 1.4) ** 2.6
    nebula = ImageChops.add(
        _colored(cloud, _palette(((0, (6, 2, 20)), (0.5, (90, 20, 110)), (1, (255, 120, 190))))),
        _colored(other, _palette(((0, (0, 0, 0)), (0.5, (0, 50, 80)), (1, (60, 220, 230))))),
    )
    nebula = ImageChops.add(nebula, _stars(rng, 400, wide))
    center, radius = (400, 270), 150
    x, y = np.meshgrid(
        np.arange(WIDTH, dtype=np.float32) - center[0],
        np.arange(HEIGHT, dtype=np.float32) - center[1],
    )
    far = np.hypot(x, y)
    body = paint.gray(np.clip(radius - far, 0, 1).astype(np.float32))
    rim = np.exp(-np.abs(far - radius) / 5).astype(np.float32) + 0.25 * np.exp(
        -np.abs(far - radius) / 24
    )
    slant = y * 0.97 + x * 0.26
    along = np.hypot(x * 0.97 - y * 0.26, slant * 4.6)
    band = (np.clip((along - 205) / 6, 0, 1) * np.clip((330 - along) / 6, 0, 1)).astype(np.float32)
    band *= 0.55 + 0.45 * np.sin(along / 5.3) * np.sin(along / 13)
    front = band * ((far > radius) | (slant > 0))
    ring = paint.gray((0.8 * front).astype(np.float32))
    surface = Image.new("RGB", SIZE, (5, 5, 16))
    sun, flare = paint.spark(150, (255, 220, 170), 3.2), paint.spark(16, (255, 255, 255), 0.6)

    def draw(t: float) -> Image.Image:
        picture = paint.scrolled(nebula, 30 + 12 * t, WIDTH)
        angle = -2.45 + 0.2 * t
        sun_x, sun_y = center[0] + 162 * np.cos(angle), center[1] + 162 * np.sin(angle)
        paint.add_in_place(picture, flare, sun_x, sun_y)
        picture.paste(surface, (0, 0), body)
        lit = rim * np.exp(
            -(((x - sun_x + center[0]) ** 2 + (y - sun_y + center[1]) ** 2) / 26000)
        ).astype(np.float32)
        picture = ImageChops.add(picture, paint.tint(paint.gray(lit), (255, 190, 140)))
        picture.paste((232, 190, 150), (0, 0), ring)
        paint.add_in_place(picture, sun, sun_x, sun_y)
        pen = ImageDraw.Draw(picture)
        reach = 130 + 50 * t
        pen.line((sun_x - reach, sun_y, sun_x + reach, sun_y), fill=(255, 236, 210))
        return picture

    return draw


def _score(rng: np.random.Generator, duration_s: float) -> Sound:
    track = synth.silence(duration_s)
    for at, chord in (
        (0.0, (36, 43, 55, 62)),
        (3.6, (33, 45, 57, 64)),
        (6.4, (29, 41, 56, 60)),
        (10.0, (36, 48, 55, 64)),
    ):
        for number, note in enumerate(chord):
            synth.mix_in(
                track, synth.pad(note, 4.4, 6, 1.4), at, 0.3, (-0.8, 0.8, -0.3, 0.4)[number]
            )
    for at in np.arange(0.8, duration_s - 1, 0.9):
        synth.mix_in(
            track,
            synth.pluck(int(rng.choice([84, 86, 91, 96])), 1.6, 2.76),
            float(at),
            0.08,
            float(rng.uniform(-0.9, 0.9)),
        )
    rush = synth.fading(synth.hiss(rng, 3.0, 80, 900), lambda t: (t / 3) ** 3)
    synth.mix_in(track, rush, 3.5, 0.5)
    synth.mix_in(track, synth.thump(1.4, 90), 6.5, 1.0)
    return synth.mastered(synth.hall(rng, track, 3.2, 0.5), 0.3, 1.5)


RECIPE = Recipe(
    slug="thousand-suns",
    name="Dust of a Thousand Suns",
    synopsis="A survey ship crosses a galaxy to count its stars, and finds one that counts back.",
    container="mkv",
    frame_rate=24,
    size=SIZE,
    grain=10,
    shots=(Shot(3.5, _galaxy), Shot(3.0, _warp), Shot(3.5, _black_hole), Shot(3.5, _planet)),
    score=_score,
    caption_format="vtt",
    cues=cues(
        ("en", "de"),
        (
            0.5,
            3.3,
            "Survey log, day nine thousand and four.\nTwo hundred billion stars. One of us.",
            "Logbuch, Tag neuntausendvier.\nZweihundert Milliarden Sterne. Einer von uns.",
        ),
        (
            3.7,
            6.3,
            "[engines rising] I stopped counting\nwhen the light started to bend.",
            "[Triebwerke werden lauter] Ich hörte auf\nzu zählen, als das Licht sich bog.",
        ),
        (
            6.8,
            9.7,
            "It has no surface and no voice.\nStill, I had the feeling of being counted.",
            "Es hat keine Oberfläche und keine Stimme.\nDoch mir war, als würde ich gezählt.",
        ),
        (
            10.2,
            13.2,
            "Then morning, over a world without a name.\nI wrote down: one.",
            "Dann Morgen, über einer Welt ohne Namen.\nIch notierte: eins.",
        ),
    ),
)
