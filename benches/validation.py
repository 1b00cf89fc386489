"""Validation: which seeded defects it finds, what it says of clean films, and what it costs."""

from pathlib import Path

from benches.figures import Figure, figure
from benches.specimen import DEFECTS, Specimen, findings_of, specimen_of
from benches.stand import TRAILER, Stand
from cuemark.contexts.encoding.stages.facts import facts_of_master
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.programs import from_wheels
from cuemark.kit.cost import Meter
from cuemark.kit.objects import Objects

ABOUT = """
Versions of two renditions are made of each clip of the shared media by the stages of the pipeline
and validated under the default policy. Then each defect is put into a version of each clip that
has what it needs (sound, captions in two languages), by FFmpeg and by packaging anew, and
validated: *caught* is the share of these versions in which the check that is there for the defect
raised an error. A defect that changes nothing in a clip is not put into it, and counted apart: a
black tail where the last second is black, a mute or a delay in digital silence. *Errors on clean
versions* counts errors; warnings tell what the master itself has. The cost is that of validating a
clean version, as a quick version is before it is published: its master is read for the first time.
Another version of the same master is spared that.
"""

CLIPS = TRAILER.parent
CAPTIONS = {language: CLIPS / "subs" / f"sintel-{language}.vtt" for language in ("de", "en", "es")}
LINES = (180, 360)
QUICK_CLIPS = 1
FILMS = {".mp4", ".mpg", ".mkv"}


def measure(stand: Stand) -> list[Figure]:
    shop = Workshop(Objects(stand.scratch("validation")), from_wheels())
    films = sorted(path for path in CLIPS.iterdir() if path.suffix in FILMS)
    specimens, readings, costs, errors = [], [], [], 0
    for film in films[:QUICK_CLIPS] if stand.quick else films:
        stand.tell(f"clean: {film.name}")
        specimen = specimen_of(shop, film, _captions(film), LINES)
        minutes, meter = specimen.frames / specimen.rate / 60, Meter()
        facts_of_master(shop, specimen.order.sha256)
        readings.append(meter.cost.cpu_s / minutes)
        found = findings_of(specimen)
        costs.append(meter.cost.cpu_s / minutes)
        errors += len([each for each in found if each.severity == "error"])
        specimens.append(specimen)
    rows = [
        figure("validation: clean versions", len(specimens), "versions"),
        figure("validation: errors on clean versions", errors, "errors"),
        figure("validation: a clean version of two renditions: CPU", costs, "s/min of film"),
        figure("validation: of that, to read the master: CPU", readings, "s/min of film"),
    ]
    return [*rows, *_caught(stand, specimens)]


def _captions(film: Path) -> dict[str, Path]:
    """Those of the trailer go with any clip that is as long as their first sentences."""
    return CAPTIONS if film == TRAILER or film.name.startswith("bbb") else {}


def _caught(stand: Stand, specimens: list[Specimen]) -> list[Figure]:
    rows, caught_of_all, made_of_all, idle = [], 0, 0, 0
    for defect in DEFECTS:
        caught = made = 0
        for specimen in specimens:
            if not defect.fits(specimen):
                continue
            if not defect.changes(specimen):
                idle += 1
                continue
            stand.tell(f"defects: {defect.name}")
            found = findings_of(defect.make(specimen))
            made += 1
            caught += any(
                each.severity == "error" and each.check in defect.checks for each in found
            )
        if made:
            percent = 100 * caught / made
            rows.append(figure(f"validation: {defect.name}, caught of {made}", percent, "%"))
        caught_of_all, made_of_all = caught_of_all + caught, made_of_all + made
    whole = f"validation: seeded defects, caught of {made_of_all}"
    rows.append(
        figure("validation: defects that would change nothing, not counted", idle, "versions")
    )
    return [*rows, figure(whole, 100 * caught_of_all / max(1, made_of_all), "%")]
