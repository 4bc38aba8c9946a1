// What each request of the wire answers, over a real WebSocket and a real store.
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BridgeErrorCode, bridgeContract, MAX_CHUNK_BYTES, MAX_MESSAGE_BYTES } from "../../src/protocol/bridge.ts";
import type { Action } from "../../src/protocol/model.ts";
import type { BridgeClient } from "../../trainer-bridge/cli/bridgeClient.ts";
import { upload } from "../../trainer-bridge/cli/importFiles.ts";
import { handlersFor } from "../../trainer-bridge/server/handlers.ts";
import type { Importer } from "../../trainer-bridge/server/rooms.ts";
import {
  fakeAction,
  fakeRun,
  fakeScore,
  fakeToolCall,
  fakeTrajectory,
} from "../../trainer-bridge/store/fakeRecords.ts";
import { fillStore, startTestBridge, type TestBridge } from "../support/bridgeServer.ts";

let bridge: TestBridge;
let client: BridgeClient;
/** Bytes of the longest message the client got. */
let longest = 0;
beforeEach(async () => {
  bridge = await startTestBridge({ fill: (store) => fillStore(store, 5), importer: fakeImporter });
  client = await bridge.connect();
  longest = 0;
  client.socket.on("message", (data) => {
    longest = Math.max(longest, Buffer.byteLength(String(data)));
  });
});
afterEach(async () => {
  expect(longest).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  await bridge.close();
});

/** A file of this fake format is JSON: how many trajectories of two actions it has, and a salt for their ids. */
const fakeImporter: Importer = (fileName, bytes, runName) => {
  const { count, salt } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { count: number; salt: string };
  const trajectories = Array.from({ length: count }, (_, place) => {
    const id = `import-${salt}-${place}`;
    const trajectory = fakeTrajectory(id, { runId: `run-${salt}`, purpose: "import" });
    const actions = [0, 1].map((index) => ({
      action: fakeAction(`${id}-${index}`, id, index, { runId: `run-${salt}` }),
      tokens: null,
      scores: [],
    }));
    return { trajectory, actions };
  });
  const run = { ...fakeRun(`run-${salt}`), name: runName, kind: "import" as const };
  return { format: "fake", run, trajectories, problems: [{ where: fileName, message: "A row was left out." }] };
};

test("every method of the table has a handler, and no handler is without one", () => {
  const handlers = handlersFor({} as never, {} as never);
  expect(Object.keys(handlers).sort()).toEqual(Object.keys(bridgeContract.requests).sort());
});

