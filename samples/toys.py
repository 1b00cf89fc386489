"""Wooden toys and the room in which they live, drawn at the size of the master."""

import numpy as np
from PIL import Image, ImageDraw

from samples import paint
from samples.film import MASTER_SIZE

WIDTH, HEIGHT = MASTER_SIZE
RED, YELLOW, BLUE, GREEN, WHITE, INK = (
    (230, 60, 50),
    (255, 200, 40),
    (40, 110, 220),
    (60, 180, 90),
    (255, 250, 240),
    (50, 34, 40),
)
COLORS: tuple[paint.Rgb, ...] = (RED, YELLOW, BLUE, GREEN)


def shade(color: paint.Rgb, share: float) -> paint.Rgb:
    return paint.mix(color, (30, 10, 30), share)


def wheel(
    pen: ImageDraw.ImageDraw, x: float, y: float, r: float, turn: float, color: paint.Rgb
) -> None:
    pen.ellipse((x - r, y - r, x + r, y + r), fill=INK)
    pen.ellipse((x - r * 0.8, y - r * 0.8, x + r * 0.8, y + r * 0.8), fill=color)
    for spoke in range(3):
        dx, dy = (
            r * 0.75 * np.cos(turn + spoke * np.pi / 3),
            r * 0.75 * np.sin(turn + spoke * np.pi / 3),
        )
        pen.line((x - dx, y - dy, x + dx, y + dy), fill=INK, width=max(2, int(r / 7)))
    pen.ellipse((x - r * 0.25, y - r * 0.25, x + r * 0.25, y + r * 0.25), fill=WHITE)


def engine(pen: ImageDraw.ImageDraw, x: float, y: float, turn: float) -> None:
    """A wooden engine that heads right; (x, y) is on the rail under its middle."""
    pen.rounded_rectangle((x - 150, y - 110, x + 120, y - 40), 16, fill=RED)
    pen.rounded_rectangle((x - 150, y - 56, x + 140, y - 34), 8, fill=shade(RED, 0.3))
    pen.rounded_rectangle((x - 20, y - 150, x + 130, y - 60), 44, fill=GREEN)
    pen.rounded_rectangle((x - 20, y - 92, x + 130, y - 60), 14, fill=shade(GREEN, 0.2))
    pen.rounded_rectangle((x - 150, y - 220, x - 20, y - 60), 14, fill=RED)
    pen.rounded_rectangle((x - 166, y - 240, x - 4, y - 210), 12, fill=YELLOW)
    pen.rounded_rectangle((x - 122, y - 190, x - 48, y - 130), 10, fill=(170, 230, 255))
    pen.polygon(
        [(x + 52, y - 144), (x + 40, y - 214), (x + 112, y - 214), (x + 100, y - 144)], fill=INK
    )
    pen.rounded_rectangle((x + 34, y - 230, x + 118, y - 206), 8, fill=YELLOW)
    pen.ellipse((x + 116, y - 122, x + 146, y - 92), fill=YELLOW)
    for axle, radius in ((-98, 44), (10, 34), (92, 34)):
        wheel(pen, x + axle, y - radius, radius, turn * 40 / radius, YELLOW)
    swing = 14 * np.sin(turn)
    pen.line(
        (x - 98 + 18 * np.cos(turn), y - 44 + swing, x + 92 + 18 * np.cos(turn), y - 34 + swing),
        fill=WHITE,
        width=9,
    )


def wagon(pen: ImageDraw.ImageDraw, x: float, y: float, turn: float, color: paint.Rgb) -> None:
    pen.line((x + 100, y - 50, x + 160, y - 50), fill=INK, width=8)
    pen.rounded_rectangle((x - 110, y - 130, x + 110, y - 40), 14, fill=color)
    pen.rounded_rectangle((x - 110, y - 66, x + 110, y - 40), 10, fill=shade(color, 0.22))
    for load, (dx, size) in enumerate(((-60, 50), (0, 62), (62, 46))):
        hue = COLORS[(load + COLORS.index(color) + 1) % 4]
        pen.rounded_rectangle(
            (x + dx - size / 2, y - 126 - size, x + dx + size / 2, y - 126), 8, fill=hue
        )
    for axle in (-62, 62):
        wheel(pen, x + axle, y - 32, 32, turn, WHITE)


