"""From high to standard dynamic range: a table of colors, made once for a film.

Light is compressed by the EETF of ITU-R BT.2390-11 section 5.4.1 (a Hermite spline in PQ between
the film's peak and that of a display of 100 cd/m2), on the greatest of the three components, so
that none is clipped and hues stay. HLG is first brought to light on a display of 1000 cd/m2 by the
OOTF of ITU-R BT.2100-2. What BT.709 cannot show of BT.2020 (matrix of ITU-R BT.2087-0) is
desaturated at its own luminance until it can. Encoded for the display of BT.1886 with a black of
zero.
"""

import numpy as np
from numpy.typing import NDArray

from cuemark.contracts.encoding.versions import DynamicRange

Colors = NDArray[np.float64]
"""Any shape of three components in its last axis."""

STANDARD_PEAK_CD_M2 = 100.0
POINTS = 33
"""Of the table along each component."""

_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_PQ_PEAK_CD_M2 = 10_000.0
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
_HLG_GAMMA = 1.2
_DISPLAY_GAMMA = 2.4
_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])
_LUMA_709 = np.array([0.2126, 0.7152, 0.0722])
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)


def pq_of(light_cd_m2: Colors) -> Colors:
    """The PQ code, 0 to 1, of light (inverse EOTF, SMPTE ST 2084)."""
    powered = np.power(np.clip(light_cd_m2, 0, None) / _PQ_PEAK_CD_M2, _M1)
    return np.asarray(np.power((_C1 + _C2 * powered) / (1 + _C3 * powered), _M2))


def light_of_pq(code: Colors) -> Colors:
    """The light in cd/m2 of a PQ code (EOTF, SMPTE ST 2084)."""
    root = np.power(np.clip(code, 0, 1), 1 / _M2)
    linear = np.power(np.clip(root - _C1, 0, None) / (_C2 - _C3 * root), 1 / _M1)
    return np.asarray(linear * _PQ_PEAK_CD_M2)


def light_of_hlg(code: Colors, peak_cd_m2: float) -> Colors:
    """The light in cd/m2 of HLG codes on a display of that peak (BT.2100-2 tables 5)."""
    code = np.clip(code, 0, 1)
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - _HLG_C) / _HLG_A) + _HLG_B) / 12)
    luminance = (scene @ _LUMA_2020)[..., np.newaxis]
    return np.asarray(peak_cd_m2 * np.power(luminance, _HLG_GAMMA - 1) * scene)


def compressed(light_cd_m2: Colors, peak_cd_m2: float) -> Colors:
    """Light of a film with that peak, brought within ``STANDARD_PEAK_CD_M2`` (BT.2390 EETF)."""
    source_peak, most = pq_of(np.array([peak_cd_m2, STANDARD_PEAK_CD_M2]))
    most /= source_peak
    knee = 1.5 * most - 0.5
    code = np.clip(pq_of(light_cd_m2) / source_peak, 0, 1)
    t = np.clip((code - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * most
    )
    return light_of_pq(np.where(code < knee, code, spline) * source_peak)


def standard_of(codes: Colors, dynamic_range: DynamicRange, peak_cd_m2: float) -> Colors:
    """The R'G'B' of BT.709, 0 to 1, for R'G'B' of BT.2100 in PQ or HLG."""
    light = light_of_pq(codes) if dynamic_range == "pq" else light_of_hlg(codes, peak_cd_m2)
    brightest = light.max(axis=-1, keepdims=True)
    scale = compressed(brightest, peak_cd_m2) / np.maximum(brightest, 1e-9)
    linear = light * scale / STANDARD_PEAK_CD_M2 @ _TO_709.T
    gray = np.clip((linear @ _LUMA_709)[..., np.newaxis], 0, 1)
    away = linear - gray
    room = np.where(away > 0, (1 - gray) / np.maximum(away, 1e-9), gray / np.maximum(-away, 1e-9))
    kept = np.clip(room.min(axis=-1, keepdims=True), 0, 1)
    return np.asarray(np.power(np.clip(gray + away * kept, 0, 1), 1 / _DISPLAY_GAMMA))


def cube(dynamic_range: DynamicRange, peak_cd_m2: float) -> str:
    """The table as a text in Adobe's Cube LUT format 1.0, red changing fastest."""
    steps = np.linspace(0, 1, POINTS)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    codes = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    rows = standard_of(codes, dynamic_range, peak_cd_m2)
    lines = (f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in rows.tolist())
    return f"LUT_3D_SIZE {POINTS}\n" + "\n".join(lines) + "\n"
