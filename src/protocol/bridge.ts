// The bridge wire: every message between a client (VS Code, the command line) and the trainer-bridge.
import * as z from "zod";
import type { Contract } from "./contract.ts";
import {
  Action,
  Checkpoint,
  Event,
  Id,
  Iteration,
  IterationConfig,
  OptimizerStep,
  OverrideFate,
  Purpose,
  Run,
  Score,
  Trajectory,
} from "./model.ts";

/** Raised by one when an old client can no longer talk to a new bridge. */
export const PROTOCOL_VERSION = 1;
/** No message is longer; larger bodies go by page or by blob. Bytes of UTF-8 JSON. */
export const MAX_MESSAGE_BYTES = 256 * 1024;
/** Longest page of a blob or of an import upload. Bytes before base64. */
export const MAX_CHUNK_BYTES = 128 * 1024;

/** What a client may do on this connection. */
export const Capability = z.enum(["read", "override", "control", "import"]);

/** Numbers of errors that cross the bridge wire, beside those of JSON-RPC 2.0. */
export const BridgeErrorCode = {
  /** The token is missing or wrong. */
  unauthorized: -32001,
  /** The client's protocol version is not the bridge's. */
  versionMismatch: -32002,
  /** `initialize` was not the first request. */
  notInitialized: -32003,
  /** No record with that id. */
  notFound: -32004,
  /** Another record came first; `data` is a `ConflictData`. */
  conflict: -32005,
  /** The state does not allow it now; the message says what would. */
  refused: -32006,
  /** The message is longer than `MAX_MESSAGE_BYTES`. */
  tooLarge: -32007,
  /** Too many requests at once or in a second. */
  tooBusy: -32008,
  /** The engine, the coach or a policy cannot be reached. */
  unavailable: -32009,
  /** Disk full or the store cannot be written; nothing acknowledged is lost. */
  storeFailed: -32010,
} as const;

/** The two values of an override conflict: what the client believed, and what is in effect now. */
export const ConflictData = z.object({ current: Score.nullable(), basedOn: Id.nullable() });

const Limit = z.number().int().min(1).max(500).default(100);
/** An opaque key of the next page; null at the end. */
const Cursor = z.string().max(500).nullable();
const page = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: Cursor });
/** First entry wanted of a list that is answered in parts: it ends early when it would not fit in a message. */
const FromIndex = z.number().int().nonnegative().default(0);
/** Where the next part begins; null or absent at the end. */
const NextIndex = z.number().int().nullable().optional();
const none = z.object({});

/** An action as shown: long text cut (the full text by `action/text`), with every score record, oldest first. */
export const ActionView = z.object({
  action: Action,
  /** Fields that were cut to fit a message: their name (`text`, `thinking`, `observation`, `toolCalls/0/stdout`, …) and full length in characters. */
  cut: z.record(z.string(), z.number().int()),
  scores: z.array(Score),
});
export type ActionView = z.infer<typeof ActionView>;

/** One mark of the reward strip: enough for the whole trajectory in one small message. */
export const ActionMark = z.object({
  actionId: Id,
  index: z.number().int(),
  turn: z.number().int(),
  agent: z.string(),
  coach: z.number().nullable(),
  override: z.number().nullable(),
  toolStatus: z.string().nullable(),
  /** Characters of text, so a page can keep room for a body that is not there yet. */
  size: z.number().int(),
});
export type ActionMark = z.infer<typeof ActionMark>;

/** What stands behind a status bar item. */
export const BridgeStatus = z.object({
  bridgeVersion: z.string(),
  engine: z.object({
    state: z.enum(["none", "starting", "ready", "stopped", "failed"]),
    message: z.string(),
    device: z.string().nullable(),
  }),
  sandbox: z.object({ state: z.enum(["ready", "refused"]), message: z.string() }),
  coach: z.object({ name: z.string(), message: z.string() }),
  /** The iteration that is neither done, cancelled nor failed; null where none is. */
  activeIteration: Iteration.nullable(),
  counts: z.object({
    runs: z.number(),
    trajectories: z.number(),
    actions: z.number(),
    overrides: z.number(),
    missingScores: z.number(),
  }),
  lastSeq: z.number().int(),
});
export type BridgeStatus = z.infer<typeof BridgeStatus>;

type Constants = typeof IterationConfig.shape;
/** Constants that differ from the bridge's own for one iteration. Absent ones stay absent: no default is filled in here. */
export const IterationChanges = z.object(
  Object.fromEntries(Object.entries(IterationConfig.shape).map(([name, schema]) => [name, schema.unwrap().optional()])),
) as unknown as z.ZodObject<{ [K in keyof Constants]: z.ZodOptional<ReturnType<Constants[K]["unwrap"]>> }>;

