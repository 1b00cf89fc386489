// Who is here, and which view they see.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, type FactorAsked, type Member, type Profile, type Service } from "./api.ts";
import { complaintOf, isLoggedOut } from "./complaint.ts";
import { say } from "./language.ts";
import { AccountPage } from "./pages/account.tsx";
import { DevicePage } from "./pages/device.tsx";
import { HistoryPage } from "./pages/history.tsx";
import { HomePage } from "./pages/home.tsx";
import {
  EmailPage,
  ForgotPage,
  JoinPage,
  LetterLoginPage,
  ResetPage,
  SignUpPage,
} from "./pages/joining.tsx";
import { LoginPage } from "./pages/login.tsx";
import { PlanPage } from "./pages/plan/page.tsx";
import { ManagePage } from "./pages/manage.tsx";
import { ProfilesPage } from "./pages/profiles.tsx";
import { SearchPage } from "./pages/search.tsx";
import { WorkPage } from "./pages/work.tsx";
import { Message } from "./parts/message.tsx";
import { Prover } from "./parts/prover.tsx";
import { codeOf, go, isOpen, useRoute, type Open } from "./route.ts";
import { keepViewer, viewer } from "./viewer.ts";

type Visit =
  | { readonly is: "asking" }
  | { readonly is: "redeeming" }
  | { readonly is: "guest"; readonly complaint: string; readonly asked?: FactorAsked }
  | { readonly is: "member"; readonly member: Member }
  | { readonly is: "asked"; readonly member: Member }
  | { readonly is: "failed"; readonly complaint: string };

type WatchPage = typeof import("./pages/watch.tsx").WatchPage;

/** The player is most of the page's bytes: it follows once the titles are on their way. */
function useWatchPage(wanted: boolean): WatchPage | undefined {
  const [page, setPage] = useState<{ readonly View: WatchPage }>();
  useEffect(() => {
    if (wanted) void import("./pages/watch.tsx").then(({ WatchPage }) => setPage({ View: WatchPage }));
  }, [wanted]);
  return page?.View;
}

function useService(): Service {
  const [service, setService] = useState<Service>({
    name: say("service.fallback"),
    sign_up: "closed",
    payments: { provider: "none" },
  });
  useEffect(() => {
    // The name is an ornament: without it the fallback stands, and other calls say what is wrong.
    api.service().then(
      (found) => setService({ ...found, name: found.name || say("service.fallback") }),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
      },
    );
  }, []);
  return service;
}

/** The pages that a letter leads to, and those that ask for one. */
function OpenPage(props: {
  readonly view: Open;
  readonly serviceName: string;
  readonly onIn: () => Promise<void>;
}) {
  const { view, serviceName, onIn } = props;
  switch (view) {
    case "sign-up":
      return <SignUpPage serviceName={serviceName} />;
    case "join":
      return <JoinPage serviceName={serviceName} onIn={onIn} />;
    case "forgot":
      return <ForgotPage serviceName={serviceName} />;
    case "letter":
      return <LetterLoginPage serviceName={serviceName} />;
    case "reset":
      return <ResetPage serviceName={serviceName} />;
    case "email":
    case "email-back":
      return <EmailPage serviceName={serviceName} back={view === "email-back"} />;
  }
}

/** Whether the page has to speak another language to this profile. */
async function isToldAnew(member: Member): Promise<boolean> {
  const { profiles } = await api.household();
  return keepViewer(profiles.find((each) => each.profile_id === member.profile_id));
}

/** What was changed of the profile on another device holds here too, from the next view on. */
async function refresh(member: Member): Promise<void> {
  try {
    await isToldAnew(member);
  } catch (error) {
    // What this device knows will do until it is asked again.
    if (!(error instanceof ApiError)) throw error;
  }
}

