# /// script
# [tool.cuemark]
# on = ["encoding.VersionPublished", "steering.VersionPlaced", "catalog.ArtworkChosen"]
# reads = ["titles"]
# timeout_s = 30
# ///
"""All titles that can be watched as one JSON file, for a web site or an aggregator to fetch.

``results/catalog-feed/latest/catalog.json`` in the data folder is always the newest.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    told = json.load(sys.stdin)
    titles = json.loads(Path(told["reads"]["titles"]).read_text())
    feed = {
        "generated_for": told["event"]["id"],
        "generated_at": told["event"]["occurred_at"],
        "titles": [
            {
                "id": title["title_id"],
                "name": title["name"],
                "synopsis": title["synopsis"],
                "seconds": round(title["duration_s"], 3),
                "quality": title["quality"],
                "created_at": title["created_at"],
            }
            for title in titles
        ],
    }
    path = Path(told["output"]) / "catalog.json"
    path.write_text(json.dumps(feed, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(titles)} titles")


if __name__ == "__main__":
    main()
