"""``python -m samples --out DIR [--only SLUG ...] [--json]``: render the demo catalog."""

import argparse
import json
import sys
from pathlib import Path

from samples.catalog import CATALOG
from samples.render import MANIFEST, RenderFailed, entry_of, render_all


def main(argv: list[str] | None = None) -> int:
    """Render and print each film as it finishes; with ``--json`` the last line is the manifest."""
    parser = argparse.ArgumentParser(prog="python -m samples", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder to render into")
    parser.add_argument(
        "--only",
        action="append",
        choices=[recipe.slug for recipe in CATALOG],
        help="render this film; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line on stdout")
    options = parser.parse_args(argv)
    recipes = [recipe for recipe in CATALOG if not options.only or recipe.slug in options.only]
    try:
        for film in render_all(options.out, recipes):
            line = json.dumps(entry_of(film, options.out)) if options.json else str(film.path)
            print(line, flush=True)
    except (RenderFailed, OSError) as error:
        print(f"The demo catalog could not be rendered: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(json.loads((options.out / MANIFEST).read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
