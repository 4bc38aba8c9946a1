// The protocol's documents: in step with the tables, and a schema that real messages fit.
import { readFileSync } from "node:fs";
import path from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { outOfStep } from "../../scripts/protocolDocs.ts";
import { type ProtocolSchema, protocolSchema } from "../../scripts/protocolSchema.ts";
import { bridgeContract } from "../../src/protocol/bridge.ts";
import { fakeAction, fakeScore, fakeTrajectory } from "../../trainer-bridge/store/fakeRecords.ts";

const root = path.resolve(import.meta.dirname, "../..");

test("the documents are in step with the tables (else: node scripts/protocolDocs.ts)", () => {
  expect(outOfStep(root)).toEqual([]);
});

test("the page names every method, notification and error number", () => {
  const page = readFileSync(path.join(root, "docs/protocol.md"), "utf8");
  const names = [...Object.keys(bridgeContract.requests), ...Object.keys(bridgeContract.notifications)];
  for (const name of names) expect(page).toContain(`### \`${name}\``);
  for (const code of Object.values(protocolSchema().errorCodes)) expect(page).toContain(`| ${code} |`);
  expect(page).toContain(`${protocolSchema().maxMessageBytes.toLocaleString("en")} bytes`);
});

describe("the schema", () => {
  const schema: ProtocolSchema = JSON.parse(readFileSync(path.join(root, "docs/protocol.schema.json"), "utf8"));
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ ...schema, $id: "protocol" });
  const escaped = (name: string) => encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
  const check = (...place: string[]) => ajv.compile({ $ref: `protocol#/${place.map(escaped).join("/")}` });

  test("has only references that lead somewhere", () => {
    const references = [...JSON.stringify(schema).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to = ""]) => to);
    expect(references.length).toBeGreaterThan(50);
    const lost = references.filter((to) => schema.$defs[to.replace("#/$defs/", "")] === undefined);
    expect(lost).toEqual([]);
  });

  test("of every message compiles", () => {
    let count = 0;
    for (const [wire, { requests, notifications }] of Object.entries(schema.wires)) {
      for (const [method, row] of Object.entries(requests)) {
        for (const part of Object.keys(row)) count += check("wires", wire, "requests", method, part) ? 1 : 0;
      }
      for (const name of Object.keys(notifications)) count += check("wires", wire, "notifications", name) ? 1 : 0;
    }
    expect(count).toBeGreaterThan(100);
  });

  const action = fakeAction("a", "t", 0);
  test.each<[string, string, "params" | "result", unknown, boolean]>([
    ["an initialize", "initialize", "params", { protocolVersion: 1, client: "x", token: "y" }, true],
    ["an initialize without a token", "initialize", "params", { protocolVersion: 1, client: "x" }, false],
    ["a list with its defaults left out", "run/list", "params", {}, true],
    ["a limit that is too high", "run/list", "params", { limit: 501 }, false],
    [
      "an override out of range",
      "override/set",
      "params",
      { requestId: "r", actionId: "a", value: 11, rationale: "", author: "A", basedOn: null },
      false,
    ],
    ["a trajectory", "trajectory/get", "result", fakeTrajectory("t"), true],
    [
      "a trajectory without an outcome",
      "trajectory/get",
      "result",
      { ...fakeTrajectory("t"), outcome: undefined },
      false,
    ],
    ["a newer bridge's extra field", "trajectory/get", "result", { ...fakeTrajectory("t"), extra: 1 }, true],
    ["an action view", "action/get", "result", { action, cut: { text: 3 }, scores: [fakeScore("s", action, 4)] }, true],
    [
      "a score as a word",
      "action/get",
      "result",
      { action, cut: {}, scores: [{ ...fakeScore("s", action, 4), value: "4" }] },
      false,
    ],
  ])("%s fits as it should", (_name, method, part, value, isFitting) => {
    const fits = check("wires", "bridge", "requests", method, part);
    expect(fits(JSON.parse(JSON.stringify(value)))).toBe(isFitting);
  });
});
