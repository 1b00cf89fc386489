"""The decisions of encoding, pure: shots, chunks, probes, ladder, gates, timelines."""
