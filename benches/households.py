"""Whom the judgement on sharing finds, of households that were drawn."""

from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.lab.households import FAMILIES, SHARERS, TOLD_APART_BY_NOBODY, noticed

ABOUT = """
`python -m benches households` draws households of each kind of `src/cuemark/lab/households.py`, for
28 days each, from as many seeds, and tells of how many the judgement says that they share their
account. Families are one household each; of who *shares*, all should be found. A student *far
away* who does not come home is one household for people and two for the judgement.
"""


def measure(stand: Stand) -> list[Figure]:
    count = 200 if stand.quick else 5000
    return [
        figure(f"households: {who}", 100 * noticed(life, count), "%")
        for who, life in {**FAMILIES, **TOLD_APART_BY_NOBODY, **SHARERS}.items()
    ]
