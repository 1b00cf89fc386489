// What stands for a profile: a shape on its color, drawn here.

import type { Avatar, Color } from "../api.ts";

const SHAPES: Readonly<Record<Avatar, string>> = {
  circle: "M24 13a11 11 0 1 0 0 22 11 11 0 0 0 0-22Z",
  square: "M16 13h16a3 3 0 0 1 3 3v16a3 3 0 0 1-3 3H16a3 3 0 0 1-3-3V16a3 3 0 0 1 3-3Z",
  triangle: "M24 12.5 36 34H12Z",
  hexagon: "M24 12l10.4 6v12L24 36l-10.4-6V18Z",
  star: "m24 11 3.9 8.6 9.4 1-7 6.3 2 9.2-8.3-4.7-8.3 4.7 2-9.2-7-6.3 9.4-1Z",
  moon: "M29.5 34.5A12 12 0 1 1 29.5 13.5a9.5 9.5 0 1 0 0 21Z",
  wave: "M11 21c4.3-5 8.7-5 13 0s8.700 5 13 0v6c-4.300 5-8.700 5-13 0s-8.700-5-13 0Z",
  leaf: "M35 13c1 13-6 22-20 22-1-13 6-22 20-22Z",
};

export function ProfilePicture({ color, avatar }: { readonly color: Color; readonly avatar: Avatar }) {
  return (
    <svg class={`avatar avatar-${color}`} viewBox="0 0 48 48" aria-hidden="true">
      <rect width="48" height="48" rx="10" />
      <path d={SHAPES[avatar]} />
    </svg>
  );
}
