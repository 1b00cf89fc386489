"""Captions: SubRip, WebVTT and TTML in, checked, and WebVTT and IMSC 1.1 out."""
