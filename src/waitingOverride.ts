// The form of an override that waits on disk.
import * as z from "zod";
import { Id, Instant } from "./protocol/model.ts";
import { QueuedOverride } from "./protocol/webview.ts";

/** An override on disk, with the store it is meant for. */
export const WaitingOverride = z.object({ bridgeId: Id, item: QueuedOverride.extend({ at: Instant }) });
export type WaitingOverride = z.infer<typeof WaitingOverride>;