describe("lists", () => {
  test("of trajectories come in pages, each once", async () => {
    for (let place = 2; place <= 25; place++) bridge.store.addTrajectory(fakeTrajectory(`trajectory-${place}`));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: { id: string }[]; next: string | null } = await client.request("trajectory/list", {
        runId: "run-1",
        limit: 7,
        cursor,
      });
      expect(page.items.length).toBeLessThanOrEqual(7);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== null);
    expect(seen).toHaveLength(25);
    expect(new Set(seen).size).toBe(25);
  });

  test("of long trajectories end early and lose none", async () => {
    const task = { id: "t", setName: "s", problem: "ü".repeat(30_000), answer: null, meta: {} };
    for (let place = 2; place <= 40; place++)
      bridge.store.addTrajectory(fakeTrajectory(`trajectory-${place}`, { task }));
    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page: { items: { id: string }[]; next: string | null } = await client.request("trajectory/list", {
        limit: 500,
        cursor,
      });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
      pages += 1;
    } while (cursor !== null);
    expect(pages).toBeGreaterThan(5);
    expect(new Set(seen).size).toBe(40);
    expect(seen).toHaveLength(40);
  });

  test("of marks come in parts until all are there", async () => {
    const actions = Array.from({ length: 4_000 }, (_, index) => ({
      action: fakeAction(`many-${"x".repeat(60)}-${index}`, "many", index),
      tokens: null,
      scores: [],
    }));
    bridge.store.addTrajectories([{ trajectory: fakeTrajectory("many"), actions }]);
    const seen: number[] = [];
    for (;;) {
      const { marks, total } = await client.request("trajectory/marks", {
        trajectoryId: "many",
        fromIndex: seen.length,
        limit: 2_000,
      });
      seen.push(...marks.map(({ index }) => index));
      if (seen.length >= total) break;
      expect(marks.length).toBeGreaterThan(0);
    }
    expect(seen).toEqual(Array.from({ length: 4_000 }, (_, index) => index));
  });

  test("of fates come in parts", async () => {
    const actions = Array.from({ length: 1_500 }, (_, index) => {
      const action = fakeAction(`judged-${index}`, "judged", index);
      return {
        action,
        tokens: null,
        scores: [fakeScore(`r-${index}`, action, 3, { kind: "override", source: "human" })],
      };
    });
    bridge.store.addTrajectories([{ trajectory: fakeTrajectory("judged"), actions }]);
    let fromIndex: number | null | undefined = 0;
    let parts = 0;
    const seen: string[] = [];
    while (typeof fromIndex === "number") {
      const { fates, nextIndex }: { fates: { scoreId: string }[]; nextIndex?: number | null | undefined } =
        await client.request("override/fates", { trajectoryId: "judged", fromIndex });
      seen.push(...fates.map(({ scoreId }) => scoreId));
      fromIndex = nextIndex;
      parts += 1;
    }
    expect(parts).toBeGreaterThan(1);
    expect(new Set(seen).size).toBe(1_500);
  });

  test("with a cursor that is none are refused in words", async () => {
    await expect(client.request("run/list", { cursor: "nonsense" })).rejects.toThrow("cursor");
  });
});

