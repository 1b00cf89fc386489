// A part of a page that has its own heading.

import type { ComponentChildren } from "preact";
import { say } from "../language.ts";
import type { StringKey } from "../strings.ts";

export function Part(props: {
  readonly title: StringKey;
  readonly lead?: StringKey;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="part" aria-labelledby={props.title}>
      <h2 id={props.title}>{say(props.title)}</h2>
      {props.lead && <p class="soft">{say(props.lead)}</p>}
      {props.children}
    </section>
  );
}
