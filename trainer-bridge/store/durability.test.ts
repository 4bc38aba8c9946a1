// What can go wrong with a disk: a killed writer, a full disk, a second writer, another version, damage, half a blob.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeAction, fakeRun, fakeTrajectory } from "./fakeRecords.ts";
import { migrations } from "./migrations.ts";
import { openStore } from "./store.ts";

let dir: string;
const file = () => path.join(dir, "touchline.sqlite");

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "durability-"));
});

afterEach(() => rmSync(dir, { recursive: true }));

/** Starts a process that writes without end; gives what it printed once `lines` lines were there. */
async function writeUntilKilled(lines: number): Promise<string> {
  const writer = spawn(process.execPath, [path.join(import.meta.dirname, "fakeWriter.ts"), dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  writer.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    if (printed.split("\n").length > lines) writer.kill("SIGKILL");
  });
  await once(writer, "close");
  return printed;
}

test("every acknowledged record is there after kill -9 of the writer, and the next one can open the store", {
  timeout: 60_000,
}, async () => {
  for (const lines of [3, 17, 50]) {
    // The last line may be half written by the killed process; a whole one ends in a newline.
    const acknowledged = (await writeUntilKilled(lines)).split("\n").slice(0, -1);
    expect(acknowledged.length).toBeGreaterThanOrEqual(lines);
    const store = openStore(dir);
    for (const line of acknowledged) {
      const [kind, id = ""] = line.split(" ");
      if (kind === "action") expect(store.tokens(id)?.tokenIds).toEqual([3]);
      if (kind === "score")
        expect(store.scores(id.replace(/-(score|override)$/, "")).map((score) => score.id)).toContain(id);
      if (kind === "blob") expect(store.blob(id)?.bytes.toString()).toMatch(/^blob of /);
    }
    const events = store.eventsAfter(0, 1_000_000);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, place) => place + 1));
    const actions = events.filter(({ kind }) => kind === "action/added").length;
    expect(store.counts()).toMatchObject({ actions });
    expect(store.search("adding", {}, { cursor: null, limit: 500 }).items).toHaveLength(Math.min(actions, 500));
    store.close();
  }
});

describe("a full disk", () => {
  test("is said so, takes back the whole change, and leaves the store readable", () => {
    const store = openStore(dir, { maxPages: 120 });
    store.createRun(fakeRun());
    store.addTrajectory(fakeTrajectory("t"));
    let kept = 0;
    const fill = () => {
      for (; ; kept += 1) store.addAction(fakeAction(`a${kept}`, "t", kept, { text: "word ".repeat(1000) }), null);
    };
    expect(fill).toThrow(
      expect.objectContaining({ code: "full", message: expect.stringMatching(/full.*safe.*[Ff]ree/) }),
    );
    expect(kept).toBeGreaterThan(5);
    const seq = store.lastSeq();
    expect(store.trajectory("t").actionCount).toBe(kept);
    expect(store.actions("t", 0, 1000)).toHaveLength(kept);
    expect(store.eventsAfter(0, 1000).at(-1)?.seq).toBe(seq);
    store.close();
    const roomier = openStore(dir);
    roomier.addAction(fakeAction("after", "t", kept), null);
    expect(roomier.lastSeq()).toBe(seq + 1);
    roomier.close();
  });
});

describe("a store that cannot be opened is left as it is and says what to do:", () => {
  test("one of a newer version", () => {
    openStore(dir).close();
    const newer = new DatabaseSync(file());
    newer.exec(`PRAGMA user_version = ${migrations.length + 1}`);
    newer.close();
    expect(() => openStore(dir)).toThrow(
      expect.objectContaining({ code: "newer", message: expect.stringContaining("Update Touchline") }),
    );
    expect(() => openStore(dir)).toThrow(expect.objectContaining({ code: "newer" }));
  });

  test("one that another bridge uses, until that one closes", () => {
    const holder = openStore(dir);
    expect(() => openStore(dir)).toThrow(
      expect.objectContaining({ code: "locked", message: expect.stringContaining(`process ${process.pid}`) }),
    );
    holder.createRun(fakeRun());
    holder.close();
    const next = openStore(dir);
    expect(next.run("run-1").id).toBe("run-1");
    next.close();
  });

  test.each([
    [
      "text",
      () => writeFileSync(file(), "not a database, but long enough to have a header of one hundred bytes".repeat(4)),
      "damaged",
    ],
    [
      "another program's database",
      () => new DatabaseSync(file()).exec("CREATE TABLE theirs (x)"),
      "not a Touchline store",
    ],
  ])("%s", (_name, make, message) => {
    make();
    const before = readFileSync(file());
    expect(() => openStore(dir)).toThrow(
      expect.objectContaining({ code: "corrupt", message: expect.stringContaining(message) }),
    );
    expect(readFileSync(file())).toEqual(before);
  });
});

test("the same database keeps its id and its records when opened again", () => {
  const store = openStore(dir);
  store.createRun(fakeRun());
  store.close();
  store.close();
  const again = openStore(dir);
  expect(again.id).toBe(store.id);
  expect(again.runs({ cursor: null, limit: 5 }).items).toHaveLength(1);
  again.close();
});

describe("a blob", () => {
  const bytes = Buffer.from("a plot of returns");
  const fileOf = (sha256: string) => path.join(dir, "blobs", sha256.slice(0, 2), sha256);

  test("is read whole and by part", () => {
    const store = openStore(dir);
    const sha256 = store.putBlob(bytes, "image/png");
    expect(store.blob(sha256)).toEqual({ bytes, mime: "image/png" });
    expect(store.blobPart(sha256, 2, 4)).toEqual({
      bytes: Buffer.from("plot"),
      total: bytes.length,
      mime: "image/png",
    });
    expect(store.blobPart(sha256, 100, 4)?.bytes).toHaveLength(0);
    expect(store.blob("0".repeat(64))).toBeNull();
    expect(store.blob("../../etc/passwd")).toBeNull();
    store.close();
  });

  test("half written by a process that died is cleared away or written anew", () => {
    let store = openStore(dir);
    const sha256 = store.putBlob(bytes, "image/png");
    store.close();
    const half = path.join(dir, "blobs", "new", "half");
    mkdirSync(path.dirname(half), { recursive: true });
    writeFileSync(half, "a pl");
    truncateSync(fileOf(sha256), 3);
    store = openStore(dir);
    expect(existsSync(half)).toBe(false);
    expect(() => store.blob(sha256)).toThrow(expect.objectContaining({ code: "corrupt" }));
    expect(store.putBlob(bytes, "image/png")).toBe(sha256);
    expect(store.blob(sha256)?.bytes).toEqual(bytes);
    expect(readdirSync(path.join(dir, "blobs", "new"))).toEqual([]);
    store.close();
  });

  test.each([
    ["is longer", (name: string) => appendFileSync(name, "!")],
    ["differs", (name: string) => writeFileSync(name, "b plot of returns")],
    ["is gone", (name: string) => rmSync(name)],
  ])("whose file %s is not given out as if it were whole", (_name, spoil) => {
    const store = openStore(dir);
    const sha256 = store.putBlob(bytes, "image/png");
    spoil(fileOf(sha256));
    const read = () => store.blob(sha256)?.bytes.toString();
    if (_name === "is longer") expect(read()).toBe(bytes.toString());
    else expect(read).toThrow(expect.objectContaining({ code: "corrupt" }));
    store.close();
  });
});