export function App() {
  const route = useRoute();
  const service = useService();
  const serviceName = service.name;
  const [visit, setVisit] = useState<Visit>({ is: "asking" });
  const wantedPath = useRef("/");
  const WatchPage = useWatchPage(visit.is === "member");

  const toLogin = useCallback((complaint = "") => {
    if (location.pathname !== "/login") {
      wantedPath.current = location.pathname + location.search;
      go("/login", { replace: true });
    }
    setVisit({ is: "guest", complaint });
  }, []);

  const enter = useCallback(async () => {
    try {
      const member = await api.me();
      if (member.role === "member" && !member.profile_id) {
        return setVisit({ is: "asked", member });
      }
      const known = member.role !== "member" || member.profile_id === viewer().profile_id;
      if (!known && (await isToldAnew(member))) return location.reload();
      setVisit({ is: "member", member });
      if (known && member.role === "member") void refresh(member);
      const here = location.pathname;
      if (here === "/login" || here === "/join") go(wantedPath.current, { replace: true });
    } catch (error) {
      if (isLoggedOut(error)) toLogin();
      else setVisit({ is: "failed", complaint: complaintOf(error) });
    }
  }, [toLogin]);

  const arrive = useCallback(async () => {
    const code = location.pathname === "/login" ? codeOf(location.hash) : "";
    if (!code) return enter();
    // Out of the address bar before anything else: a code is a password that works once.
    history.replaceState(null, "", "/login");
    setVisit({ is: "redeeming" });
    try {
      const asked = await api.redeem(code);
      if (asked) return setVisit({ is: "guest", complaint: "", asked });
    } catch (error) {
      return toLogin(isLoggedOut(error) ? say("login.link_spent") : complaintOf(error));
    }
    return enter();
  }, [enter, toLogin]);

  const open = isOpen(route.view);
  useEffect(() => {
    // What a letter leads to has a code of its own, and needs nobody to be here.
    if (open) return;
    void arrive();
    const clicked = () => void arrive();
    window.addEventListener("hashchange", clicked);
    return () => window.removeEventListener("hashchange", clicked);
  }, [arrive, open]);

  // Before the effects of the page that is shown, which may have a title of its own.
  useLayoutEffect(() => {
    document.title = serviceName;
  }, [serviceName, route.view]);

  const logOut = useCallback(async () => {
    try {
      await api.logout();
    } catch (error) {
      if (!isLoggedOut(error)) return setVisit({ is: "failed", complaint: complaintOf(error) });
    }
    wantedPath.current = "/";
    go("/login", { replace: true });
    setVisit({ is: "guest", complaint: "" });
  }, []);

  const chosen = useCallback(
    (profile: Profile) => {
      if (location.pathname !== "/device") go("/", { replace: true });
      if (keepViewer(profile)) location.reload();
      else void enter();
    },
    [enter],
  );

  const leave = useCallback(
    (complaint = "") => {
      toLogin(complaint);
      wantedPath.current = "/";
    },
    [toLogin],
  );

  if (isOpen(route.view)) {
    return <OpenPage key={route.view} view={route.view} serviceName={serviceName} onIn={enter} />;
  }
  if (visit.is === "asking") return <div class="blank" aria-busy="true" />;
  if (visit.is === "redeeming") return <Message text={say("login.redeeming")} busy />;
  if (visit.is === "failed") {
    return (
      <Message
        text={visit.complaint}
        action={say("error.retry")}
        onAction={() => void enter()}
      />
    );
  }
  if (visit.is === "guest") {
    return (
      <LoginPage
        key={visit.asked?.challenge ?? "first"}
        service={service}
        complaint={visit.complaint}
        asked={visit.asked}
        onIn={enter}
      />
    );
  }
  if (visit.is === "asked" || (route.view === "profiles" && visit.member.role === "member")) {
    return (
      <ProfilesPage
        serviceName={serviceName}
        kids={visit.member.kids}
        onChosen={chosen}
        onLogOut={() => void logOut()}
        onLoggedOut={toLogin}
      />
    );
  }
  if (route.view === "manage") {
    return (
      <ManagePage
        onLoggedOut={toLogin}
        onChanged={() => void isToldAnew(visit.member).then((anew) => anew && location.reload())}
      />
    );
  }
  if (route.view === "watch") {
    if (!WatchPage) return <Message text={say("player.loading")} busy />;
    return <WatchPage key={route.titleId} titleId={route.titleId} onLoggedOut={toLogin} />;
  }
  if (route.view === "work") {
    return <WorkPage key={route.workId} workId={route.workId} onLoggedOut={toLogin} />;
  }
  if (route.view === "device") {
    return (
      <>
        <Prover />
        <DevicePage serviceName={serviceName} />
      </>
    );
  }
  if (route.view === "plan") return <PlanPage service={service} onLoggedOut={toLogin} />;
  if (route.view === "search") {
    const { kids } = visit.member;
    return <SearchPage key={route.text} text={route.text} kids={kids} onLoggedOut={toLogin} />;
  }
  if (route.view === "history") return <HistoryPage onLoggedOut={toLogin} />;
  if (route.view === "account") {
    return (
      <>
        <Prover />
        <AccountPage
          service={service}
          member={visit.member}
          onLogOut={() => void logOut()}
          onLoggedOut={leave}
        />
      </>
    );
  }
  if (route.view === "lost") {
    return (
      <Message text={say("page.lost")} action={say("page.home")} onAction={() => go("/")} />
    );
  }
  return (
    <HomePage
      serviceName={serviceName}
      member={visit.member}
      onLogOut={() => void logOut()}
      onLoggedOut={toLogin}
    />
  );
}
