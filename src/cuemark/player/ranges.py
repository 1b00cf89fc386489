"""The dynamic ranges of pictures, as the two manifest formats call them."""

from typing import Literal

DynamicRange = Literal["sdr", "hlg", "pq"]
"""Standard, or high by hybrid log-gamma or by the perceptual quantizer (ITU-R BT.2100)."""

OF_TRANSFER: dict[str, DynamicRange] = {"1": "sdr", "16": "pq", "18": "hlg"}
"""By transfer characteristics (ITU-T H.273 table 3), as DASH names them."""

OF_VIDEO_RANGE: dict[str, DynamicRange] = {"SDR": "sdr", "HLG": "hlg", "PQ": "pq"}
"""By VIDEO-RANGE (rfc8216bis section 4.4.6.2)."""
