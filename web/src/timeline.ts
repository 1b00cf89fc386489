// Arithmetic of positions and durations. Seconds in, no DOM.

export interface Span {
  readonly startS: number;
  readonly endS: number;
}

/** `0:07`, `12:34`, `1:02:03`; what is negative or no number reads as `0:00`. */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const two = (part: number) => String(part).padStart(2, "0");
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high));
}

/** Where a jump of `byS` from `fromS` lands in a film of `durationS`. */
export function jump(fromS: number, byS: number, durationS: number): number {
  return clamp(fromS + byS, 0, Number.isFinite(durationS) ? durationS : 0);
}

/** 0 to 1: the part of `durationS` that lies before `positionS`. */
export function share(positionS: number, durationS: number): number {
  return durationS > 0 && Number.isFinite(positionS) ? clamp(positionS / durationS, 0, 1) : 0;
}

/** The position under a pointer at `x` on a bar from `left`, `width` wide, in CSS pixels. */
export function positionUnder(x: number, left: number, width: number, durationS: number): number {
  return width > 0 ? clamp((x - left) / width, 0, 1) * durationS : 0;
}

/** Seconds that can play on from `positionS` without another byte; gaps under 0.1 s are none. */
export function bufferedAhead(spans: readonly Span[], positionS: number): number {
  let endS = positionS;
  for (const span of [...spans].sort((a, b) => a.startS - b.startS)) {
    if (span.startS <= endS + 0.1 && span.endS > endS) endS = span.endS;
  }
  return endS - positionS;
}

/** Whether a resume point is worth a note: neither the very start nor the very end. */
export function worthResuming(resumeS: number, durationS: number): boolean {
  return resumeS >= 1 && (durationS <= 0 || resumeS < durationS - 1);
}
