// The profiles of the account, made and changed.

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import {
  api,
  AVATARS,
  COLORS,
  type Avatar,
  type Color,
  type Household,
  type Profile,
  type ProfileChange,
} from "../api.ts";
import { complaintOf } from "../complaint.ts";
import { say } from "../language.ts";
import { ProfilePicture } from "../parts/avatar.tsx";
import { textOf, useSubmit } from "../parts/form.tsx";
import { Message } from "../parts/message.tsx";
import { follow } from "../route.ts";
import { languages, ownName } from "../strings.ts";
import { useHousehold } from "./profiles.tsx";

const AGES = [0, 6, 9, 12, 14, 16, 18];
const KIDS_AT_MOST = 12;
const SPOKEN = ["de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt-BR", "sv", "tr", "uk"];

interface ManagePageProps {
  readonly onLoggedOut: () => void;
  /** The profile that this login is on may be another by now, or called otherwise. */
  readonly onChanged: () => void;
}

export function ManagePage({ onLoggedOut, onChanged }: ManagePageProps) {
  const { household, complaint, load } = useHousehold(onLoggedOut);
  const [edited, setEdited] = useState<Profile | "new">();
  if (complaint) return <Message text={complaint} action={say("error.retry")} onAction={load} />;
  if (!household) return <div class="blank" aria-busy="true" />;
  if (edited) {
    return (
      <EditPage
        profile={edited === "new" ? undefined : edited}
        household={household}
        onDone={() => {
          setEdited(undefined);
          load();
          onChanged();
        }}
      />
    );
  }
  return (
    <main class="chooser">
      <h1>{say("profiles.manage")}</h1>
      <ul class="profiles">
        {household.profiles.map((profile) => (
          <li key={profile.profile_id}>
            <button
              type="button"
              class="choice"
              aria-label={say("profile.edit", { name: profile.name })}
              onClick={() => setEdited(profile)}
            >
              <ProfilePicture color={profile.color} avatar={profile.avatar} />
              <span class="choice-name">{profile.name}</span>
              <span class="soft">{boundOf(profile)}</span>
            </button>
          </li>
        ))}
        {household.profiles.length < household.most && (
          <li>
            <button type="button" class="choice" onClick={() => setEdited("new")}>
              <span class="avatar empty" aria-hidden="true">
                +
              </span>
              <span class="choice-name">{say("profiles.add")}</span>
            </button>
          </li>
        )}
      </ul>
      <p class="choices">
        <a class="button primary" href="/profiles" onClick={follow}>
          {say("profiles.done")}
        </a>
      </p>
    </main>
  );
}

function boundOf(profile: Profile): string {
  const { maturity } = profile;
  if (profile.kids) return `${say("profile.kids")} · ${maturity}`;
  return maturity === null ? "" : say("profile.maturity_up_to", { age: String(maturity) });
}

/** Colors and shapes that the others have not, so that a household is told apart. */
function unlike(household: Household): { color: Color; avatar: Avatar } {
  const taken = household.profiles;
  return {
    color: COLORS.find((each) => !taken.some((one) => one.color === each)) ?? COLORS[0],
    avatar: AVATARS.find((each) => !taken.some((one) => one.avatar === each)) ?? AVATARS[0],
  };
}

interface EditPageProps {
  readonly profile: Profile | undefined;
  readonly household: Household;
  readonly onDone: () => void;
}

