"""The films of the demo catalog, in the order in which they are rendered: a fast one first."""

from samples.film import Recipe
from samples.films import (
    corridor_nine,
    first_light,
    neon_tide,
    paper_ocean,
    runaway_express,
    second_reel,
    thousand_suns,
)

CATALOG: tuple[Recipe, ...] = (
    runaway_express.RECIPE,
    neon_tide.RECIPE,
    second_reel.RECIPE,
    corridor_nine.RECIPE,
    paper_ocean.RECIPE,
    first_light.RECIPE,
    thousand_suns.RECIPE,
)
