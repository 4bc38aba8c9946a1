// A line at the top of a page while the bridge is not there: what happened, what is safe, one button.
import type { Connection } from "../src/protocol/webview.ts";
import { Icon } from "./icon.tsx";
import { pluralText } from "./quantity.ts";

/** Draws the line; nothing while connected. */
export function ConnectionBanner({ connection, run }: { connection: Connection; run: (command: string) => void }) {
  const { state, message, queuedOverrides } = connection;
  const waiting =
    queuedOverrides === 0 ? "" : ` ${pluralText(queuedOverrides, "override")} kept on this machine until then.`;
  if (state === "connected" || state === "connecting") {
    if (state === "connected" || queuedOverrides === 0) return null;
    return (
      <div class="banner" role="status">
        <Icon name="sync" spins />
        <span class="bannerText">Connecting to the bridge.{waiting}</span>
      </div>
    );
  }
  const isNone = state === "none";
  const lead = isNone
    ? "Not connected to a trainer."
    : state === "offline"
      ? "The bridge is away. What is here can be read."
      : "The connection failed.";
  return (
    <div class={state === "failed" ? "banner isError" : "banner"} role="status">
      <Icon name={state === "failed" ? "error" : "debug-disconnect"} />
      <span class="bannerText">
        {lead} {message}
        {waiting}
      </span>
      <button type="button" class="button" onClick={() => run(isNone ? "connect" : "retryConnection")}>
        {isNone ? "Connect" : "Reconnect"}
      </button>
    </div>
  );
}