def train(pen: ImageDraw.ImageDraw, x: float, y: float, turn: float, rng: paint.Random) -> None:
    for number, color in enumerate((BLUE, YELLOW, GREEN)):
        wagon(pen, x - 300 - 262 * number, y + rng.uniform(-2, 2), turn, color)
    engine(pen, x, y + rng.uniform(-2, 2), turn)


def puffs(pen: ImageDraw.ImageDraw, x: float, y: float, t: float) -> None:
    """Cotton wool from the chimney."""
    for number in range(6):
        age = (t * 1.6 + number / 6) % 1
        radius = 16 + 46 * age
        left, top = x - 330 * age, y - 130 * age
        for dx, dy in ((0, 0), (0.7, 0.2), (-0.6, 0.3)):
            cx, cy = left + dx * radius, top + dy * radius
            pen.ellipse(
                (cx - radius * 0.7, cy - radius * 0.7, cx + radius * 0.7, cy + radius * 0.7),
                fill=paint.mix(WHITE, (255, 226, 190), age),
            )


def ball(
    pen: ImageDraw.ImageDraw, x: float, y: float, r: float, turn: float, squash: float = 0.0
) -> None:
    """A beach ball with a face, not a kind one."""
    wide, tall = r * (1 + squash), r * (1 - squash)
    box = (x - wide, y - tall, x + wide, y + tall)
    for slice_ in range(6):
        start = np.degrees(turn) + 60 * slice_
        pen.pieslice(box, start, start + 60, fill=(RED, WHITE, BLUE)[slice_ % 3])
    pen.ellipse((x - wide * 0.62, y - tall * 0.42, x - wide * 0.04, y + tall * 0.16), fill=WHITE)
    pen.ellipse((x + wide * 0.04, y - tall * 0.42, x + wide * 0.62, y + tall * 0.16), fill=WHITE)
    for side in (-0.25, 0.41):
        pen.ellipse(
            (x + wide * side, y - tall * 0.22, x + wide * (side + 0.2), y + tall * 0.04), fill=INK
        )
    pen.line(
        (x - wide * 0.7, y - tall * 0.6, x - wide * 0.05, y - tall * 0.34),
        fill=INK,
        width=int(r / 10) + 1,
    )
    pen.line(
        (x + wide * 0.7, y - tall * 0.6, x + wide * 0.05, y - tall * 0.34),
        fill=INK,
        width=int(r / 10) + 1,
    )
    pen.chord((x - wide * 0.45, y, x + wide * 0.45, y + tall * 0.72), 10, 170, fill=INK)


def room(rng: paint.Random, wall: paint.Rgb, floor: paint.Rgb) -> Image.Image:
    """A wall of stripes above a floor of boards, three screens wide; it tiles sideways."""
    wide = 3 * WIDTH
    room = Image.new("RGB", (wide, HEIGHT), wall)
    pen = ImageDraw.Draw(room)
    for x in range(0, wide, 120):
        pen.rectangle((x, 0, x + 60, 500), fill=paint.mix(wall, WHITE, 0.14))
    for number, x in enumerate(range(90, wide, 480)):
        frame = COLORS[number % 4]
        pen.rounded_rectangle((x, 70, x + 220, 250), 12, fill=frame)
        pen.rectangle((x + 18, 88, x + 202, 232), fill=WHITE)
        pen.ellipse((x + 60, 110, x + 160, 210), fill=COLORS[(number + 2) % 4])
    x = 0
    while x < wide - 160:
        size = int(rng.integers(70, 150))
        color = paint.mix(COLORS[int(rng.integers(4))], wall, 0.45)
        pen.rounded_rectangle((x, 500 - size, x + size, 500), 10, fill=color)
        letter = paint.lettering("ABCDEFGHKMRSTX"[int(rng.integers(14))], int(size * 0.6), 3)
        room.paste(
            paint.mix(color, WHITE, 0.6),
            (x + (size - letter.width) // 2, 500 - size + (size - letter.height) // 2),
            letter,
        )
        x += size + int(rng.integers(30, 320))
    pen.rectangle((0, 492, wide, 512), fill=WHITE)
    pen.rectangle((0, 512, wide, HEIGHT), fill=floor)
    for row, y in enumerate((512, 552, 604, 668)):
        pen.line((0, y, wide, y), fill=shade(floor, 0.2), width=3)
        for x in range(row * 170, wide, 640):
            pen.line((x, y, x - 20, y + 60), fill=shade(floor, 0.2), width=3)
    return room
