// The host's one way to the trainer: keeps a session open, takes it up again by event number, and tells how it stands.
import type * as z from "zod";
import { backOffMs } from "./backOff.ts";
import { type Ending, Listeners } from "./listeners.ts";
import { errorLine, type Log } from "./log.ts";
import type { bridgeContract, Capability } from "./protocol/bridge.ts";
import type { Method, ParamsIn, Progress, Result } from "./protocol/contract.ts";
import type { Event } from "./protocol/model.ts";
import { type Asking, ProtocolError } from "./protocol/rpc.ts";
import type { Session } from "./session.ts";
import { SessionError, type Target } from "./sessionError.ts";

type Bridge = typeof bridgeContract;

/** How the host stands to the trainer. `offline` tries again by itself; `failed` waits for the person. */
export interface LinkStatus {
  readonly state: "none" | "connecting" | "connected" | "offline" | "failed";
  /** Where to, for people; null where nothing was ever asked for. */
  readonly label: string | null;
  /** Why it is offline or failed. */
  readonly problem: SessionError | null;
  /** The store at the other end, as soon as it was reached once. */
  readonly bridgeId: string | null;
  readonly capabilities: readonly z.infer<typeof Capability>[];
}

/** Thrown where a request needs a connection and there is none, or the wire ended before the answer. */
export class DisconnectedError extends Error {
  override readonly name = "DisconnectedError";
}

/** A place to connect to; `find` is asked before each attempt, since a local trainer may have moved. */
export interface Destination {
  readonly label: string;
  readonly find: () => Promise<Target>;
}

/** What the rest of the host has of the trainer. */
export interface TrainerLink {
  readonly status: LinkStatus;
  readonly onStatus: (listener: (status: LinkStatus) => void) => Ending;
  /** Events in order; the same one may come twice around a snapshot. */
  readonly onEvents: (listener: (events: readonly Event[]) => void) => Ending;
  /** What was read before may be stale: read it anew. */
  readonly onSnapshot: (listener: () => void) => Ending;
  request<M extends Method<Bridge>>(
    method: M,
    params: ParamsIn<Bridge, M>,
    asking?: Asking<Progress<Bridge, M>>,
  ): Promise<Result<Bridge, M>>;
  /** Makes the first attempt and settles with it; where the trainer cannot be reached it goes on trying. */
  connect(destination: Destination): Promise<void>;
  /** Tries again at once where it waits for the next attempt. */
  retryNow(): void;
  disconnect(): void;
  dispose(): void;
}

