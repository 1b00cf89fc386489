import { useCallback, useEffect, useRef, useState } from "preact/hooks";

const IDLE_AFTER_MS = 3_000;

/** Whether nobody touched anything for a while, and a function that says somebody did. */
export function useIdle(mayIdle: boolean): readonly [boolean, () => void] {
  const [idle, setIdle] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wake = useCallback(() => {
    clearTimeout(timer.current);
    setIdle(false);
    if (mayIdle) timer.current = setTimeout(() => setIdle(true), IDLE_AFTER_MS);
  }, [mayIdle]);
  useEffect(() => {
    wake();
    return () => clearTimeout(timer.current);
  }, [wake]);
  return [idle && mayIdle, wake];
}
