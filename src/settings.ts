// The one reader of settings; what a setting may hold is in package.json.
import * as vscode from "vscode";

const read = <T>(name: string, otherwise: T): T =>
  vscode.workspace.getConfiguration("touchline").get<T>(name) ?? otherwise;

/** The settings as they are now; empty text means not set. */
export const settings = {
  bridgeUrl: (): string => read("bridgeUrl", "").trim(),
  author: (): string => read("author", "").trim(),
  python: (): string => read("python", "").trim(),
  blindFirst: (): boolean => read("blindFirst", false),
  startLocalTrainer: (): "automatically" | "onCommand" =>
    read<"automatically" | "onCommand">("startLocalTrainer", "automatically"),
};
