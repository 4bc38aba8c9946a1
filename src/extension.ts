// Where VS Code enters: makes the parts, registers the commands, and connects by itself where the person has said how.
import "./started.ts";
import * as vscode from "vscode";
import { connectByItself } from "./commands/connection.ts";
import { registerCommands } from "./commands.ts";
import { openTouchline } from "./open.ts";
import { reportError } from "./report.ts";
import { startedAt } from "./started.ts";
import type { Touchline } from "./touchline.ts";
import { connectionText } from "./views/connectionText.ts";

/** What `activate` returns, for the suite that runs inside the extension host. */
export interface TouchlineApi {
  /** Milliseconds of the extension's own code: its modules and `activate`, without what VS Code does in between. */
  readonly activationMs: number;
  /** Settles when the first attempt to connect by itself has ended. */
  readonly connecting: Promise<void>;
  /** How the connection stands, as the person reads it. */
  readonly connectionText: () => string;
  readonly parts: Pick<
    Touchline,
    "link" | "runs" | "queue" | "policies" | "overrides" | "places" | "training" | "library"
  >;
}

const loadedMs = performance.now() - startedAt;

/** Called by VS Code when a view, a command or a link of Touchline is used for the first time. */
export function activate(context: vscode.ExtensionContext): TouchlineApi {
  const calledAt = performance.now();
  const log = vscode.window.createOutputChannel("Touchline", { log: true });
  context.subscriptions.push(log);
  const touchline = openTouchline(context, log);
  context.subscriptions.push(
    registerCommands(touchline),
    // A trusted workspace may ask for more than reading.
    vscode.workspace.onDidGrantWorkspaceTrust(() => void connectOrTell(touchline)),
  );
  const connecting = connectOrTell(touchline);
  const activationMs = loadedMs + performance.now() - calledAt;
  log.info(`activated in ${activationMs.toFixed(1)} ms`);
  const text = () => connectionText(touchline.link.status, touchline.overrides.waiting().length);
  return { activationMs, connecting, connectionText: text, parts: touchline };
}

async function connectOrTell(touchline: Touchline): Promise<void> {
  try {
    await connectByItself(touchline);
  } catch (error) {
    // Not awaited: the message may stay until the person reads it.
    void reportError(vscode.l10n.t("Connect to Trainer"), error, touchline.log);
  }
}
