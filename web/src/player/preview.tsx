import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { clock } from "../timeline.ts";
import type { Tile } from "./thumbnails.ts";

export type PreviewTile = Tile<ImageBitmap>;
export type TileAt = (positionS: number) => Promise<PreviewTile | undefined>;

interface PreviewProps {
  /** Where in the film, in seconds. */
  readonly positionS: number;
  /** Where on the bar, 0 to 1. */
  readonly share: number;
  readonly tileAt: TileAt;
}

/** What a press here would show: the time, above it the picture where the film has pictures. */
export function Preview({ positionS, share, tileAt }: PreviewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useLatestTile(positionS, tileAt);
  const tile = latest && shows(latest, positionS) ? latest : undefined;
  useLayoutEffect(() => {
    const drawing = canvas.current?.getContext("2d");
    if (!drawing || !tile) return;
    const { sheet, x, y, width, height } = tile;
    drawing.drawImage(sheet, x, y, width, height, 0, 0, width, height);
  }, [tile]);
  return (
    <div
      class={latest ? "preview pictured" : "preview"}
      aria-hidden="true"
      style={{ "--at": `${share * 100}%`, "--ratio": latest ? latest.width / latest.height : 1 }}
    >
      {latest && (
        <canvas
          ref={canvas}
          class={tile ? "" : "pending"}
          width={latest.width}
          height={latest.height}
        />
      )}
      <span class="preview-time">{clock(positionS)}</span>
    </div>
  );
}

function shows(tile: PreviewTile, positionS: number): boolean {
  const offS = positionS - tile.startS;
  return offS > -0.001 && offS < tile.durationS + 0.001;
}

/** The last tile that came. One is asked for at a time, always for where the pointer is then. */
function useLatestTile(positionS: number, tileAt: TileAt): PreviewTile | undefined {
  const [tile, setTile] = useState<PreviewTile>();
  const wantedS = useRef<number>(undefined);
  const asking = useRef(false);
  wantedS.current = positionS;
  useEffect(() => {
    void (async () => {
      if (asking.current) return;
      asking.current = true;
      let askedS: number | undefined;
      while (wantedS.current !== undefined && wantedS.current !== askedS) {
        askedS = wantedS.current;
        const found = await tileAt(askedS);
        if (found) setTile(found);
      }
      asking.current = false;
    })();
  }, [positionS]);
  useEffect(
    () => () => {
      wantedS.current = undefined;
    },
    [],
  );
  return tile;
}
