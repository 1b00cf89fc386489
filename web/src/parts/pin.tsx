// Four digits, by a pad that a remote, a finger or a keyboard can use.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Profile } from "../api.ts";
import { complaintOf } from "../complaint.ts";
import { say } from "../language.ts";
import { directionOf, moveFocus } from "../spatial.ts";
import { ProfilePicture } from "./avatar.tsx";
import { useFirstFocus } from "./use-first-focus.ts";

const LENGTH = 4;
const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

interface PinPageProps {
  readonly profile: Profile;
  readonly onPin: (pin: string) => Promise<void>;
  readonly onPassword: () => void;
  readonly onBack: () => void;
}

export function PinPage({ profile, onPin, onPassword, onBack }: PinPageProps) {
  const [typed, setShown] = useState("");
  // Fingers are quicker than what is drawn: digits are counted here.
  const digits = useRef("");
  const [refused, setRefused] = useState("");
  const first = useFirstFocus<HTMLButtonElement>();

  function show(pin: string): void {
    digits.current = pin;
    setShown(pin);
  }

  async function type(digit: string): Promise<void> {
    if (digits.current.length >= LENGTH) return;
    show(digits.current + digit);
    setRefused("");
    if (digits.current.length < LENGTH) return;
    try {
      await onPin(digits.current);
    } catch (error) {
      setRefused(complaintOf(error));
      show("");
    }
  }

  const takeBack = () => show(digits.current.slice(0, -1));

  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const direction = directionOf(event.key);
      if (/^[0-9]$/.test(event.key)) void type(event.key);
      else if (event.key === "Backspace") takeBack();
      else if (event.key === "Escape") onBack();
      else if (!direction || !moveFocus(document, direction)) return;
      event.preventDefault();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  });

  return (
    <main class="chooser pin">
      <ProfilePicture color={profile.color} avatar={profile.avatar} />
      <h1>{say("profiles.pin_title", { name: profile.name })}</h1>
      <p class="dots" role="status" aria-label={`${typed.length} / ${LENGTH}`}>
        {Array.from({ length: LENGTH }, (_, place) => (
          <span key={place} class={place < typed.length ? "dot full" : "dot"} />
        ))}
      </p>
      <p class="complaint" role="alert">
        {refused}
      </p>
      <div class="pad" role="group" aria-label={say("profiles.pin")}>
        {DIGITS.map((digit) => (
          <button
            key={digit}
            ref={digit === "5" ? first : null}
            type="button"
            class="key"
            onClick={() => void type(digit)}
          >
            {digit}
          </button>
        ))}
        <button type="button" class="key" aria-label={say("profiles.back")} onClick={onBack}>
          ×
        </button>
        <button type="button" class="key" onClick={() => void type("0")}>
          0
        </button>
        <button
          type="button"
          class="key"
          aria-label={say("profiles.digit_back")}
          onClick={takeBack}
        >
          ‹
        </button>
      </div>
      <button type="button" class="plain" onClick={onPassword}>
        {say("profiles.forgot_pin")}
      </button>
    </main>
  );
}
