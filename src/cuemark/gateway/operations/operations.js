// Renews the sections of the page of operations that changed, and redeems a login link.

const EVERY_MS = 2000;
const PATIENCE_MS = 10000;

const contact = () => document.getElementById("contact");

async function renew() {
  if (document.hidden) return;
  let response;
  try {
    response = await fetch(location.pathname, {
      headers: { accept: "text/html" },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (error) {
    lost(error instanceof DOMException ? "the gateway is slow" : "the gateway does not answer");
    return;
  }
  if (response.status === 401 || response.status === 403) {
    location.reload();
    return;
  }
  if (!response.ok) {
    lost(`the gateway answered ${response.status}`);
    return;
  }
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const section of fresh.querySelectorAll("section[id], #contact")) {
    const old = document.getElementById(section.id);
    if (old && old.innerHTML !== section.innerHTML) replace(old, section);
  }
  contact()?.classList.remove("lost");
}

// The keyboard's place, and how far a table was moved aside, outlive the renewal.
function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const focusables = (root) => [...root.querySelectorAll("a, [tabindex]")];
  const place = focused ? focusables(old).indexOf(focused) : -1;
  const address = focused?.getAttribute("href");
  const aside = [...old.querySelectorAll(".frame")].map((frame) => frame.scrollLeft);
  old.innerHTML = fresh.innerHTML;
  [...old.querySelectorAll(".frame")].forEach((frame, n) => {
    frame.scrollLeft = aside[n] ?? 0;
  });
  if (!focused) return;
  const again = focusables(old);
  const same = address && again.find((each) => each.getAttribute("href") === address);
  (same || again[place])?.focus({ preventScroll: true });
}

function lost(why) {
  const place = contact();
  if (!place) return;
  place.textContent = `${why}: what you see is old, trying again`;
  place.classList.add("lost");
}

async function redeem() {
  const told = document.getElementById("told");
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  // Out of the address bar before anything else: a code is a password that works once.
  history.replaceState(null, "", location.pathname);
  if (!code) {
    told.textContent = "There is no code in this address: run `cuemark operations` for a link.";
    return;
  }
  try {
    const response = await fetch("/operations/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.ok) {
      location.replace("/operations");
      return;
    }
    told.textContent = (await response.json()).error.message;
  } catch {
    told.textContent = "The gateway does not answer: try again in a moment.";
  }
}

if (location.pathname === "/operations/login") {
  redeem();
} else if (document.body.dataset.live !== undefined) {
  setInterval(renew, EVERY_MS);
  document.addEventListener("visibilitychange", renew);
}
