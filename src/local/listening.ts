// What a local bridge says of itself: on its first line, and in the file that other windows read.
import * as z from "zod";

/** The first line of a bridge's standard output. */
export const Listening = z.object({ event: z.literal("listening"), url: z.string(), tokenFile: z.string() });

/** Where the bridge of this machine listens, for other windows. */
export const Shared = z.object({ url: z.string(), tokenFile: z.string(), pid: z.number().int() });
