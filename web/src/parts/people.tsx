import type { Credit } from "../api.ts";
import { say } from "../language.ts";
import { follow, searchPath } from "../route.ts";
import type { StringKey } from "../strings.ts";

/** The parts in the order in which they are told of, each with its heading. */
const ROLES: readonly (readonly [string, StringKey])[] = [
  ["creator", "role.creator"],
  ["director", "role.director"],
  ["writer", "role.writer"],
  ["actor", "role.actor"],
  ["voice", "role.voice"],
  ["narrator", "role.narrator"],
  ["host", "role.host"],
  ["self", "role.self"],
  ["composer", "role.composer"],
  ["cinematographer", "role.cinematographer"],
  ["editor", "role.editor"],
  ["producer", "role.producer"],
];

/** Who made a work and who is in it; nothing where nobody is told of. */
export function People({ credits }: { readonly credits: readonly Credit[] }) {
  const parts = ROLES.map(([role, heading]) => ({
    heading,
    credits: credits.filter((each) => each.role === role),
  })).filter((part) => part.credits.length > 0);
  if (parts.length === 0) return null;
  return (
    <section class="row" aria-labelledby="people">
      <h2 id="people">{say("work.people")}</h2>
      <dl class="told">
        {parts.map((part) => (
          <div key={part.heading}>
            <dt>{say(part.heading)}</dt>
            {part.credits.map((each, place) => (
              <dd key={place}>
                <a class="lead-on" href={searchPath(each.name)} onClick={follow}>
                  {each.name}
                </a>
                {each.character && (
                  <span class="character">{` ${say("work.as", { character: each.character })}`}</span>
                )}
              </dd>
            ))}
          </div>
        ))}
      </dl>
    </section>
  );
}
