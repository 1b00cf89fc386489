import assert from "node:assert/strict";
import { test } from "node:test";
import { roleOf, soundsOf, type SoundTrack } from "./sounds.ts";

const track = (language: string, label: string, more: Partial<SoundTrack> = {}): SoundTrack => ({
  language,
  label,
  roles: ["main"],
  accessibilityPurpose: null,
  active: false,
  ...more,
});
const EN = track("en", "English");
const EN_6 = track("en", "English", { active: true });
const FR = track("fr", "Français", { roles: ["dub"] });
const EN_AD = track("en", "English (audio description)", {
  roles: ["alternate"],
  accessibilityPurpose: "visually impaired",
});
const EN_TALK = track("en", "English (commentary)", { roles: ["commentary"] });
const EN_TALK_2 = track("en", "English (The composer)", { roles: ["commentary"] });

test("each sound can be chosen once, whatever it is encoded in", () => {
  const sounds = soundsOf([EN, EN_6, FR, EN_AD, EN_TALK, EN_TALK_2]);
  assert.deepEqual(
    sounds.map(({ id, role, title }) => [id, role, title]),
    [
      ["en", "main", ""],
      ["fr", "main", ""],
      ["en:description", "description", ""],
      ["en:commentary", "commentary", ""],
      ["en:commentary:English (The composer)", "commentary", "English (The composer)"],
    ],
  );
  assert.equal(sounds[0]?.track, EN_6);
});

test("whom a sound is for is what the manifest says", () => {
  assert.equal(roleOf(track("en", "", { accessibilityPurpose: "hard of hearing" })), "clear");
  assert.equal(roleOf(FR), "main");
});

test("a film of an older release has one sound without a name", () => {
  assert.deepEqual(soundsOf([track("und", "")]).map(({ id }) => id), ["und"]);
});
