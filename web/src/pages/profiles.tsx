// Who is watching: the profiles of the account, and what one asks for before it opens.

import { useEffect, useState } from "preact/hooks";
import { api, ApiError, type Household, type Profile } from "../api.ts";
import { complaintOf, isLoggedOut } from "../complaint.ts";
import { say } from "../language.ts";
import { ProfilePicture } from "../parts/avatar.tsx";
import { FormPage, PasswordField, textOf } from "../parts/form.tsx";
import { Icon } from "../parts/icon.tsx";
import { Message } from "../parts/message.tsx";
import { PinPage } from "../parts/pin.tsx";
import { useFirstFocus } from "../parts/use-first-focus.ts";
import { follow } from "../route.ts";
import { useArrows } from "./home.tsx";

interface ProfilesPageProps {
  readonly serviceName: string;
  /** Whether this login is on a profile already, so that one can go back to it. */
  readonly kids: boolean;
  readonly onChosen: (profile: Profile) => void;
  readonly onLogOut: () => void;
  readonly onLoggedOut: () => void;
}

type Asked = { readonly profile: Profile; readonly proof: "pin" | "password" };

/** The profiles of the account, once they are known. */
export function useHousehold(onLoggedOut: () => void) {
  const [household, setHousehold] = useState<Household>();
  const [complaint, setComplaint] = useState("");
  const load = () => {
    api.household().then(setHousehold, (error: unknown) => {
      if (isLoggedOut(error)) onLoggedOut();
      else setComplaint(complaintOf(error));
    });
  };
  useEffect(load, [onLoggedOut]);
  return { household, complaint, load };
}

export function ProfilesPage(props: ProfilesPageProps) {
  const { household, complaint, load } = useHousehold(props.onLoggedOut);
  const [asked, setAsked] = useState<Asked>();
  const [refused, setRefused] = useState("");
  useArrows();

  async function choose(profile: Profile, pin = "", password = ""): Promise<void> {
    props.onChosen(await api.chooseProfile(profile.profile_id, pin, password));
  }

  async function pick(profile: Profile): Promise<void> {
    if (profile.has_pin && profile.profile_id !== household?.current) {
      return setAsked({ profile, proof: "pin" });
    }
    try {
      await choose(profile);
    } catch (error) {
      if (error instanceof ApiError && error.code === "pin_needed") {
        setAsked({ profile, proof: "pin" });
      } else if (error instanceof ApiError && error.code === "password_needed") {
        setAsked({ profile, proof: "password" });
      } else if (isLoggedOut(error)) props.onLoggedOut();
      else setRefused(complaintOf(error));
    }
  }

  if (asked?.proof === "pin") {
    return (
      <PinPage
        profile={asked.profile}
        onPin={(pin) => choose(asked.profile, pin)}
        onPassword={() => setAsked({ profile: asked.profile, proof: "password" })}
        onBack={() => setAsked(undefined)}
      />
    );
  }
  if (asked) {
    return (
      <FormPage
        serviceName={props.serviceName}
        title={props.kids ? say("profiles.password_title") : asked.profile.name}
        lead={say("profiles.password_lead")}
        submit={say("profiles.open")}
        below={
          <button type="button" class="plain" onClick={() => setAsked(undefined)}>
            {say("profiles.back")}
          </button>
        }
        onSubmit={(form) => choose(asked.profile, "", textOf(form, "password"))}
      >
        <PasswordField label={say("login.password")} />
      </FormPage>
    );
  }
  if (complaint) return <Message text={complaint} action={say("error.retry")} onAction={load} />;
  if (!household) return <div class="blank" aria-busy="true" />;
  return (
    <main class="chooser">
      <h1>{say("profiles.title")}</h1>
      <p class="complaint" role="alert">
        {refused}
      </p>
      <ul class="profiles">
        {household.profiles.map((profile, place) => (
          <Choice
            key={profile.profile_id}
            profile={profile}
            first={household.current ? profile.profile_id === household.current : place === 0}
            onPick={() => void pick(profile)}
          />
        ))}
      </ul>
      <p class="choices">
        {household.current && !props.kids && (
          <a class="button" href="/profiles/manage" onClick={follow}>
            {say("profiles.manage")}
          </a>
        )}
        {household.current && !props.kids && (
          <a class="button" href="/account" onClick={follow}>
            {say("account.title")}
          </a>
        )}
        <button type="button" class="button quiet" onClick={props.onLogOut}>
          {say("login.out")}
        </button>
      </p>
    </main>
  );
}

function Choice(props: {
  readonly profile: Profile;
  readonly first: boolean;
  readonly onPick: () => void;
}) {
  const { profile } = props;
  const focused = useFirstFocus<HTMLButtonElement>();
  return (
    <li>
      <button
        type="button"
        class="choice"
        ref={props.first ? focused : null}
        aria-label={profile.has_pin ? say("profiles.locked", { name: profile.name }) : profile.name}
        onClick={props.onPick}
      >
        <ProfilePicture color={profile.color} avatar={profile.avatar} />
        <span class="choice-name">
          {profile.name}
          {profile.has_pin && <Icon name="lock" />}
        </span>
      </button>
    </li>
  );
}
