// Files that clients send in chunks: kept under names of our own until they are imported, dropped, or idle too long.
import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { BridgeErrorCode, MAX_CHUNK_BYTES } from "../../src/protocol/bridge.ts";
import { INVALID_PARAMS, ProtocolError } from "../../src/protocol/rpc.ts";
import type { Limits } from "./limits.ts";

interface Upload {
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly file: string;
  readonly descriptor: number;
  received: number;
  idle: NodeJS.Timeout;
}

/** The unfinished uploads of one connection; they end with it. */
export interface Uploads {
  begin(fileName: string, sizeBytes: number): string;
  /** Appends a chunk and tells how many bytes have come; a chunk that came before is acknowledged again. */
  chunk(uploadId: string, offset: number, base64: string): number;
  /** The whole file; the upload is over. Refused while bytes are missing. */
  finish(uploadId: string): { fileName: string; bytes: Uint8Array };
  dispose(): void;
}

/** Keeps uploads in `dir`, which is made when the first one begins. */
export function openUploads(dir: string, limits: Pick<Limits, "uploadBytes" | "uploads" | "uploadIdleMs">): Uploads {
  const uploads = new Map<string, Upload>();

  function drop(uploadId: string): void {
    const upload = uploads.get(uploadId);
    if (upload === undefined) return;
    uploads.delete(uploadId);
    clearTimeout(upload.idle);
    closeSync(upload.descriptor);
    rmSync(upload.file, { force: true });
  }

  function idleTimer(uploadId: string): NodeJS.Timeout {
    return setTimeout(() => drop(uploadId), limits.uploadIdleMs).unref();
  }

  function upload(uploadId: string): Upload {
    const found = uploads.get(uploadId);
    if (found === undefined) {
      throw new ProtocolError(
        BridgeErrorCode.notFound,
        `There is no upload ${uploadId}: it was finished, was idle too long, or its connection ended. Nothing was imported from it; begin again with import/begin.`,
      );
    }
    return found;
  }

  return {
    begin(fileName, sizeBytes) {
      if (sizeBytes > limits.uploadBytes) {
        throw new ProtocolError(
          BridgeErrorCode.tooLarge,
          `${fileName} has ${sizeBytes} bytes; an import may have ${limits.uploadBytes}. Split the file and import the parts.`,
        );
      }
      if (uploads.size >= limits.uploads) {
        throw new ProtocolError(
          BridgeErrorCode.tooBusy,
          `${uploads.size} imports of this client are under way. Finish one first.`,
        );
      }
      const uploadId = randomUUID();
      const file = path.join(dir, `${uploadId}.upload`);
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      const descriptor = openSync(file, "wx", 0o600);
      uploads.set(uploadId, { fileName, sizeBytes, file, descriptor, received: 0, idle: idleTimer(uploadId) });
      return uploadId;
    },

    chunk(uploadId, offset, base64) {
      const target = upload(uploadId);
      const bytes = Buffer.from(base64, "base64");
      if (bytes.length > MAX_CHUNK_BYTES) {
        throw new ProtocolError(
          BridgeErrorCode.tooLarge,
          `A chunk of ${bytes.length} bytes came; the most is ${MAX_CHUNK_BYTES}.`,
        );
      }
      if (offset + bytes.length <= target.received) return target.received;
      if (offset !== target.received) {
        throw new ProtocolError(
          INVALID_PARAMS,
          `import/chunk: offset is ${offset}, but ${target.received} bytes have come. Send the chunk at ${target.received}.`,
        );
      }
      if (offset + bytes.length > target.sizeBytes) {
        throw new ProtocolError(
          INVALID_PARAMS,
          `import/chunk: more bytes came than the ${target.sizeBytes} that import/begin said.`,
        );
      }
      try {
        writeSync(target.descriptor, bytes);
      } catch (error) {
        drop(uploadId);
        const reason = error instanceof Error ? error.message : String(error);
        throw new ProtocolError(
          BridgeErrorCode.storeFailed,
          `The upload could not be kept (${reason}). Nothing was imported and the store is unchanged; make room on the bridge's disk and import again.`,
        );
      }
      target.received += bytes.length;
      clearTimeout(target.idle);
      target.idle = idleTimer(uploadId);
      return target.received;
    },

    finish(uploadId) {
      const target = upload(uploadId);
      if (target.received !== target.sizeBytes) {
        throw new ProtocolError(
          BridgeErrorCode.refused,
          `${target.received} of ${target.sizeBytes} bytes of ${target.fileName} have come. Nothing was imported; send the rest, then finish.`,
        );
      }
      const bytes = readFileSync(target.file);
      drop(uploadId);
      return { fileName: target.fileName, bytes };
    },

    dispose() {
      for (const uploadId of [...uploads.keys()]) drop(uploadId);
    },
  };
}