describe("actions", () => {
  const long = (length: number) =>
    Array.from({ length: length / 10 }, (_, line) => `${line}`.padStart(9, "0")).join("\n");
  async function add(part: Partial<Action>): Promise<string> {
    bridge.store.addAction(fakeAction("long", "trajectory-1", 5, part), null, []);
    return "long";
  }

  test("that are short come whole, with their scores", async () => {
    const view = await client.request("action/get", { actionId: "action-0" });
    expect(view.cut).toEqual({});
    expect(view.action).toEqual(bridge.store.action("action-0"));
    expect(view.scores).toMatchObject([{ id: "score-0", value: 6 }]);
  });

  test.each<[string, Partial<Action>, (action: Action) => string | null | undefined]>([
    ["text", { text: long(400_000) }, (action) => action.text],
    ["thinking", { thinking: long(300_000) }, (action) => action.thinking],
    [
      "observation/1/content",
      {
        observation: [
          { role: "system", content: "" },
          { role: "user", content: long(500_000) },
        ],
      },
      (action) => action.observation[1]?.content,
    ],
    [
      "toolCalls/0/input",
      { toolCalls: [{ ...fakeToolCall("c", ""), input: long(200_000) }] },
      (action) => action.toolCalls[0]?.input,
    ],
    ["toolCalls/0/stdout", { toolCalls: [fakeToolCall("c", long(900_000))] }, (action) => action.toolCalls[0]?.stdout],
    [
      "toolCalls/0/stderr",
      { toolCalls: [{ ...fakeToolCall("c", ""), stderr: "😀".repeat(90_000) }] },
      (action) => action.toolCalls[0]?.stderr,
    ],
  ])("with a long %s say its length, show its beginning and give the rest", async (field, part, shown) => {
    const actionId = await add(part);
    const expected = shown(fakeAction("long", "trajectory-1", 5, part)) ?? "";
    const view = await client.request("action/get", { actionId });
    expect(view.cut[field]).toBe(expected.length);
    const beginning = shown(view.action) ?? "";
    expect(beginning.length).toBeGreaterThan(1_000);
    expect(expected.startsWith(beginning)).toBe(true);
    let text = beginning;
    while (text.length < expected.length) {
      const next = await client.request("action/text", { actionId, field, offset: text.length, length: 100_000 });
      expect(next.total).toBe(expected.length);
      expect(next.text.length).toBeGreaterThan(0);
      text += next.text;
    }
    expect(text).toBe(expected);
  });

  test("with everything long still fit in one message", async () => {
    const toolCalls = Array.from({ length: 300 }, (_, place) => fakeToolCall(`call-${place}`, long(30_000)));
    const observation = Array.from({ length: 2_000 }, () => ({ role: "user" as const, content: long(2_000) }));
    const actionId = await add({ text: long(500_000), thinking: long(500_000), toolCalls, observation });
    const view = await client.request("action/get", { actionId });
    expect(view.action.text.length).toBeGreaterThan(0);
    expect(view.cut).toMatchObject({
      text: expect.any(Number),
      toolCalls: expect.any(Number),
      observation: expect.any(Number),
    });
    const part = await client.request("action/text", { actionId, field: "observation", length: 100_000 });
    expect(part.text).toContain("[user]");
  });

  test("are listed in pages that end early, by index, to the end", async () => {
    for (let index = 5; index < 60; index++) {
      bridge.store.addAction(fakeAction(`action-${index}`, "trajectory-1", index, { text: long(20_000) }), null, []);
    }
    const seen: number[] = [];
    let pages = 0;
    for (let fromIndex: number | null = 0; fromIndex !== null; ) {
      const page: { items: { action: Action }[]; nextIndex: number | null } = await client.request("action/list", {
        trajectoryId: "trajectory-1",
        fromIndex,
        limit: 200,
      });
      seen.push(...page.items.map(({ action }) => action.index));
      fromIndex = page.nextIndex;
      pages += 1;
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => index));
    expect(pages).toBeGreaterThan(3);
  });

  test.each(["constructor", "text/x", "toolCalls/99/stdout", "observation/-1/content", "../../etc/passwd"])(
    "have no field %s",
    async (field) => {
      await expect(client.request("action/text", { actionId: "action-0", field })).rejects.toMatchObject({
        code: BridgeErrorCode.notFound,
      });
    },
  );

  test("are found by their words", async () => {
    bridge.store.addAction(fakeAction("found", "trajectory-1", 5, { text: "a quokka appears" }), null, []);
    const { items } = await client.request("action/search", { query: "quokk*" });
    expect(items).toMatchObject([{ actionId: "found", trajectoryId: "trajectory-1", index: 5 }]);
  });

  test.each(['"', "AND", "a OR", "(", "*", "NEAR(", "text:x", "'; DROP TABLE action; --"])(
    "survive the search %s",
    async (query) => {
      await client
        .request("action/search", { query })
        .catch((error: unknown) => expect(error).toMatchObject({ code: expect.any(Number) }));
      await expect(client.request("action/get", { actionId: "action-0" })).resolves.toBeDefined();
    },
  );
});

describe("records that are not there", () => {
  test.each([
    ["run/get", { runId: "none" }],
    ["trajectory/get", { trajectoryId: "none" }],
    ["trajectory/marks", { trajectoryId: "none" }],
    ["action/list", { trajectoryId: "none" }],
    ["action/get", { actionId: "none" }],
    ["iteration/get", { iterationId: "none" }],
    ["blob/get", { sha256: "0".repeat(64) }],
    ["override/set", { requestId: "r", actionId: "none", value: 1, rationale: "", author: "Ada", basedOn: null }],
    ["import/finish", { uploadId: "none" }],
  ] as const)("make %s say so", async (method, params) => {
    await expect(client.request(method, params as never)).rejects.toMatchObject({ code: BridgeErrorCode.notFound });
  });
});

