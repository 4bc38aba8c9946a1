// touchline import: sends files to the bridge in chunks and tells what was kept and what was left out.
import { readFileSync } from "node:fs";
import path from "node:path";
import { MAX_CHUNK_BYTES } from "../../src/protocol/bridge.ts";
import { withBridge } from "./bridge.ts";
import type { BridgeClient } from "./bridgeClient.ts";
import { onInterruption } from "./progress.ts";
import type { Report } from "./report.ts";
import type { RoomSettings } from "./rooms.ts";
import { type CommandOf, UsageError } from "./usage.ts";

/** Imports each file; 1 where nothing of a file could be kept. */
export async function importFiles(
  { values, positionals: files }: CommandOf<"import">,
  settings: RoomSettings,
  report: Report,
): Promise<number> {
  if (files.length === 0) throw new UsageError("import needs at least one FILE.");
  const interruption = onInterruption(report.step);
  let exitCode = 0;
  try {
    await withBridge({ ...settings, engine: "none" }, async (client) => {
      for (const file of files) {
        if (interruption.isAsked) break;
        try {
          const uploadId = await upload(client, path.basename(file), readFileSync(file));
          const result = await client.request(
            "import/finish",
            { uploadId, ...(values.run === undefined ? {} : { runId: values.run }) },
            {
              cancellation: interruption.token,
              onProgress: ({ done, total, message }) => report.step(`${file}: ${done}/${total} ${message}`),
            },
          );
          if (result.trajectories + result.duplicates === 0) exitCode = 1;
          const format = result.format ?? "of no format that is known";
          report.result(
            `${file} (${format}): ${result.trajectories} trajectories and ${result.actions} actions kept, ${result.duplicates} were there already, ${result.problems.length} problems.`,
            { file, ...result },
          );
          for (const problem of result.problems) report.step(`  ${problem.where}: ${problem.message}`);
        } catch (error) {
          exitCode = 1;
          const message = error instanceof Error ? error.message : String(error);
          report.result(`${file}: ${message}`, { file, error: message });
        }
      }
    });
    return interruption.isAsked ? 130 : exitCode;
  } finally {
    interruption.dispose();
  }
}

/** Sends the bytes; the upload's id. */
export async function upload(
  client: Pick<BridgeClient, "request">,
  fileName: string,
  bytes: Uint8Array,
): Promise<string> {
  const { uploadId } = await client.request("import/begin", { fileName, sizeBytes: bytes.length });
  for (let offset = 0; offset < bytes.length; offset += MAX_CHUNK_BYTES) {
    const base64 = Buffer.from(bytes.subarray(offset, offset + MAX_CHUNK_BYTES)).toString("base64");
    await client.request("import/chunk", { uploadId, offset, base64 });
  }
  return uploadId;
}
