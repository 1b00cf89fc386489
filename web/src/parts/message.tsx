import { Mark } from "./mark.tsx";
import { useFirstFocus } from "./use-first-focus.ts";

interface MessageProps {
  readonly text: string;
  readonly busy?: boolean;
  readonly action?: string;
  readonly onAction?: () => void;
}

/** A whole page that says one sentence and offers at most one thing to do. */
export function Message({ text, busy = false, action, onAction }: MessageProps) {
  const first = useFirstFocus<HTMLButtonElement>();
  return (
    <main class="message" aria-busy={busy}>
      <Mark />
      <p role={busy ? "status" : "alert"}>{text}</p>
      {action && (
        <button type="button" class="button" onClick={onAction} ref={first}>
          {action}
        </button>
      )}
    </main>
  );
}
