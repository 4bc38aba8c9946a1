// The page wire: every message between a page (webview) and the extension host, over postMessage.
import * as z from "zod";
import { ActionMark, ActionView, BridgeStatus } from "./bridge.ts";
import type { Contract } from "./contract.ts";
import { Checkpoint, Event, Id, Iteration, OverrideFate, Run, Score, Trajectory } from "./model.ts";

/** How the host stands to the bridge, as a page shows it. `queuedOverrides` wait on this machine for a connection. */
export const Connection = z.object({
  state: z.enum(["none", "connecting", "connected", "offline", "failed"]),
  message: z.string(),
  queuedOverrides: z.number().int().nonnegative(),
  /** False in Restricted Mode: reading works; overrides and run control wait for trust. */
  canOverride: z.boolean(),
});
export type Connection = z.infer<typeof Connection>;

/** An override that the host holds until the bridge can be reached again, or that met a conflict there. */
export const QueuedOverride = z.object({
  requestId: Id,
  actionId: Id,
  trajectoryId: Id,
  value: z.number().min(0).max(10),
  rationale: z.string(),
  author: z.string(),
  basedOn: Id.nullable(),
  at: z.string(),
  state: z.enum(["queued", "conflict"]),
  /** The score in effect at the bridge, where there is a conflict. */
  current: Score.nullable(),
});
export type QueuedOverride = z.infer<typeof QueuedOverride>;

const none = z.object({});

/** Requests a Trajectory page makes of the host, and what the host announces to it. */
export const trajectoryPageContract = {
  requests: {
    /** The page is ready and asks for everything it needs to draw. */
    "page/ready": {
      params: none,
      result: z.object({
        connection: Connection,
        trajectory: Trajectory.nullable(),
        marks: z.array(ActionMark),
        queued: z.array(QueuedOverride),
        fates: z.array(OverrideFate),
        author: z.string(),
        blindFirst: z.boolean(),
        /** Action to bring into view. */ reveal: Id.nullable(),
      }),
    },
    "marks/get": {
      params: z.object({ fromIndex: z.number().int().nonnegative() }),
      result: z.object({ marks: z.array(ActionMark), total: z.number().int() }),
    },
    "action/list": {
      params: z.object({ fromIndex: z.number().int().nonnegative(), limit: z.number().int().min(1).max(200) }),
      result: z.object({ items: z.array(ActionView), nextIndex: z.number().int().nullable() }),
    },
    "action/text": {
      params: z.object({
        actionId: Id,
        field: z.string(),
        offset: z.number().int().nonnegative(),
        length: z.number().int().positive(),
      }),
      result: z.object({ text: z.string(), total: z.number().int() }),
    },
    /** Sets an override; while offline it is queued on this machine and `queued` is given. */
    "override/set": {
      params: z.object({
        actionId: Id,
        value: z.number().min(0).max(10),
        rationale: z.string(),
        basedOn: Id.nullable(),
      }),
      result: z.object({ score: Score.nullable(), queued: QueuedOverride.nullable(), fate: OverrideFate.nullable() }),
    },
    "override/undo": { params: z.object({ actionId: Id, basedOn: Id }), result: z.object({ score: Score.nullable() }) },
    /** Ends a conflict: keep mine (send again on top of theirs) or take theirs. */
    "override/resolve": {
      params: z.object({ requestId: Id, keep: z.enum(["mine", "theirs"]) }),
      result: z.object({ score: Score.nullable() }),
    },
    "override/preview": {
      params: z.object({ actionId: Id, value: z.number().min(0).max(10) }),
      result: z.object({
        advantageBefore: z.number().nullable(),
        advantageAfter: z.number().nullable(),
        batchSize: z.number().int(),
        message: z.string(),
      }),
    },
    "fates/get": { params: none, result: z.object({ fates: z.array(OverrideFate) }) },
    /** Bytes of an image output, base64; refused over 4 MB. */
    "blob/get": {
      params: z.object({ sha256: z.string() }),
      result: z.object({ base64: z.string(), mime: z.string() }),
    },
    /** Opens a full field of an action in a read-only editor. */
    "action/open": { params: z.object({ actionId: Id, field: z.string() }), result: none },
    /** The previous or next trajectory of the same list. */
    "trajectory/go": { params: z.object({ direction: z.enum(["previous", "next"]) }), result: none },
    /** Runs a Touchline command by its short name; only those the host allows a page. */
    "command/run": { params: z.object({ command: z.string() }), result: none },
  },
  notifications: {
    "connection/changed": Connection,
    "trajectory/shown": z.object({ trajectoryId: Id.nullable() }),
    /** Events of the shown trajectory only, coalesced to at most 10 pushes a second. */
    "event/batch": z.object({ events: z.array(Event) }),
    "queue/changed": z.object({ queued: z.array(QueuedOverride) }),
    "action/reveal": z.object({ actionId: Id }),
    /** A contributed keybinding was pressed while the page had the focus. */
    "key/pressed": z.object({ key: z.string() }),
  },
} as const satisfies Contract;

/** Requests a Training page makes of the host, and what the host announces to it. */
export const trainingPageContract = {
  requests: {
    "page/ready": {
      params: none,
      result: z.object({
        connection: Connection,
        status: BridgeStatus.nullable(),
        runs: z.array(Run),
        runId: Id.nullable(),
        iterations: z.array(Iteration),
        checkpoints: z.array(Checkpoint),
      }),
    },
    "run/select": {
      params: z.object({ runId: Id }),
      result: z.object({ iterations: z.array(Iteration), checkpoints: z.array(Checkpoint) }),
    },
    "command/run": { params: z.object({ command: z.string() }), result: none },
    /** Shows the trajectories of an iteration in the Runs tree. */
    "iteration/show": { params: z.object({ iterationId: Id }), result: none },
  },
  notifications: {
    "connection/changed": Connection,
    "iteration/changed": Iteration,
    "run/changed": Run,
    "checkpoint/published": Checkpoint,
    "status/changed": BridgeStatus,
  },
} as const satisfies Contract;
