import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Icon } from "../parts/icon.tsx";

export interface Choice {
  readonly value: string;
  readonly label: string;
}

interface MenuProps {
  readonly label: string;
  /** What the button shows. */
  readonly children: ComponentChildren;
  readonly choices: readonly Choice[];
  readonly chosen: string;
  readonly onChoose: (value: string) => void;
  readonly onOpen: (open: boolean) => void;
  /** Said in place of the choices where there are none. */
  readonly none?: string;
}

const STEPS: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowDown: (at, last) => (at >= last ? 0 : at + 1),
  ArrowUp: (at, last) => (at <= 0 ? last : at - 1),
  Home: () => 0,
  End: (_at, last) => last,
};

/** A button with a menu of radio items above it, after the ARIA menu button pattern. */
export function Menu(props: MenuProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const { onOpen } = props;

  const show = (next: boolean) => {
    setOpen(next);
    onOpen(next);
  };
  const close = () => {
    button.current?.focus();
    show(false);
  };

  useEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLElement>("[aria-checked='true']")?.focus();
    const outside = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) show(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  useEffect(() => () => onOpen(false), []);

  function pressed(event: KeyboardEvent) {
    if (!open) return;
    const step = Object.hasOwn(STEPS, event.key) ? STEPS[event.key] : undefined;
    if (step) {
      const items = [...(root.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
      const at = items.indexOf(document.activeElement as HTMLElement);
      items[step(at, items.length - 1)]?.focus();
    } else if (event.key === "Escape" || event.key === "GoBack" || event.key === "ArrowLeft") {
      close();
    } else {
      if (event.key === "Tab") show(false);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class="menu" ref={root} onKeyDown={pressed}>
      <button
        type="button"
        class="control"
        ref={button}
        aria-label={props.label}
        title={props.label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => show(!open)}
      >
        {props.children}
      </button>
      {open && (
        <div class="menu-list" role="menu" aria-label={props.label} data-place="menu">
          <p aria-hidden="true">{props.label}</p>
          {props.choices.length === 0 && <p role="status">{props.none}</p>}
          {props.choices.map((choice) => (
            <button
              key={choice.value}
              type="button"
              role="menuitemradio"
              aria-checked={choice.value === props.chosen}
              onClick={() => {
                props.onChoose(choice.value);
                close();
              }}
            >
              <Icon name="check" />
              {choice.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