function EditPage({ profile, household, onDone }: EditPageProps) {
  const fresh = unlike(household);
  const [color, setColor] = useState<Color>(profile?.color ?? fresh.color);
  const [avatar, setAvatar] = useState<Avatar>(profile?.avatar ?? fresh.avatar);
  const [name, setName] = useState(profile?.name ?? "");
  const [kids, setKids] = useState(profile?.kids ?? false);
  const [said, setSaid] = useState("");
  const [password, setPassword] = useState("");
  const { busy, refused, submit } = useSubmit(async (form) => {
    setSaid("");
    const change = changeOf(form, { color, avatar, kids }, profile);
    if (profile) await api.changeProfile(profile.profile_id, change);
    else await api.createProfile(change);
    onDone();
  });

  async function attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      onDone();
    } catch (error) {
      setSaid(complaintOf(error));
    }
  }

  const current = household.profiles.find((each) => each.profile_id === household.current);
  const needsPassword = Boolean(profile?.has_pin) || (current?.maturity ?? null) !== null;
  return (
    <main class="chooser edit">
      <form class="login-form" onSubmit={submit} aria-labelledby="form-title">
        <ProfilePicture color={color} avatar={avatar} />
        <h1 id="form-title">
          {profile ? say("profile.edit", { name: profile.name }) : say("profile.new")}
        </h1>
        <label>
          {say("profile.name")}
          <input
            name="name"
            maxLength={64}
            required
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
            autofocus
          />
        </label>
        <Picks label={say("profile.color")} values={COLORS} chosen={color} onPick={setColor}>
          {(each) => <ProfilePicture color={each} avatar={avatar} />}
        </Picks>
        <Picks label={say("profile.avatar")} values={AVATARS} chosen={avatar} onPick={setAvatar}>
          {(each) => <ProfilePicture color={color} avatar={each} />}
        </Picks>
        <label class="check">
          <input
            type="checkbox"
            checked={kids}
            onChange={(event) => setKids(event.currentTarget.checked)}
          />
          <span>
            {say("profile.kids")}
            <span class="rule">{say("profile.kids_lead")}</span>
          </span>
        </label>
        <Maturity kids={kids} profile={profile} />
        <Choices
          name="language"
          label={say("profile.language")}
          none={say("profile.language_device")}
          languages={languages}
          chosen={profile?.language ?? ""}
        />
        <Choices
          name="sound"
          label={say("profile.sound")}
          none={say("profile.sound_own")}
          languages={SPOKEN}
          chosen={profile?.sound_languages[0] ?? ""}
        />
        <Choices
          name="captions"
          label={say("profile.captions")}
          none={say("profile.captions_none")}
          languages={SPOKEN}
          chosen={profile?.caption_languages[0] ?? ""}
        />
        <label class="check">
          <input name="autoplay" type="checkbox" defaultChecked={profile?.autoplay ?? true} />
          <span>{say("profile.autoplay")}</span>
        </label>
        <label>
          {say("profile.new_pin")}
          <input
            name="pin"
            inputMode="numeric"
            pattern="[0-9]{4}"
            maxLength={4}
            autocomplete="off"
            aria-describedby="pin-rule"
          />
          <span class="rule" id="pin-rule">
            {say(profile?.has_pin ? "profile.pin_kept" : "profile.pin_lead")}
          </span>
        </label>
        {needsPassword && (
          <label>
            {say("profile.password")}
            <input
              name="password"
              type="password"
              autocomplete="current-password"
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
            <span class="rule">{say("profile.password_why")}</span>
          </label>
        )}
        <p class="complaint" role="alert">
          {refused || said}
        </p>
        <button class="button primary" type="submit" disabled={busy}>
          {busy ? say("form.busy") : say("profile.save")}
        </button>
        <button type="button" class="button" onClick={onDone}>
          {say("profiles.back")}
        </button>
        {profile?.has_pin && (
          <button
            type="button"
            class="plain"
            onClick={() =>
              void attempt(() => api.changeProfile(profile.profile_id, { pin: "", password }))
            }
          >
            {say("profile.pin_remove")}
          </button>
        )}
        {profile && household.profiles.length > 1 && (
          <>
            <p class="rule soft">{say("profile.delete_lead")}</p>
            <button
              type="button"
              class="button danger"
              onClick={() => void attempt(() => api.deleteProfile(profile.profile_id, password))}
            >
              {say("profile.delete")}
            </button>
          </>
        )}
      </form>
    </main>
  );
}

/** What the form says that is to be another: a guard that stays needs no password. */
function changeOf(
  form: FormData,
  picked: { readonly color: Color; readonly avatar: Avatar; readonly kids: boolean },
  profile: Profile | undefined,
): ProfileChange {
  const { kids } = picked;
  const chosen = textOf(form, "maturity");
  const maturity = chosen === "" ? null : Number(chosen);
  const pin = textOf(form, "pin");
  const list = (name: string) => [textOf(form, name)].filter(Boolean);
  return {
    name: textOf(form, "name"),
    color: picked.color,
    avatar: picked.avatar,
    language: textOf(form, "language"),
    sound_languages: [...new Set([...list("sound"), ...(profile?.sound_languages.slice(1) ?? [])])],
    caption_languages: list("captions"),
    autoplay: form.has("autoplay"),
    ...(kids === profile?.kids ? {} : { kids }),
    ...(profile && maturity === profile.maturity ? {} : { maturity }),
    ...(pin ? { pin } : {}),
    password: textOf(form, "password"),
  };
}

function Maturity({ kids, profile }: { readonly kids: boolean; readonly profile: Profile | undefined }) {
  const ages = AGES.filter((age) => !kids || age <= KIDS_AT_MOST);
  const own = profile?.maturity ?? null;
  if (own !== null && !ages.includes(own) && (!kids || own <= KIDS_AT_MOST)) ages.push(own);
  const standing = own === null || (kids && own > KIDS_AT_MOST) ? (kids ? KIDS_AT_MOST : null) : own;
  return (
    <label>
      {say("profile.maturity")}
      <select name="maturity" key={String(kids)}>
        {!kids && (
          <option value="" selected={standing === null}>
            {say("profile.maturity_all")}
          </option>
        )}
        {ages.map((age) => (
          <option key={age} value={String(age)} selected={age === standing}>
            {say("profile.maturity_up_to", { age: String(age) })}
          </option>
        ))}
      </select>
    </label>
  );
}

function Choices(props: {
  readonly name: string;
  readonly label: string;
  readonly none: string;
  readonly languages: readonly string[];
  readonly chosen: string;
}) {
  const { chosen } = props;
  const others = chosen && !props.languages.includes(chosen) ? [chosen] : [];
  return (
    <label>
      {props.label}
      <select name={props.name}>
        <option value="" selected={!chosen}>
          {props.none}
        </option>
        {[...others, ...props.languages].map((tag) => (
          <option key={tag} value={tag} selected={tag === chosen}>
            {ownName(tag)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Picks<Value extends string>(props: {
  readonly label: string;
  readonly values: readonly Value[];
  readonly chosen: Value;
  readonly onPick: (value: Value) => void;
  readonly children: (value: Value) => ComponentChild;
}) {
  return (
    <fieldset class="picks">
      <legend>{props.label}</legend>
      {props.values.map((value) => (
        <button
          key={value}
          type="button"
          class="pick"
          aria-label={`${props.label}: ${value}`}
          aria-pressed={value === props.chosen}
          onClick={() => props.onPick(value)}
        >
          {props.children(value)}
        </button>
      ))}
    </fieldset>
  );
}