/** Opens the link without a destination. */
export function openTrainerLink(clientName: string, wants: () => z.infer<typeof Capability>[], log: Log): TrainerLink {
  const onError = (error: unknown) => log.error(`listener: ${errorLine(error)}`);
  const statusListeners = new Listeners<LinkStatus>(onError);
  const eventListeners = new Listeners<readonly Event[]>(onError);
  const snapshotListeners = new Listeners<void>(onError);
  let status: LinkStatus = { state: "none", label: null, problem: null, bridgeId: null, capabilities: [] };
  let session: Session | null = null;
  let lastSeq = 0;
  let wake: (() => void) | null = null;
  // Each call of connect or disconnect ends the loop of the one before it.
  let generation = 0;

  function become(change: Partial<LinkStatus>): void {
    status = { ...status, ...change };
    statusListeners.tell(status);
  }

  async function open(destination: Destination, mine: number): Promise<{ opened: Session; isStale: boolean }> {
    const target = await destination.find();
    // The wire and its schemas are loaded by the first connection, not by activation.
    const { openSession } = await import("./session.ts");
    const opened = await openSession(target, clientName, wants(), log);
    if (mine !== generation) {
      opened.close();
      throw new DisconnectedError("Another connection was asked for.");
    }
    try {
      return { opened, isStale: await subscribe(opened, mine) };
    } catch (error) {
      opened.close();
      throw error instanceof ProtocolError ? new SessionError("refused", error.message, { cause: error }) : error;
    }
  }

  /** Takes up the events where they were left; true where what was read before is stale. */
  async function subscribe(opened: Session, mine: number): Promise<boolean> {
    const { bridge, hello } = opened;
    const isSame = status.bridgeId === hello.bridgeId && lastSeq > 0;
    bridge.on("event/batch", ({ events }) => {
      const fresh = events.filter((event) => event.seq > lastSeq);
      if (fresh.length === 0 || mine !== generation) return;
      lastSeq = fresh.at(-1)?.seq ?? lastSeq;
      eventListeners.tell(fresh);
    });
    bridge.on("event/resync", ({ message }) => {
      log.warn(`events: ${message}`);
      follow(opened).then(
        (isStale) => isStale && snapshotListeners.tell(),
        (error: unknown) => {
          log.error(`events: ${errorLine(error)}`);
          opened.close();
        },
      );
    });
    if (!isSame) lastSeq = hello.lastSeq;
    become({ bridgeId: hello.bridgeId, capabilities: hello.capabilities });
    session = opened;
    return (await follow(opened)) || !isSame;
  }

  async function follow({ bridge }: Session): Promise<boolean> {
    const { gap, lastSeq: newest } = await bridge.request("event/subscribe", { afterSeq: lastSeq });
    if (!gap) return false;
    lastSeq = newest;
    await bridge.request("event/subscribe", { afterSeq: newest });
    return true;
  }

  /** Keeps the session open until another generation begins; settles `first` with the first attempt. */
  async function keepOpen(destination: Destination, mine: number, first: PromiseWithResolvers<void>): Promise<void> {
    for (let attempt = 0; mine === generation; ) {
      try {
        if (attempt === 0) become({ state: "connecting", label: destination.label, problem: null });
        const { opened, isStale } = await open(destination, mine);
        attempt = 0;
        log.info(`connected to ${destination.label}, bridge ${opened.hello.bridgeVersion}`);
        become({ state: "connected", problem: null });
        if (isStale) snapshotListeners.tell();
        first.resolve();
        const why = await opened.ended;
        session = null;
        if (mine !== generation) return;
        log.warn(`connection ended: ${why}`);
        become({ state: "offline", problem: new SessionError("unreachable", why) });
      } catch (error) {
        first.reject(error);
        session = null;
        if (mine !== generation) return;
        const problem =
          error instanceof SessionError ? error : new SessionError("refused", errorLine(error), { cause: error });
        if (attempt === 0) log.warn(`no connection: ${errorLine(problem)}`);
        become({ state: problem.reason === "unreachable" ? "offline" : "failed", problem });
        if (problem.reason !== "unreachable") return;
      }
      attempt += 1;
      await pause(backOffMs(attempt));
    }
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function leave(): void {
    generation += 1;
    session?.close();
    session = null;
    wake?.();
  }

  return {
    get status() {
      return status;
    },
    onStatus: statusListeners.add,
    onEvents: eventListeners.add,
    onSnapshot: snapshotListeners.add,
    async request(method, params, asking) {
      const used = session;
      if (used === null) throw new DisconnectedError(`${method} needs a connection to the trainer.`);
      try {
        return await used.bridge.request(method, params, asking);
      } catch (error) {
        if (isEndOfWire(error))
          throw new DisconnectedError(`The connection ended before ${method} was answered.`, { cause: error });
        throw error;
      }
    },
    connect(destination) {
      leave();
      const first = Promise.withResolvers<void>();
      first.promise.catch(() => undefined);
      void keepOpen(destination, generation, first);
      return first.promise;
    },
    retryNow: () => wake?.(),
    disconnect() {
      leave();
      become({ state: "none", label: null, problem: null, capabilities: [] });
    },
    dispose: leave,
  };
}

/** vscode-jsonrpc's own numbers: 1-3 for a closed connection, -32099 to -32096 for a write, a read or a pending request that ended with it. */
function isEndOfWire(error: unknown): boolean {
  return (
    error instanceof ProtocolError &&
    ((error.code >= 1 && error.code <= 3) || (error.code >= -32099 && error.code <= -32096))
  );
}
