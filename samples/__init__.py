"""The demo catalog: short films that this project draws, scores and captions by itself."""

from samples.film import Film
from samples.render import render_all

__all__ = ["Film", "render_all"]
