// Whether a play that broke may be started again by itself.

const PROGRESS_S = 8;

export class Restarts {
  count = 0;
  private lastAtS: number | undefined;

  /** True at most once for each stretch of film: a play that breaks where it broke stays down. */
  allow(positionS: number): boolean {
    if (this.lastAtS !== undefined && Math.abs(positionS - this.lastAtS) < PROGRESS_S) return false;
    this.lastAtS = positionS;
    this.count += 1;
    return true;
  }
}
