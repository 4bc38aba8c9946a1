// The one door through which an error reaches the person: what failed, what is safe, what to do, and the log.
import * as vscode from "vscode";
import { errorLine } from "./log.ts";
import { ProtocolError } from "./protocol/rpc.ts";
import { SessionError } from "./sessionError.ts";
import { DisconnectedError } from "./trainerLink.ts";

/** An error whose message was written for the person, with at most one deed to offer. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly action: { readonly title: string; readonly command: string } | undefined;
  constructor(message: string, action?: { title: string; command: string }, options?: ErrorOptions) {
    super(message, options);
    this.action = action;
  }
}

const REQUEST_CANCELLED = -32800;

/** Runs what a person asked for; a failure is logged and shown, a cancellation is silent. */
export async function runReported(title: string, run: () => unknown, log: vscode.LogOutputChannel): Promise<void> {
  try {
    await run();
  } catch (error) {
    // The message may stay until the person reads it; the command is over.
    void reportError(title, error, log);
  }
}

/** Shows a failure with the button Show Log; waits for no answer longer than the person takes. */
export async function reportError(title: string, error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  if (error instanceof vscode.CancellationError || (error instanceof ProtocolError && error.code === REQUEST_CANCELLED))
    return;
  log.error(
    `${title}: ${error instanceof Error && !(error instanceof Problem) ? (error.stack ?? error.message) : errorLine(error)}`,
  );
  const showLog = vscode.l10n.t("Show Log");
  const action = actionFor(error);
  const chosen = await vscode.window.showErrorMessage(
    `${title}: ${await messageFor(error)}`,
    ...(action ? [action.title] : []),
    showLog,
  );
  if (chosen === showLog) log.show();
  else if (chosen !== undefined && action) await vscode.commands.executeCommand(action.command);
}

/** The message of an error for the person: failures of the wire say what is safe. */
export async function messageFor(error: unknown): Promise<string> {
  if (error instanceof SessionError) return sessionProblem(error);
  if (error instanceof DisconnectedError)
    return vscode.l10n.t(
      "There is no connection to the trainer. Nothing that was saved is lost. Connect and try again.",
    );
  if (error instanceof ProtocolError) {
    const { BridgeErrorCode } = await import("./protocol/bridge.ts");
    if (error.code === BridgeErrorCode.storeFailed)
      return vscode.l10n.t(
        "The trainer could not write its store: {0} Everything acknowledged before is safe.",
        error.message,
      );
  }
  return error instanceof Error ? error.message : String(error);
}

/** What a failed connection means and what to do about it. */
export function sessionProblem(error: SessionError): string {
  switch (error.reason) {
    case "unauthorized":
      return vscode.l10n.t(
        "The trainer refused the token. Nothing was changed. Connect again with the token that the trainer printed at its start.",
      );
    case "versionMismatch":
      return vscode.l10n.t(
        "The trainer speaks another version of the protocol: {0} Update the older of the two.",
        error.message,
      );
    case "badUrl":
      return vscode.l10n.t("{0} An address looks like ws://127.0.0.1:7070.", error.message);
    case "unreachable":
      return vscode.l10n.t(
        "{0} Touchline goes on trying; what was saved is safe. Check that the trainer runs and that the address is right.",
        error.message,
      );
    case "refused":
      return vscode.l10n.t("The trainer refused the connection: {0}", error.message);
  }
}

function actionFor(error: unknown): Problem["action"] {
  if (error instanceof Problem) return error.action;
  if (error instanceof DisconnectedError || error instanceof SessionError)
    return { title: vscode.l10n.t("Connect…"), command: "touchline.connect" };
  return undefined;
}
