// Ctrl+C as a cancellation: the first ends the work cleanly, the second ends the process.
import { CancellationTokenSource } from "vscode-jsonrpc/node";

/** A cancellation that Ctrl+C or SIGTERM asks for. */
export interface Interruption {
  readonly token: CancellationTokenSource["token"];
  readonly isAsked: boolean;
  /** Calls back once, when it is asked for. */
  onAsked(listener: () => void): void;
  dispose(): void;
}

/** Listens for Ctrl+C until disposed; `tell` says what happens next. */
export function onInterruption(tell: (line: string) => void): Interruption {
  const source = new CancellationTokenSource();
  let isAsked = false;
  const ask = () => {
    if (isAsked) process.exit(130);
    isAsked = true;
    tell("Cancelling; what is finished is kept. Ctrl+C again ends at once.");
    source.cancel();
  };
  process.on("SIGINT", ask);
  process.on("SIGTERM", ask);
  return {
    token: source.token,
    get isAsked() {
      return isAsked;
    },
    onAsked: (listener) => void source.token.onCancellationRequested(listener),
    dispose() {
      process.off("SIGINT", ask);
      process.off("SIGTERM", ask);
      source.dispose();
    },
  };
}
