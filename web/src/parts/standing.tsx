// How the profile stands to a work: on the list or not, and how it was rated.

import { useCallback, useEffect, useState } from "preact/hooks";
import { api, ApiError, type Rating, type Standing } from "../api.ts";
import { complaintOf } from "../complaint.ts";
import { say } from "../language.ts";
import type { StringKey } from "../strings.ts";
import { Icon, type IconName } from "./icon.tsx";

const RATINGS: readonly (readonly [Rating, StringKey, IconName])[] = [
  ["down", "standing.down", "thumb"],
  ["up", "standing.up", "thumb"],
  ["love", "standing.love", "heart"],
];

/** Nothing where nobody knows how it stands: the page goes on without. */
export function StandingButtons({ workId }: { readonly workId: string }) {
  const [standing, setStanding] = useState<Standing>();
  const [complaint, setComplaint] = useState("");
  useEffect(() => {
    api.standing(workId).then(setStanding, (error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
    });
  }, [workId]);
  const change = useCallback(
    async (before: Standing, after: Standing, save: () => Promise<void>) => {
      setStanding(after);
      setComplaint("");
      try {
        await save();
      } catch (error) {
        setStanding(before);
        setComplaint(complaintOf(error));
      }
    },
    [],
  );
  if (!standing) return null;
  const { listed, rating } = standing;
  const rate = (chosen: Rating) => {
    const next = chosen === rating ? "" : chosen;
    void change(standing, { ...standing, rating: next }, () => api.rate(workId, next));
  };
  return (
    <>
      <button
        type="button"
        class="button"
        aria-pressed={listed}
        onClick={() =>
          void change(standing, { ...standing, listed: !listed }, () =>
            api.setListed(workId, !listed),
          )
        }
      >
        <Icon name={listed ? "check" : "plus"} />
        {listed ? say("standing.take_off") : say("standing.add")}
      </button>
      <div class="thumbs" role="group" aria-label={say("standing.rate")}>
        {RATINGS.map(([each, text, icon]) => (
          <button
            key={each}
            type="button"
            class={`button round ${each}`}
            aria-pressed={each === rating}
            aria-label={say(text)}
            title={say(text)}
            onClick={() => rate(each)}
          >
            <Icon name={icon} />
          </button>
        ))}
      </div>
      <p class="complaint" role="alert">
        {complaint}
      </p>
    </>
  );
}
