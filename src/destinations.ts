// Where to connect: what the environment says, the address in the settings, or the trainer on this machine.
import type * as vscode from "vscode";
import { l10n } from "vscode";
import type { LocalTrainer } from "./local/localTrainer.ts";
import { SessionError } from "./sessionError.ts";
import type { Destination } from "./trainerLink.ts";

/** What the environment of the extension host names, for instance in a demo; null where it names nothing. */
export function configuredDestination(env: NodeJS.ProcessEnv): Destination | null {
  const url = env.TOUCHLINE_URL ?? "";
  if (url === "") return null;
  return { label: label(url), find: async () => ({ url, token: env.TOUCHLINE_TOKEN ?? "" }) };
}

/** A trainer at an address; its token comes from SecretStorage and nowhere else. */
export function addressDestination(url: string, secrets: vscode.SecretStorage): Destination {
  return {
    label: label(url),
    find: async () => {
      const token = await secrets.get(tokenKey(url));
      if (token === undefined) throw new SessionError("unauthorized", "No token is kept for this address.");
      return { url, token };
    },
  };
}

/** The trainer on this machine, started where it does not run. */
export function localDestination(local: LocalTrainer): Destination {
  return { label: l10n.t("the local trainer"), find: () => local.find() };
}

/** The name in SecretStorage under which the token of an address is kept. */
export function tokenKey(url: string): string {
  return `touchline.token ${url}`;
}

function label(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    // What is no address is shown as it was typed; connecting will refuse it.
    return url;
  }
}