describe("an override", () => {
  const asked = {
    requestId: "r1",
    actionId: "action-0",
    value: 2,
    rationale: "The sum is wrong.",
    author: "Ada",
    basedOn: "score-0",
  };

  test("is kept with who, why and when, and its fate is told", async () => {
    const { score, fate } = await client.request("override/set", { ...asked, decidedAt: "2026-01-02T03:04:05.000Z" });
    expect(score).toMatchObject({
      kind: "override",
      source: "human",
      value: 2,
      author: "Ada",
      rationale: "The sum is wrong.",
      basedOn: "score-0",
    });
    expect(fate).toMatchObject({ scoreId: score.id, state: "queued" });
    expect(bridge.store.scores("action-0").at(-1)).toEqual(score);
  });

  test("sent twice is one record", async () => {
    const first = await client.request("override/set", asked);
    await expect(client.request("override/set", asked)).resolves.toEqual(first);
    expect(bridge.store.scores("action-0")).toHaveLength(2);
  });

  test("meets the override of another client as a conflict with both values", async () => {
    const other = await bridge.connect();
    const theirs = await other.request("override/set", { ...asked, requestId: "r2", value: 9, author: "Grace" });
    const conflict = await client.request("override/set", asked).catch((error: unknown) => error);
    expect(conflict).toMatchObject({
      code: BridgeErrorCode.conflict,
      data: { basedOn: "score-0", current: { id: theirs.score.id, value: 9, author: "Grace" } },
    });
    expect(bridge.store.scores("action-0")).toHaveLength(2);
    const again = await client.request("override/set", { ...asked, requestId: "r3", basedOn: theirs.score.id });
    expect(again.score.basedOn).toBe(theirs.score.id);
  });

  test("is taken back, and the score before it counts again", async () => {
    const { score } = await client.request("override/set", asked);
    const undone = await client.request("override/undo", {
      requestId: "u1",
      actionId: "action-0",
      author: "Ada",
      basedOn: score.id,
    });
    expect(undone.score).toMatchObject({ kind: "undo", basedOn: score.id });
    expect(undone.effective).toMatchObject({ id: "score-0", value: 6 });
    expect(bridge.store.scores("action-0")).toHaveLength(3);
  });
});

describe("a blob", () => {
  test("comes in parts that make the whole", async () => {
    const bytes = Buffer.alloc(300_000, "0123456789");
    const sha256 = bridge.store.putBlob(bytes, "image/png");
    const parts: Buffer[] = [];
    for (let offset = 0; offset < bytes.length; ) {
      const part = await client.request("blob/get", { sha256, offset });
      expect(part).toMatchObject({ total: 300_000, mime: "image/png" });
      parts.push(Buffer.from(part.base64, "base64"));
      offset += parts.at(-1)?.length ?? 0;
    }
    expect(createHash("sha256").update(Buffer.concat(parts)).digest("hex")).toBe(sha256);
  });
});

