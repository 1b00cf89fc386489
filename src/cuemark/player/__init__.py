"""The headless reference player: it logs in, adapts, decrypts, decodes and fails over.

It imports no context and no contract and sees what a device sees: the public HTTP API and
appliances. ``session.play`` is its entry for other code, ``python -m cuemark.player`` for people.
"""
