// Overrides that wait for the trainer: one small file each, so that a crash, or a second window, loses none.
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import path from "node:path";
import { type Ending, Listeners } from "./listeners.ts";
import { errorLine, type Log } from "./log.ts";
import type { QueuedOverride } from "./protocol/webview.ts";
import type { WaitingOverride } from "./waitingOverride.ts";

/** The overrides of this machine that no bridge has acknowledged. */
export interface OverrideQueue {
  /** In the order they were decided. */
  list(bridgeId: string | null): QueuedOverride[];
  get(requestId: string): QueuedOverride | undefined;
  /** Returns after the file is on disk; the same `requestId` replaces what was there. */
  put(bridgeId: string, item: QueuedOverride): Promise<void>;
  remove(requestId: string): void;
  /** Reads the folder again: another window may have added or sent some. */
  refresh(): Promise<void>;
  readonly onChange: (listener: () => void) => Ending;
}

/** Opens the queue in a folder that windows of the same machine share; what lies there is known after the first `refresh`. */
export function openOverrideQueue(folder: string, log: Log): OverrideQueue {
  const changed = new Listeners<void>((error) => log.error(`queue: ${errorLine(error)}`));
  let waiting = new Map<string, WaitingOverride>();

  async function refresh(): Promise<void> {
    mkdirSync(folder, { recursive: true });
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    if (names.length === 0) {
      waiting = new Map();
      return;
    }
    const { WaitingOverride } = await import("./waitingOverride.ts");
    const found = names
      .map((name) => read(WaitingOverride, path.join(folder, name)))
      .filter((one) => one !== undefined);
    waiting = new Map(found.map((one) => [one.item.requestId, one]));
  }

  function read(schema: { parse(value: unknown): WaitingOverride }, file: string): WaitingOverride | undefined {
    try {
      return schema.parse(JSON.parse(readFileSync(file, "utf8")));
    } catch (error) {
      // The file stays where it is, for a person to look at.
      log.error(`queue: ${path.basename(file)} cannot be read and is left alone: ${errorLine(error)}`);
      return undefined;
    }
  }

  mkdirSync(folder, { recursive: true });
  return {
    list: (bridgeId) =>
      [...waiting.values()]
        .filter((one) => bridgeId === null || one.bridgeId === bridgeId)
        .map((one) => one.item)
        .sort((a, b) => a.at.localeCompare(b.at)),
    get: (requestId) => waiting.get(requestId)?.item,
    async put(bridgeId, item) {
      const one: WaitingOverride = { bridgeId, item };
      await writeDurably(fileOf(folder, item.requestId), JSON.stringify(one));
      waiting.set(item.requestId, one);
      changed.tell();
    },
    remove(requestId) {
      rmSync(fileOf(folder, requestId), { force: true });
      if (waiting.delete(requestId)) changed.tell();
    },
    async refresh() {
      await refresh();
      changed.tell();
    },
    onChange: changed.add,
  };
}

/** Request ids are made here as UUIDs; anything else must not name a path. */
function fileOf(folder: string, requestId: string): string {
  return path.join(folder, `${requestId.replaceAll(/[^A-Za-z0-9-]/g, "_")}.json`);
}

/** Write beside, fsync, rename, fsync the folder: after a crash the file is whole or not there. */
async function writeDurably(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  if (process.platform === "win32") return;
  const folder = await open(path.dirname(file), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
