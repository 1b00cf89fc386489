import { useRef, useState } from "preact/hooks";
import { say } from "../language.ts";
import { clock, positionUnder, share, type Span } from "../timeline.ts";
import { Preview, type TileAt } from "./preview.tsx";

interface SeekbarProps {
  readonly positionS: number;
  readonly durationS: number;
  readonly buffered: readonly Span[];
  /** A place that a key or a button just went to, to be shown like one under the pointer. */
  readonly wentToS: number | undefined;
  readonly tileAt: TileAt;
  readonly onSeek: (positionS: number) => void;
}

const percent = (part: number) => `${part * 100}%`;

/** The film as a line: what was seen, what is buffered, where a press would go. */
export function Seekbar(props: SeekbarProps) {
  const { positionS, durationS, buffered, wentToS, tileAt, onSeek } = props;
  const bar = useRef<HTMLDivElement>(null);
  const [hoverS, setHoverS] = useState<number>();
  const [draggedS, setDraggedS] = useState<number>();
  const shownS = draggedS ?? positionS;

  function under(event: PointerEvent): number {
    const box = bar.current?.getBoundingClientRect();
    return box ? positionUnder(event.clientX, box.left, box.width, durationS) : 0;
  }

  function moved(event: PointerEvent) {
    setHoverS(under(event));
    if (draggedS !== undefined) setDraggedS(under(event));
  }

  function pressed(event: PointerEvent) {
    if (event.button !== 0) return;
    bar.current?.setPointerCapture(event.pointerId);
    setDraggedS(under(event));
  }

  function released(event: PointerEvent) {
    if (draggedS === undefined) return;
    onSeek(under(event));
    setDraggedS(undefined);
  }

  const previewedS = draggedS ?? wentToS ?? hoverS;
  return (
    <div
      ref={bar}
      class={draggedS === undefined ? "seekbar" : "seekbar dragged"}
      role="slider"
      tabIndex={0}
      data-place="seek"
      aria-label={say("player.seek")}
      aria-valuemin={0}
      aria-valuemax={Math.round(durationS)}
      aria-valuenow={Math.round(shownS)}
      aria-valuetext={say("player.at", { time: clock(shownS), duration: clock(durationS) })}
      onPointerMove={moved}
      onPointerDown={pressed}
      onPointerUp={released}
      onPointerCancel={() => setDraggedS(undefined)}
      onPointerLeave={() => setHoverS(undefined)}
    >
      <div class="seekbar-line">
        {buffered.map((span) => (
          <span
            key={span.startS}
            class="seekbar-buffered"
            style={{
              left: percent(share(span.startS, durationS)),
              width: percent(share(span.endS - span.startS, durationS)),
            }}
          />
        ))}
        <span class="seekbar-seen" style={{ width: percent(share(shownS, durationS)) }} />
      </div>
      <span class="seekbar-knob" style={{ left: percent(share(shownS, durationS)) }} />
      {previewedS !== undefined && (
        <Preview positionS={previewedS} share={share(previewedS, durationS)} tileAt={tileAt} />
      )}
    </div>
  );
}
