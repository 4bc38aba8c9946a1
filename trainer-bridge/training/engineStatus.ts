// How the engine is, as the status bar shows it: followed from the events of the store and asked once for its device.
import type { BridgeStatus } from "../../src/protocol/bridge.ts";
import type { Store } from "../store/store.ts";
import { type EngineClient, EngineError } from "./engineClient.ts";

/** The engine's state, kept up to date. */
export interface EngineStatus {
  now(): BridgeStatus["engine"];
  dispose(): void;
}

/** Follows an engine; `null` is none. */
export function followEngine(store: Store, engine: EngineClient | null, log: (message: string) => void): EngineStatus {
  if (engine === null) {
    const message = "No engine is set up. Reading and overrides work; training needs one.";
    return { now: () => ({ state: "none", message, device: null }), dispose: () => {} };
  }
  let status: BridgeStatus["engine"] = { state: "starting", message: "The engine is starting.", device: null };
  const ask = async () => {
    try {
      await engine.ready();
      const { device } = await engine.health();
      status = { state: "ready", message: "The engine is ready.", device };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      status = { state: "failed", message: error.message, device: null };
    }
  };
  const follow = () => void ask().catch((error: unknown) => log(`engine: ${String(error)}`));
  const subscription = store.onEvent((event) => {
    if (event.kind !== "engine/changed") return;
    status = { ...event.data, device: event.data.state === "ready" ? status.device : null };
    if (event.data.state === "ready") follow();
  });
  follow();
  return { now: () => status, dispose: () => subscription.dispose() };
}
