// What the bridge does for each request of the wire; a missing one does not compile.

import type * as z from "zod";
import {
  BridgeErrorCode,
  type bridgeContract,
  type Capability,
  type IterationChanges,
  MAX_CHUNK_BYTES,
  PROTOCOL_VERSION,
} from "../../src/protocol/bridge.ts";
import type { Action, IterationConfig, OverrideFate } from "../../src/protocol/model.ts";
import { type Call, type Handlers, ProtocolError } from "../../src/protocol/rpc.ts";
import { actionView, fieldText } from "./actionView.ts";
import { asWireError } from "./failure.ts";
import {
  fitRun,
  fitScore,
  fitTrajectory,
  fittingCount,
  fittingPage,
  fittingPart,
  PAGE_BUDGET_BYTES,
  safeCut,
  sizeOf,
} from "./fit.ts";
import { importInto } from "./importing.ts";
import type { Rooms } from "./rooms.ts";
import { isSameToken } from "./token.ts";
import type { Uploads } from "./uploads.ts";

type Capabilities = z.infer<typeof Capability>[];
const allCapabilities: Capabilities = ["read", "override", "control", "import"];

/** What handlers change in the session they answer for. */
export interface SessionState {
  readonly token: string | null;
  readonly uploads: Uploads;
  /** The client said who it is: everything else may be asked from now on. */
  admit(client: string, capabilities: Capabilities): void;
  /** The client may not stay: closed once the answer is sent. */
  dismiss(reason: string): void;
  subscribe(afterSeq: number): void;
  unsubscribe(): void;
}

