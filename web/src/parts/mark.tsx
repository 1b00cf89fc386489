/** The cue mark: a frame of film with the projectionist's dot in its corner. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="mark-frame" x="1.5" y="5.5" width="29" height="21" rx="5" />
      <circle class="mark-dot" cx="23.5" cy="12" r="3.6" />
    </svg>
  );
}
