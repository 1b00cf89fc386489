import { render } from "preact";
import { App } from "./app.tsx";
import { language } from "./language.ts";
import { Boundary } from "./parts/boundary.tsx";
import "./style/base.css";
import "./style/pages.css";
import "./style/plan.css";
import "./style/profiles.css";
import "./style/player.css";
import "./style/search.css";

document.documentElement.lang = language;
const root = document.getElementById("page");
if (root) {
  render(
    <Boundary>
      <App />
    </Boundary>,
    root,
  );
}
