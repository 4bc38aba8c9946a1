// Overrides as a person makes them: sent when the trainer is there, kept on this machine when it is not.
import { randomUUID } from "node:crypto";
import type { Ending } from "./listeners.ts";
import { errorLine, type Log } from "./log.ts";
import type { OverrideQueue } from "./overrideQueue.ts";
import type { OverrideFate, Score } from "./protocol/model.ts";
import { ProtocolError } from "./protocol/rpc.ts";
import type { QueuedOverride } from "./protocol/webview.ts";
import { DisconnectedError, type TrainerLink } from "./trainerLink.ts";

/** What a person decided about one action; `basedOn` is the record they saw in effect. */
export interface Decision {
  readonly actionId: string;
  readonly trajectoryId: string;
  readonly value: number;
  readonly rationale: string;
  readonly author: string;
  readonly basedOn: string | null;
}

/** What became of a decision: a stored score, or a place in the queue. */
export interface Decided {
  readonly score: Score | null;
  readonly queued: QueuedOverride | null;
  readonly fate: OverrideFate | null;
}

/** The host's side of the inline score control. */
export interface Overrides {
  set(decision: Decision): Promise<Decided>;
  /** Takes back a stored override, or one that still waits here (its request id). */
  undo(actionId: string, basedOn: string, author: string): Promise<Score | null>;
  /** Ends the conflict of a waiting override. */
  resolve(requestId: string, keep: "mine" | "theirs"): Promise<Score | null>;
  waiting(trajectoryId?: string): QueuedOverride[];
  readonly onChange: (listener: () => void) => Ending;
  /** Sends what waits for the connected store, oldest first; answers how many the store took. */
  flush(): Promise<number>;
}

/** Joins the link and the queue. `onRefused` is told of a waiting override that the trainer will not take; it is kept. */
export function openOverrides(
  link: TrainerLink,
  queue: OverrideQueue,
  onRefused: (item: QueuedOverride, error: ProtocolError) => void,
  log: Log,
): Overrides {
  let flushing: Promise<number> | null = null;

  async function send(item: QueuedOverride) {
    const { requestId, actionId, value, rationale, author, basedOn, at } = item;
    return link.request("override/set", { requestId, actionId, value, rationale, author, basedOn, decidedAt: at });
  }

  function bridgeId(): string {
    if (link.status.bridgeId === null)
      throw new DisconnectedError("An override needs a trainer that was reached once.");
    return link.status.bridgeId;
  }

  async function flushNow(): Promise<number> {
    await queue.refresh();
    const store = bridgeId();
    let taken = 0;
    for (const item of queue.list(store).filter((one) => one.state === "queued")) {
      try {
        await send(item);
        queue.remove(item.requestId);
        taken += 1;
      } catch (error) {
        const conflict = await conflictIn(error);
        if (conflict !== null) await queue.put(store, { ...item, state: "conflict", current: conflict.current });
        else if (error instanceof ProtocolError) onRefused(item, error);
        else {
          log.warn(`queue: stopped: ${errorLine(error)}`);
          return taken;
        }
      }
    }
    return taken;
  }

  return {
    async set(decision) {
      await flushing;
      const store = bridgeId();
      const earlier = queue.list(store).find((one) => one.actionId === decision.actionId);
      const item: QueuedOverride = {
        requestId: randomUUID(),
        ...decision,
        basedOn: earlier?.state === "queued" ? earlier.basedOn : decision.basedOn,
        at: new Date().toISOString(),
        state: "queued",
        current: null,
      };
      // A second thought about the same action replaces the first, which has not left this machine.
      const keep = async (): Promise<Decided> => {
        await queue.put(store, item);
        if (earlier !== undefined) queue.remove(earlier.requestId);
        return { score: null, queued: item, fate: null };
      };
      if (link.status.state !== "connected") return keep();
      try {
        const { score, fate } = await send(item);
        if (earlier !== undefined) queue.remove(earlier.requestId);
        return { score, queued: null, fate };
      } catch (error) {
        // Whether the store has it is not known; the same request id makes sending it again harmless.
        if (error instanceof DisconnectedError) return keep();
        throw error;
      }
    },
    async undo(actionId, basedOn, author) {
      if (queue.get(basedOn) !== undefined) {
        queue.remove(basedOn);
        return null;
      }
      return (await link.request("override/undo", { requestId: randomUUID(), actionId, author, basedOn })).score;
    },
    async resolve(requestId, keep) {
      const item = queue.get(requestId);
      if (item === undefined) return null;
      if (keep === "theirs") {
        queue.remove(requestId);
        return item.current;
      }
      const mine: QueuedOverride = { ...item, basedOn: item.current?.id ?? null, state: "queued", current: null };
      try {
        const { score } = await send(mine);
        queue.remove(requestId);
        return score;
      } catch (error) {
        const conflict = await conflictIn(error);
        if (conflict !== null) await queue.put(bridgeId(), { ...mine, state: "conflict", current: conflict.current });
        else if (error instanceof DisconnectedError) await queue.put(bridgeId(), mine);
        if (error instanceof DisconnectedError) return null;
        throw error;
      }
    },
    waiting: (trajectoryId) =>
      queue
        .list(link.status.bridgeId)
        .filter((item) => trajectoryId === undefined || item.trajectoryId === trajectoryId),
    onChange: queue.onChange,
    flush() {
      flushing ??= flushNow().finally(() => {
        flushing = null;
      });
      return flushing;
    },
  };
}

async function conflictIn(error: unknown): Promise<{ current: Score | null } | null> {
  if (!(error instanceof ProtocolError)) return null;
  const { BridgeErrorCode, ConflictData } = await import("./protocol/bridge.ts");
  if (error.code !== BridgeErrorCode.conflict) return null;
  const data = ConflictData.safeParse(error.data);
  return { current: data.success ? data.data.current : null };
}
