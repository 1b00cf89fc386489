// Recovery codes, the one time that they are shown. Printed, the sheet is all that is on the paper.

import { useState } from "preact/hooks";
import { say } from "../language.ts";

interface RecoverySheetProps {
  readonly codes: readonly string[];
  readonly onKept: () => void;
}

export function RecoverySheet({ codes, onKept }: RecoverySheetProps) {
  const [copied, setCopied] = useState(false);
  return (
    <section class="sheet" aria-labelledby="protection.codes_new">
      <h3 id="protection.codes_new">{say("protection.codes_new")}</h3>
      <p class="soft">{say("protection.codes_keep")}</p>
      <ol>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <p class="actions">
        <button
          type="button"
          class="button"
          onClick={() => {
            // Without leave to write there the codes can still be read and printed.
            void navigator.clipboard.writeText(codes.join("\n")).then(
              () => setCopied(true),
              () => setCopied(false),
            );
          }}
        >
          {say(copied ? "protection.codes_copied" : "protection.codes_copy")}
        </button>
        <button type="button" class="button" onClick={() => window.print()}>
          {say("protection.codes_print")}
        </button>
        <button type="button" class="button primary" onClick={onKept}>
          {say("protection.codes_done")}
        </button>
      </p>
    </section>
  );
}