describe("an import", () => {
  const file = (count: number, salt: string, padding = 0) =>
    Buffer.from(JSON.stringify({ count, salt, padding: "x".repeat(padding) }));
  const uploadsDir = () => path.join(bridge.dir, "uploads");

  test("of a file in many chunks is kept, with progress, and its problems are told", async () => {
    const uploadId = await upload(client, "C:\\folder\\runs.json", file(500, "a", 3 * MAX_CHUNK_BYTES));
    const steps: number[] = [];
    const result = await client.request(
      "import/finish",
      { uploadId },
      { onProgress: ({ done }) => void steps.push(done) },
    );
    expect(result).toEqual({
      runId: "run-a",
      format: "fake",
      trajectories: 500,
      actions: 1_000,
      duplicates: 0,
      problems: [{ where: "runs.json", message: "A row was left out." }],
    });
    expect(steps.length).toBeGreaterThan(2);
    expect(bridge.store.counts()).toMatchObject({ trajectories: 501, actions: 1_005 });
    expect(readdirSync(uploadsDir())).toEqual([]);
  });

  test("of the same file again finds only duplicates", async () => {
    const send = async () =>
      client.request("import/finish", { uploadId: await upload(client, "a.json", file(10, "b")) });
    await send();
    await expect(send()).resolves.toMatchObject({ trajectories: 0, actions: 0, duplicates: 10 });
    expect(bridge.store.counts().trajectories).toBe(11);
  });

  test("can go into a run that is there", async () => {
    await client.request("import/finish", { uploadId: await upload(client, "a.json", file(1, "c")) });
    const result = await client.request("import/finish", {
      uploadId: await upload(client, "b.json", file(1, "d")),
      runId: "run-c",
    });
    expect(result.runId).toBe("run-c");
    expect(bridge.store.action("import-d-0-1").runId).toBe("run-c");
  });

  test("of a file that nothing can be kept of says why", async () => {
    const uploadId = await upload(client, "empty.json", file(0, "e"));
    await expect(client.request("import/finish", { uploadId })).resolves.toMatchObject({
      runId: null,
      trajectories: 0,
      problems: [{ where: "empty.json" }],
    });
    expect(bridge.store.counts().runs).toBe(1);
  });

  test("refuses gaps, overlaps, too much, and a finish before the end; a repeated chunk is harmless", async () => {
    const bytes = file(1, "f");
    const { uploadId } = await client.request("import/begin", { fileName: "f", sizeBytes: bytes.length });
    const chunk = (offset: number, part: Uint8Array) =>
      client.request("import/chunk", { uploadId, offset, base64: Buffer.from(part).toString("base64") });
    await expect(chunk(5, bytes.subarray(5))).rejects.toThrow("0 bytes have come");
    await expect(chunk(0, bytes.subarray(0, 10))).resolves.toEqual({ received: 10 });
    await expect(chunk(0, bytes.subarray(0, 10))).resolves.toEqual({ received: 10 });
    await expect(chunk(5, bytes)).rejects.toThrow("10 bytes have come");
    await expect(client.request("import/finish", { uploadId })).rejects.toMatchObject({
      code: BridgeErrorCode.refused,
    });
    await expect(chunk(10, Buffer.concat([bytes.subarray(10), bytes]))).rejects.toThrow("more bytes came");
    await chunk(10, bytes.subarray(10));
    await expect(client.request("import/finish", { uploadId })).resolves.toMatchObject({ trajectories: 1 });
  });

  test("too large, or one too many at once, is refused before a byte is kept", async () => {
    await expect(client.request("import/begin", { fileName: "f", sizeBytes: 2 ** 40 })).rejects.toMatchObject({
      code: BridgeErrorCode.tooLarge,
    });
    for (let count = 0; count < 4; count++) await client.request("import/begin", { fileName: "f", sizeBytes: 1 });
    await expect(client.request("import/begin", { fileName: "f", sizeBytes: 1 })).rejects.toMatchObject({
      code: BridgeErrorCode.tooBusy,
    });
  });

  test("never puts a byte outside its folder, whatever the file is called", async () => {
    await client.request("import/begin", { fileName: "../../../../tmp/escaped.json", sizeBytes: 1 });
    expect(readdirSync(uploadsDir())).toHaveLength(1);
    expect(existsSync("/tmp/escaped.json")).toBe(false);
  });

  test("ends with its connection", async () => {
    await client.request("import/begin", { fileName: "f", sizeBytes: 1 });
    await client.close();
    await expect.poll(() => readdirSync(uploadsDir())).toEqual([]);
  });

  test("that is cancelled keeps what is stored and says so", async () => {
    const { CancellationTokenSource } = await import("vscode-jsonrpc/node");
    const source = new CancellationTokenSource();
    const uploadId = await upload(client, "big.json", file(3_000, "g"));
    const result = await client.request(
      "import/finish",
      { uploadId },
      { cancellation: source.token, onProgress: ({ done }) => (done > 0 ? source.cancel() : undefined) },
    );
    expect(result.trajectories).toBeGreaterThan(0);
    expect(result.trajectories).toBeLessThan(3_000);
    expect(result.problems[0]?.message).toContain("Cancelled");
    expect(bridge.store.counts().trajectories).toBe(result.trajectories + 1);
  });
});
