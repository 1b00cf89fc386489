import { Component, type ComponentChildren } from "preact";
import { say } from "../language.ts";
import { Message } from "./message.tsx";

interface State {
  readonly broken: boolean;
}

/** Shows a sentence where the page would be blank. The error itself goes to the console. */
export class Boundary extends Component<{ children: ComponentChildren }, State> {
  override state: State = { broken: false };

  private readonly onRejection = (event: PromiseRejectionEvent) => this.componentDidCatch(event.reason);

  static override getDerivedStateFromError(): State {
    return { broken: true };
  }

  override componentDidMount(): void {
    window.addEventListener("unhandledrejection", this.onRejection);
  }

  override componentWillUnmount(): void {
    window.removeEventListener("unhandledrejection", this.onRejection);
  }

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ broken: true });
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <Message
        text={say("page.broken")}
        action={say("page.reload")}
        onAction={() => location.reload()}
      />
    );
  }
}
