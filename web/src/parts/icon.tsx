// The pictures on buttons: 24x24 paths, drawn in the color of the text.

const PATHS = {
  play: "M8 5.2v13.6c0 .8.9 1.3 1.6.8l10-6.8a1 1 0 0 0 0-1.6l-10-6.8c-.7-.5-1.6 0-1.6.8Z",
  pause: "M7 5h3.2v14H7zM13.8 5H17v14h-3.2z",
  wind_forward: "M4 6.3v11.4c0 .8.9 1.3 1.6.8L13 13v4.7c0 .8.9 1.3 1.6.8l7.7-5.7a1 1 0 0 0 0-1.6l-7.7-5.7c-.7-.5-1.6 0-1.6.8V11L5.6 5.5c-.7-.5-1.6 0-1.6.8Z",
  wind_back: "M20 6.3v11.4c0 .8-.9 1.3-1.6.8L11 13v4.7c0 .8-.9 1.3-1.6.8l-7.7-5.7a1 1 0 0 1 0-1.6l7.7-5.7c.7-.5 1.6 0 1.6.8V11l7.4-5.5c.7-.5 1.6 0 1.6.8Z",
  volume: "M4 9.5v5h3.2L12 19V5L7.2 9.5H4Zm11 -1.2a5 5 0 0 1 0 7.4l1.2 1.3a6.8 6.8 0 0 0 0-10l-1.2 1.3Z",
  muted: "M4 9.5v5h3.2L12 19V5L7.2 9.5H4Zm11.2.2 1.2-1.2 2.1 2.2 2.1-2.2 1.2 1.2-2.1 2.2 2.1 2.1-1.2 1.2-2.1-2.1-2.1 2.1-1.2-1.2 2.1-2.1-2.1-2.2Z",
  captions:
    "M4.5 5h15A1.5 1.5 0 0 1 21 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5v-11A1.5 1.5 0 0 1 4.5 5Zm2 5.2v1.8h5v-1.8h-5Zm7 0v1.8h4v-1.8h-4Zm-7 4v1.8h3v-1.8h-3Zm5 0v1.8h6v-1.8h-6Z",
  sound:
    "M12 3a3.5 3.5 0 0 1 3.5 3.5v5a3.5 3.5 0 0 1-7 0v-5A3.5 3.5 0 0 1 12 3Zm-7 8h1.8a5.2 5.2 0 0 0 10.4 0H19a7 7 0 0 1-6.1 6.9V21h-1.8v-3.1A7 7 0 0 1 5 11Z",
  full: "M4 4h6v2H6v4H4V4Zm10 0h6v6h-2V6h-4V4ZM4 14h2v4h4v2H4v-6Zm14 0h2v6h-6v-2h4v-4Z",
  small: "M8 4h2v6H4V8h4V4Zm6 0h2v4h4v2h-6V4ZM4 14h6v6H8v-4H4v-2Zm10 0h6v2h-4v4h-2v-6Z",
  back: "M14.8 5.2 16.2 6.6 10.8 12l5.4 5.4-1.4 1.4L8 12l6.8-6.8Z",
  about: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 1.8a7.2 7.2 0 1 1 0 14.4 7.2 7.2 0 0 1 0-14.4Zm-.9 2.9v1.8h1.8V7.7h-1.8Zm0 3.3v5.3h1.8V11h-1.8Z",
  lock: "M7 10V8a5 5 0 0 1 10 0v2h.5c.8 0 1.500.7 1.500 1.500v7c0 .8-.7 1.500-1.500 1.500h-11A1.500 1.500 0 0 1 5 18.500v-7c0-.8.7-1.500 1.500-1.500H7Zm1.800 0h6.400V8a3.200 3.200 0 0 0-6.400 0v2Z",
  search:
    "M10.5 4a6.5 6.5 0 0 1 5.2 10.4l4.5 4.5-1.3 1.3-4.5-4.5A6.5 6.5 0 1 1 10.5 4Zm0 1.8a4.7 4.7 0 1 0 0 9.4 4.7 4.7 0 0 0 0-9.4Z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6V5Z",
  thumb: "M3 10.5h3.2V20H3v-9.5Zm5 0L12 3c1.4 0 2.3 1.2 2 2.6L13.3 9H19a2 2 0 0 1 2 2.4l-1.4 7a2 2 0 0 1-2 1.6H8v-9.5Z",
  heart: "M12 20.3 4.3 12.6a5 5 0 0 1 7.1-7.1l.6.6.6-.6a5 5 0 0 1 7.1 7.1L12 20.3Z",
  remove: "m6.4 5 5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4 6.4 5Z",
  check: "m9.6 16.2-4-4L4.2 13.6l5.4 5.4L20 8.6 18.6 7.2l-9 9Z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** An arrow round a number: ten seconds back or forward. */
export function JumpIcon({ forward }: { readonly forward: boolean }) {
  return (
    <svg class={forward ? "icon icon-jump forward" : "icon icon-jump"} viewBox="0 0 24 24" aria-hidden="true">
      <path d="M12 4.5V1.5L7.5 5.5 12 9.5v-3a6.5 6.5 0 1 1-6.5 6.5h-2A8.5 8.5 0 1 0 12 4.5Z" />
      <text x="12" y="16.2">
        10
      </text>
    </svg>
  );
}
