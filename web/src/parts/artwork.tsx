import { useState } from "preact/hooks";
import { Mark } from "./mark.tsx";

interface ArtworkProps {
  readonly title: { readonly artwork_url: string };
  readonly eager?: boolean;
  /** Without the title's name on it, where the name stands beside it in large. */
  readonly plain?: boolean;
}

/** A title's picture; the mark on a plain ground while there is none. */
export function Artwork({ title, eager = false, plain = false }: ArtworkProps) {
  const [state, setState] = useState<"loading" | "shown" | "absent">("loading");
  const absent = !title.artwork_url || state === "absent";
  return (
    <span class={absent ? "artwork absent" : `artwork ${state}`}>
      {absent ? (
        <Mark />
      ) : (
        <img
          src={plain ? `${title.artwork_url}?plain=true` : title.artwork_url}
          alt=""
          loading={eager ? "eager" : "lazy"}
          decoding="async"
          onLoad={() => setState("shown")}
          onError={() => setState("absent")}
        />
      )}
    </span>
  );
}
