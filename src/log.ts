// What a part that knows no VS Code may say to the one log channel.

/** The part of `vscode.LogOutputChannel` that is used; secrets and model output never go here. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** An error as one line for the log, with its cause. */
export function errorLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${errorLine(error.cause)})`;
}