const progressStep = z.object({ done: z.number(), total: z.number(), message: z.string() });

export const bridgeContract = {
  requests: {
    /** First request of a connection. `token` is required unless the bridge was started without one. */
    initialize: {
      params: z.object({
        protocolVersion: z.number().int(),
        client: z.string().max(200),
        token: z.string().max(500),
        wants: z.array(Capability).optional(),
      }),
      result: z.object({
        protocolVersion: z.number().int(),
        bridgeVersion: z.string(),
        bridgeId: Id,
        capabilities: z.array(Capability),
        lastSeq: z.number().int(),
        firstSeq: z.number().int(),
      }),
    },
    "status/get": { params: none, result: BridgeStatus },

    /** From now on, events with `seq > afterSeq` arrive as `event/batch`, the past ones first. `gap` true: they are gone; take a snapshot by the list methods and subscribe from `lastSeq`. */
    "event/subscribe": {
      params: z.object({ afterSeq: z.number().int().nonnegative() }),
      result: z.object({ gap: z.boolean(), lastSeq: z.number().int() }),
    },
    "event/unsubscribe": { params: none, result: none },

    "run/list": { params: z.object({ cursor: Cursor.default(null), limit: Limit }), result: page(Run) },
    "run/get": { params: z.object({ runId: Id }), result: Run },
    /** Makes a training run; `workflow`, `taskSet` and the policies come from the bridge's own configuration by name. */
    "run/create": {
      params: z.object({
        name: z.string().min(1).max(200),
        workflow: z.string().default("tiny-math"),
        taskSet: z.string().default("arithmetic"),
        seed: z.number().int().nonnegative().default(1),
      }),
      result: Run,
    },

    /** Newest first. Filters are joined by "and". */
    "trajectory/list": {
      params: z.object({
        runId: Id.optional(),
        iterationId: Id.optional(),
        purpose: Purpose.optional(),
        outcome: z.enum(["running", "completed", "failed", "cancelled", "unknown"]).optional(),
        /** Success means outcome reward ≥ 0.5. */
        success: z.boolean().optional(),
        cursor: Cursor.default(null),
        limit: Limit,
      }),
      result: page(Trajectory),
    },
    "trajectory/get": { params: z.object({ trajectoryId: Id }), result: Trajectory },
    /** All marks of a trajectory, by index, in pages of up to 2,000; a page ends early when it would not fit in a message. */
    "trajectory/marks": {
      params: z.object({
        trajectoryId: Id,
        fromIndex: z.number().int().nonnegative().default(0),
        limit: z.number().int().min(1).max(2000).default(1000),
      }),
      result: z.object({ marks: z.array(ActionMark), total: z.number().int() }),
    },

    /** Actions by index. A page ends early when it would not fit in a message; `nextIndex` null at the end. */
    "action/list": {
      params: z.object({
        trajectoryId: Id,
        fromIndex: z.number().int().nonnegative().default(0),
        limit: z.number().int().min(1).max(200).default(50),
      }),
      result: z.object({ items: z.array(ActionView), nextIndex: z.number().int().nullable() }),
    },
    "action/get": { params: z.object({ actionId: Id }), result: ActionView },
    /** A part of one field that was cut; `field` as in `ActionView.cut`, offset and length in characters. */
    "action/text": {
      params: z.object({
        actionId: Id,
        field: z.string().max(200),
        offset: z.number().int().nonnegative().default(0),
        length: z.number().int().min(1).max(100_000).default(50_000),
      }),
      result: z.object({ text: z.string(), total: z.number().int() }),
    },
    /** Full-text search in texts, thinking, code and output; words, "phrases" and prefixes*. */
    "action/search": {
      params: z.object({
        query: z.string().min(1).max(500),
        runId: Id.optional(),
        cursor: Cursor.default(null),
        limit: Limit,
      }),
      result: page(
        z.object({
          actionId: Id,
          trajectoryId: Id,
          runId: Id,
          index: z.number().int(),
          agent: z.string(),
          snippet: z.string(),
        }),
      ),
    },

    /** Appends an override. `basedOn` is the record the person saw in effect (null: none); another one in effect is a conflict. `requestId` makes a retry harmless. */
    "override/set": {
      params: z.object({
        requestId: Id,
        actionId: Id,
        value: z.number().min(0).max(10),
        rationale: z.string().max(10_000),
        author: z.string().min(1).max(200),
        basedOn: Id.nullable(),
        tags: z.array(z.string().max(100)).max(20).default([]),
        /** When the person decided, where that was earlier (offline). */ decidedAt: z.string().max(40).optional(),
      }),
      result: z.object({ score: Score, fate: OverrideFate }),
    },
    /** Takes back the override in effect; the one before it, or the coach's score, counts again. */
    "override/undo": {
      params: z.object({ requestId: Id, actionId: Id, author: z.string().min(1).max(200), basedOn: Id }),
      result: z.object({ score: Score, effective: Score.nullable() }),
    },
    "override/fates": {
      params: z.object({ trajectoryId: Id, fromIndex: FromIndex }),
      result: z.object({ fates: z.array(OverrideFate), nextIndex: NextIndex }),
    },
    /** What an override would do to the advantage of this action in its batch, before it is made. */
    "override/preview": {
      params: z.object({ actionId: Id, value: z.number().min(0).max(10) }),
      result: z.object({
        advantageBefore: z.number().nullable(),
        advantageAfter: z.number().nullable(),
        batchSize: z.number().int(),
        message: z.string(),
      }),
    },

    /** Rolls out without training, so that there is something to read. Progress counts trajectories. Cancelling keeps the finished ones. */
    "rollout/start": {
      params: z.object({
        runId: Id,
        taskCount: z.number().int().min(1).max(10_000),
        samplesPerTask: z.number().int().min(1).max(64).default(1),
        concurrency: z.number().int().min(1).max(256).default(16),
        coach: z.boolean().default(true),
      }),
      result: z.object({ completed: z.number().int(), failed: z.number().int(), cancelled: z.number().int() }),
      progress: progressStep,
    },

    /** Starts the next iteration and answers at once; `iteration/changed` events tell the rest. */
    "iteration/start": {
      params: z.object({
        runId: Id,
        config: IterationChanges.default({}),
        /** Further iterations to run after this one. */ repeat: z.number().int().min(0).max(1000).default(0),
      }),
      result: Iteration,
    },
    "iteration/pause": { params: z.object({ iterationId: Id }), result: Iteration },
    "iteration/resume": { params: z.object({ iterationId: Id }), result: Iteration },
    "iteration/cancel": { params: z.object({ iterationId: Id }), result: Iteration },
    /** The person has reviewed: training may start. */
    "iteration/reviewed": { params: z.object({ iterationId: Id }), result: Iteration },
    "iteration/list": {
      params: z.object({ runId: Id, cursor: Cursor.default(null), limit: Limit }),
      result: page(Iteration),
    },
    "iteration/get": { params: z.object({ iterationId: Id }), result: Iteration },

    "step/list": {
      params: z.object({ iterationId: Id, fromIndex: FromIndex }),
      result: z.object({ steps: z.array(OptimizerStep), nextIndex: NextIndex }),
    },
    "checkpoint/list": {
      params: z.object({ runId: Id, fromIndex: FromIndex }),
      result: z.object({ checkpoints: z.array(Checkpoint), nextIndex: NextIndex }),
    },

    /** A part of a blob, base64. */
    "blob/get": {
      params: z.object({
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        offset: z.number().int().nonnegative().default(0),
        length: z.number().int().min(1).max(MAX_CHUNK_BYTES).default(MAX_CHUNK_BYTES),
      }),
      result: z.object({ base64: z.string(), total: z.number().int(), mime: z.string() }),
    },

    /** Import: the client sends the file's bytes in chunks; no path crosses the wire. */
    "import/begin": {
      params: z.object({ fileName: z.string().min(1).max(500), sizeBytes: z.number().int().nonnegative() }),
      result: z.object({ uploadId: Id }),
    },
    "import/chunk": {
      params: z.object({ uploadId: Id, offset: z.number().int().nonnegative(), base64: z.string().max(200_000) }),
      result: z.object({ received: z.number().int() }),
    },
    "import/finish": {
      params: z.object({
        uploadId: Id,
        /** Keep with an existing import run; else a new one named after the file. */ runId: Id.optional(),
      }),
      result: z.object({
        runId: Id.nullable(),
        format: z.string().nullable(),
        trajectories: z.number().int(),
        actions: z.number().int(),
        duplicates: z.number().int(),
        problems: z.array(z.object({ where: z.string(), message: z.string() })),
      }),
      progress: progressStep,
    },
  },
  notifications: {
    /** Events in order of `seq`, coalesced. */
    "event/batch": z.object({ events: z.array(Event) }),
    /** This client was too slow and events were dropped for it: subscribe again. */
    "event/resync": z.object({ lastSeq: z.number().int(), message: z.string() }),
  },
} as const satisfies Contract;
