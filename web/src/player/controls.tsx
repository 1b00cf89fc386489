import type { ComponentChildren } from "preact";
import { say } from "../language.ts";
import { Icon, JumpIcon } from "../parts/icon.tsx";
import { clock } from "../timeline.ts";
import { JUMP_S } from "./keys.ts";
import { Menu } from "./menu.tsx";
import type { Screening, View } from "./screening.ts";
import { Seekbar } from "./seekbar.tsx";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const AUTO = "auto";

interface ControlsProps {
  readonly view: View;
  readonly screening: Screening;
  readonly fullscreen: boolean;
  readonly onFullscreen: () => void;
  readonly onMenu: (open: boolean) => void;
}

export function Controls({ view, screening, fullscreen, onFullscreen, onMenu }: ControlsProps) {
  return (
    <div class="controls" data-place="control">
      <Seekbar
        positionS={view.positionS}
        durationS={view.durationS}
        buffered={view.buffered}
        wentToS={view.wentToS}
        tileAt={(positionS) => screening.engine.tileAt(positionS)}
        onSeek={(positionS) => screening.seek(positionS)}
      />
      <div class="controls-row">
        <Transport view={view} screening={screening} />
        <Volume view={view} screening={screening} />
        <p class="time">
          <span>{clock(view.positionS)}</span>
          <span class="time-all"> / {clock(view.durationS)}</span>
        </p>
        {view.sounds.length > 1 && <SoundMenu view={view} screening={screening} onMenu={onMenu} />}
        <CaptionMenu view={view} screening={screening} onMenu={onMenu} />
        <QualityMenu view={view} screening={screening} onMenu={onMenu} />
        <SpeedMenu view={view} screening={screening} onMenu={onMenu} />
        <Button
          label={say(fullscreen ? "player.fullscreen_leave" : "player.fullscreen")}
          onPress={onFullscreen}
        >
          <Icon name={fullscreen ? "small" : "full"} />
        </Button>
      </div>
    </div>
  );
}

type Part = Pick<ControlsProps, "view" | "screening">;
type MenuPart = Pick<ControlsProps, "view" | "screening" | "onMenu">;

function Button(props: {
  readonly label: string;
  readonly onPress: () => void;
  readonly class?: string;
  readonly children: ComponentChildren;
}) {
  return (
    <button
      type="button"
      class={`control ${props.class ?? ""}`}
      aria-label={props.label}
      title={props.label}
      onClick={props.onPress}
    >
      {props.children}
    </button>
  );
}

function Transport({ view, screening }: Part) {
  return (
    <div class="transport">
      <Button
        class="control-play"
        label={say(view.playing ? "player.pause" : "player.play")}
        onPress={() => screening.toggle()}
      >
        <Icon name={view.playing ? "pause" : "play"} />
      </Button>
      <Button label={say("player.rewind")} onPress={() => screening.jump(-JUMP_S)}>
        <JumpIcon forward={false} />
      </Button>
      <Button
        class="control-forward"
        label={say("player.forward")}
        onPress={() => screening.jump(JUMP_S)}
      >
        <JumpIcon forward />
      </Button>
      {view.windable && <WindButton view={view} screening={screening} forward={false} />}
      {view.windable && <WindButton view={view} screening={screening} forward />}
    </div>
  );
}

function WindButton({ view, screening, forward }: Part & { readonly forward: boolean }) {
  const rate = view.windRate * (forward ? 1 : -1);
  const on = rate > 1;
  const label = say(forward ? "player.wind_forward" : "player.wind_back");
  return (
    <Button
      class={on ? "control-wind on" : "control-wind"}
      label={on ? `${label}, ${rate}×` : label}
      onPress={() => screening.wind(forward)}
    >
      <Icon name={forward ? "wind_forward" : "wind_back"} />
      {on && <span class="control-text">{rate}×</span>}
    </Button>
  );
}

function Volume({ view, screening }: Part) {
  const volume = view.muted ? 0 : view.volume;
  return (
    <div class="volume">
      <Button
        label={say(view.muted ? "player.unmute" : "player.mute")}
        onPress={() => screening.mute()}
      >
        <Icon name={view.muted ? "muted" : "volume"} />
      </Button>
      <input
        type="range"
        min="0"
        max="100"
        step="5"
        value={Math.round(volume * 100)}
        aria-label={say("player.volume")}
        data-place="volume"
        style={{ "--filled": `${volume * 100}%` }}
        onInput={(event) => screening.setVolume(Number(event.currentTarget.value) / 100)}
      />
    </div>
  );
}

function SoundMenu({ view, screening, onMenu }: MenuPart) {
  return (
    <Menu
      label={say("player.sound")}
      choices={view.sounds.map(({ id, label }) => ({ value: id, label }))}
      chosen={view.sound}
      onChoose={(id) => screening.chooseSound(id)}
      onOpen={onMenu}
    >
      <Icon name="sound" />
    </Menu>
  );
}

function CaptionMenu({ view, screening, onMenu }: MenuPart) {
  const choices = view.captions.map(({ id, label }) => ({ value: id, label }));
  const off = { value: "", label: say("player.captions_off") };
  return (
    <Menu
      label={say("player.captions")}
      choices={choices.length > 0 ? [off, ...choices] : []}
      chosen={view.caption}
      none={say("player.captions_none")}
      onChoose={(id) => screening.showCaption(id)}
      onOpen={onMenu}
    >
      <span class={view.caption ? "lit" : ""}>
        <Icon name="captions" />
      </span>
    </Menu>
  );
}

function QualityMenu({ view, screening, onMenu }: MenuPart) {
  const current = view.rung?.label;
  const auto = current ? say("player.auto_now", { quality: current }) : say("player.auto");
  const rungs = view.rungs.map((rung) => ({ value: String(rung.id), label: rung.label }));
  return (
    <Menu
      label={say("player.quality")}
      choices={[{ value: AUTO, label: view.pinned ? say("player.auto") : auto }, ...rungs]}
      chosen={view.pinned ? String(view.rung?.id) : AUTO}
      onChoose={(value) => screening.pin(value === AUTO ? undefined : Number(value))}
      onOpen={onMenu}
    >
      <span class="control-text quality">{current ?? say("player.auto")}</span>
    </Menu>
  );
}

function SpeedMenu({ view, screening, onMenu }: MenuPart) {
  return (
    <Menu
      label={say("player.speed")}
      choices={SPEEDS.map((speed) => ({ value: String(speed), label: `${speed}×` }))}
      chosen={String(view.speed)}
      onChoose={(value) => screening.setSpeed(Number(value))}
      onOpen={onMenu}
    >
      <span class="control-text">{view.speed}×</span>
    </Menu>
  );
}
