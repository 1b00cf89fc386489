import { useEffect, useRef } from "preact/hooks";

interface MoreProps {
  readonly text: string;
  /** From where it goes on: another one asks anew whether the button is in sight. */
  readonly cursor: string;
  readonly onMore: () => void;
}

/** Shows what comes next when it is pressed, and by itself when somebody comes near it. */
export function More({ text, cursor, onMore }: MoreProps) {
  const button = useRef<HTMLButtonElement>(null);
  const next = useRef(onMore);
  next.current = onMore;
  useEffect(() => {
    const element = button.current;
    if (!element) return;
    const near = new IntersectionObserver(
      (seen) => {
        if (seen.some((each) => each.isIntersecting)) next.current();
      },
      { rootMargin: "50%" },
    );
    near.observe(element);
    return () => near.disconnect();
  }, [cursor]);
  return (
    <button ref={button} type="button" class="button more" onClick={onMore}>
      {text}
    </button>
  );
}
