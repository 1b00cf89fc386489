// Who is here, and which view they see.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, type Member } from "./api.ts";
import { complaintOf, isLoggedOut } from "./complaint.ts";
import { say } from "./language.ts";
import { HomePage } from "./pages/home.tsx";
import { LoginPage } from "./pages/login.tsx";
import { WorkPage } from "./pages/work.tsx";
import { Message } from "./parts/message.tsx";
import { codeOf, go, useRoute } from "./route.ts";

type Visit =
  | { readonly is: "asking" }
  | { readonly is: "redeeming" }
  | { readonly is: "guest"; readonly complaint: string }
  | { readonly is: "member"; readonly member: Member }
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

function useServiceName(): string {
  const [name, setName] = useState(say("service.fallback"));
  useEffect(() => {
    // The name is an ornament: without it the fallback stands, and other calls say what is wrong.
    api.service().then(
      (service) => setName(service.name || say("service.fallback")),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
      },
    );
  }, []);
  return name;
}

export function App() {
  const route = useRoute();
  const serviceName = useServiceName();
  const [visit, setVisit] = useState<Visit>({ is: "asking" });
  const wantedPath = useRef("/");
  const WatchPage = useWatchPage(visit.is === "member");

  const toLogin = useCallback((complaint = "") => {
    if (location.pathname !== "/login") {
      wantedPath.current = location.pathname;
      go("/login", { replace: true });
    }
    setVisit({ is: "guest", complaint });
  }, []);

  const enter = useCallback(async () => {
    try {
      const member = await api.me();
      setVisit({ is: "member", member });
      if (location.pathname === "/login") go(wantedPath.current, { replace: true });
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
      await api.redeem(code);
    } catch (error) {
      return toLogin(isLoggedOut(error) ? say("login.link_spent") : complaintOf(error));
    }
    return enter();
  }, [enter, toLogin]);

  useEffect(() => {
    void arrive();
    const clicked = () => void arrive();
    window.addEventListener("hashchange", clicked);
    return () => window.removeEventListener("hashchange", clicked);
  }, [arrive]);

  useEffect(() => {
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
    return <LoginPage serviceName={serviceName} complaint={visit.complaint} onIn={enter} />;
  }
  if (route.view === "watch") {
    if (!WatchPage) return <Message text={say("player.loading")} busy />;
    return <WatchPage key={route.titleId} titleId={route.titleId} onLoggedOut={toLogin} />;
  }
  if (route.view === "work") {
    return <WorkPage key={route.workId} workId={route.workId} onLoggedOut={toLogin} />;
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
