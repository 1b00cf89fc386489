import { useEffect, useState } from "preact/hooks";
import { say } from "../language.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import type { Screening } from "./screening.ts";

const REFRESH_MS = 500;

/** Figures over the picture, for whoever wants to know what the player does. */
export function Stats({ screening }: { readonly screening: Screening }) {
  const [now, setNow] = useState(() => diagnosticsOf(screening));
  useEffect(() => {
    const timer = setInterval(() => setNow(diagnosticsOf(screening)), REFRESH_MS);
    return () => clearInterval(timer);
  }, [screening]);
  const facts = [
    [say("stats.appliance"), now.appliance],
    [say("stats.picture"), `${now.width}×${now.height} · ${now.bitrate_kbps} kb/s`],
    [say("stats.frames"), now.frames],
    [say("stats.dropped"), now.dropped_frames],
    [say("stats.bandwidth"), `${now.bandwidth_kbps} kb/s`],
    [say("stats.buffer"), `${now.buffer_s.toFixed(1)} s`],
    [say("stats.stalls"), now.stalls],
    [say("stats.restarts"), now.restarts],
  ];
  return (
    <dl class="stats" aria-label={say("player.stats")}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
