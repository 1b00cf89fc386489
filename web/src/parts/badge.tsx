import { say } from "../language.ts";

/** Says that only the first, quick encode is there; nothing where the full one is. */
export function QualityBadge({ title }: { readonly title: { readonly quality: string } }) {
  if (title.quality !== "quick") return null;
  return (
    <span class="badge" title={say("title.quick_why")}>
      {say("title.quick")}
    </span>
  );
}

export function durationText(durationS: number): string {
  return durationS < 90
    ? say("title.seconds", { seconds: Math.round(durationS) })
    : say("title.minutes", { minutes: Math.round(durationS / 60) });
}