/** Handlers of one session over the rooms behind the server. */
export function handlersFor(rooms: Rooms, session: SessionState): Handlers<typeof bridgeContract> {
  const { store, trainer } = rooms;
  const blobText = (sha256: string) => store.blob(sha256)?.bytes.toString("utf8") ?? null;
  const view = (action: Action) => actionView(action, store.scores(action.id), blobText);

  const handlers: Handlers<typeof bridgeContract> = {
    initialize({ protocolVersion, client, token, wants }) {
      if (protocolVersion !== PROTOCOL_VERSION) {
        session.dismiss("Another protocol version");
        throw new ProtocolError(
          BridgeErrorCode.versionMismatch,
          `The client speaks version ${protocolVersion} of the bridge wire and this bridge (${rooms.version}) speaks ${PROTOCOL_VERSION}. Nothing was changed; install the same version of Touchline on both sides.`,
          { protocolVersion: PROTOCOL_VERSION, bridgeVersion: rooms.version },
        );
      }
      if (session.token !== null && !isSameToken(token, session.token)) {
        session.dismiss("Wrong token");
        throw new ProtocolError(
          BridgeErrorCode.unauthorized,
          "The token is not this bridge's. Nothing was changed; the token is in the file `token` of the bridge's data folder.",
        );
      }
      const capabilities = wants === undefined ? allCapabilities : allCapabilities.filter((one) => wants.includes(one));
      session.admit(client, capabilities);
      return {
        protocolVersion: PROTOCOL_VERSION,
        bridgeVersion: rooms.version,
        bridgeId: store.id,
        capabilities,
        lastSeq: store.lastSeq(),
        firstSeq: store.firstSeq(),
      };
    },
    "status/get": () => ({
      bridgeVersion: rooms.version,
      ...trainer.status(),
      counts: store.counts(),
      lastSeq: store.lastSeq(),
    }),

    "event/subscribe"({ afterSeq }) {
      const lastSeq = store.lastSeq();
      const gap = afterSeq > lastSeq || afterSeq + 1 < store.firstSeq();
      if (gap) session.unsubscribe();
      else session.subscribe(afterSeq);
      return { gap, lastSeq };
    },
    "event/unsubscribe"() {
      session.unsubscribe();
      return {};
    },

    "run/list": ({ cursor, limit }) => fittingPage((count) => store.runs({ cursor, limit: count }), limit, fitRun),
    "run/get": ({ runId }) => fitRun(store.run(runId)),
    "run/create": (params) => trainer.createRun(params),

    "trajectory/list": ({ cursor, limit, ...filter }) =>
      fittingPage((count) => store.trajectories(filter, { cursor, limit: count }), limit, fitTrajectory),
    "trajectory/get": ({ trajectoryId }) => fitTrajectory(store.trajectory(trajectoryId)),
    "trajectory/marks"({ trajectoryId, fromIndex, limit }) {
      const { marks, total } = store.marks(trajectoryId, fromIndex, limit);
      return { marks: marks.slice(0, fittingCount(marks)), total };
    },

    "action/list"({ trajectoryId, fromIndex, limit }) {
      const total = store.trajectory(trajectoryId).actionCount;
      const items = [];
      let used = 0;
      for (const action of store.actions(trajectoryId, fromIndex, limit)) {
        const item = view(action);
        used += sizeOf(item) + 1;
        if (used > PAGE_BUDGET_BYTES && items.length > 0) break;
        items.push(item);
      }
      const last = items.at(-1)?.action.index;
      return { items, nextIndex: last === undefined || last + 1 >= total ? null : last + 1 };
    },
    "action/get": ({ actionId }) => view(store.action(actionId)),
    "action/text"({ actionId, field, offset, length }) {
      const full = fieldText(store.action(actionId), store.scores(actionId), field, blobText);
      const start = safeCut(full, offset);
      let text = full.slice(start, safeCut(full, Math.max(start + 2, offset + length)));
      while (sizeOf(text) > PAGE_BUDGET_BYTES) text = text.slice(0, safeCut(text, Math.floor(text.length / 2)));
      return { text, total: full.length };
    },
    "action/search": ({ query, runId, cursor, limit }) =>
      fittingPage(
        (count) => store.search(query, runId === undefined ? {} : { runId }, { cursor, limit: count }),
        limit,
      ),

    "override/set"({ decidedAt, ...input }) {
      const score = store.setOverride(decidedAt === undefined ? input : { ...input, decidedAt });
      return { score: fitScore(score), fate: trainer.fate(score) };
    },
    "override/undo"(input) {
      const { score, effective } = store.undoOverride(input);
      return { score: fitScore(score), effective: effective === null ? null : fitScore(effective) };
    },
    "override/fates"({ trajectoryId, fromIndex }) {
      const fates: OverrideFate[] = [];
      for (const scores of store.scoresOfTrajectory(trajectoryId).values()) {
        for (const score of scores) if (score.kind === "override") fates.push(trainer.fate(score));
      }
      const { items, nextIndex } = fittingPart(fates, fromIndex);
      return { fates: items, nextIndex };
    },
    "override/preview": ({ actionId, value }) => trainer.preview(actionId, value),

    "rollout/start": ({ runId, ...options }, call) => trainer.rollout(runId, options, call),

    "iteration/start": ({ runId, config, repeat }) => trainer.start(runId, given(config), repeat),
    "iteration/pause": ({ iterationId }) => trainer.pause(iterationId),
    "iteration/resume": ({ iterationId }) => trainer.resume(iterationId),
    "iteration/cancel": ({ iterationId }) => trainer.cancel(iterationId),
    "iteration/reviewed": ({ iterationId }) => trainer.reviewed(iterationId),
    "iteration/list": ({ runId, cursor, limit }) =>
      fittingPage((count) => store.iterations(runId, { cursor, limit: count }), limit),
    "iteration/get": ({ iterationId }) => store.iteration(iterationId),

    "step/list"({ iterationId, fromIndex }) {
      const { items, nextIndex } = fittingPart(store.steps(iterationId), fromIndex);
      return { steps: items, nextIndex };
    },
    "checkpoint/list"({ runId, fromIndex }) {
      const { items, nextIndex } = fittingPart(store.checkpoints(runId), fromIndex);
      return { checkpoints: items, nextIndex };
    },

    "blob/get"({ sha256, offset, length }) {
      const part = store.blobPart(sha256, offset, Math.min(length, MAX_CHUNK_BYTES));
      if (part === null)
        throw new ProtocolError(BridgeErrorCode.notFound, `There is no blob ${sha256} at this bridge.`);
      return { base64: part.bytes.toString("base64"), total: part.total, mime: part.mime };
    },

    "import/begin": ({ fileName, sizeBytes }) => ({ uploadId: session.uploads.begin(fileName, sizeBytes) }),
    "import/chunk": ({ uploadId, offset, base64 }) => ({ received: session.uploads.chunk(uploadId, offset, base64) }),
    "import/finish": ({ uploadId, runId }, call) =>
      importInto(store, rooms.importer, { ...session.uploads.finish(uploadId), runId }, call),
  };
  return withWireErrors(handlers);
}

/** The constants that were given: an absent one is left to the bridge. */
function given(config: z.infer<typeof IterationChanges>): Partial<IterationConfig> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

/** The capability a method needs; null for those that every client has. */
export function capabilityOf(method: string): z.infer<typeof Capability> | null {
  if (method === "override/set" || method === "override/undo") return "override";
  if (method === "run/create" || method === "rollout/start") return "control";
  if (/^iteration\/(start|pause|resume|cancel|reviewed)$/.test(method)) return "control";
  if (method.startsWith("import/")) return "import";
  return method === "initialize" ? null : "read";
}

/** The same handlers, each failure of a room turned into the wire's error. */
function withWireErrors(handlers: Handlers<typeof bridgeContract>): Handlers<typeof bridgeContract> {
  type Any = (params: object, call: Call<never>) => unknown;
  const wrapped = Object.entries(handlers).map(([method, handler]) => [
    method,
    async (params: object, call: Call<never>) => {
      try {
        return await (handler as Any)(params, call);
      } catch (error) {
        const basedOn = "basedOn" in params && typeof params.basedOn === "string" ? params.basedOn : null;
        throw asWireError(error, basedOn);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Handlers<typeof bridgeContract>;
}
