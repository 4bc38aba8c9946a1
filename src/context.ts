// Context keys: what menus, enablement and keybindings know of the state.
import * as vscode from "vscode";
import type { Touchline } from "./touchline.ts";

/** Sets every key of the state; those of the page's focus are set where the focus changes. */
export function showContext({ link, local, work }: Touchline): void {
  const iteration = work.iteration;
  const keys: Record<string, unknown> = {
    "touchline.connection": link.status.state,
    "touchline.connected": link.status.state === "connected",
    "touchline.canControl": link.status.state === "connected" && link.status.capabilities.includes("control"),
    "touchline.localRunning": local.isOwn,
    "touchline.iteration":
      iteration === null ? "none" : ["paused", "reviewing"].includes(iteration.state) ? iteration.state : "running",
  };
  for (const [name, value] of Object.entries(keys)) void vscode.commands.executeCommand("setContext", name, value);
}
