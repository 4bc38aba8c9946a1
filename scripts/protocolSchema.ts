// The three wires as one JSON Schema document, generated from the zod tables.
import * as z from "zod";
import * as bridge from "../src/protocol/bridge.ts";
import type { Contract } from "../src/protocol/contract.ts";
import { ChatCompletion, Datum, EngineHealth, EngineState, trainingVerbs } from "../src/protocol/engine.ts";
import * as model from "../src/protocol/model.ts";
import * as pages from "../src/protocol/webview.ts";

/** A JSON Schema. */
export type Schema = { [key: string]: unknown };

/** One wire's messages by name. */
export interface WireSchema {
  readonly requests: Readonly<Record<string, { params: Schema; result: Schema; progress?: Schema }>>;
  readonly notifications: Readonly<Record<string, Schema>>;
}

/** The whole document. Records that have a name lie in `$defs`, once. */
export interface ProtocolSchema {
  readonly $schema: string;
  readonly title: string;
  readonly description: string;
  readonly protocolVersion: number;
  readonly maxMessageBytes: number;
  readonly maxChunkBytes: number;
  readonly errorCodes: Readonly<Record<string, number>>;
  readonly wires: Readonly<Record<string, WireSchema>>;
  readonly $defs: Readonly<Record<string, Schema>>;
}

/** Generates the document. */
export function protocolSchema(): ProtocolSchema {
  const rooms = { ...model, ...bridge, ...pages, ChatCompletion, Datum, EngineHealth, EngineState };
  const named = Object.entries<unknown>(rooms)
    .flatMap(([name, value]): [string, z.ZodType][] => (value instanceof z.ZodType ? [[name, value]] : []))
    .sort(([left], [right]) => (left < right ? -1 : 1));
  const engineWire = {
    requests: {
      ...Object.fromEntries(Object.entries(trainingVerbs).map(([path, row]) => [`POST ${path}`, row])),
      "GET /healthz": { params: z.object({}), result: EngineHealth },
      "GET /train/state": { params: z.object({}), result: EngineState },
    },
    notifications: {},
  } satisfies Contract;
  const wires = {
    bridge: bridge.bridgeContract,
    trajectoryPage: pages.trajectoryPageContract,
    trainingPage: pages.trainingPageContract,
    engine: engineWire,
  };
  const rows = Object.entries(wires).flatMap(([wire, contract]) => rowsOf(wire, contract));
  // What is asked may leave defaults out; what is answered has them.
  const asked = schemas(
    named,
    rows.filter(({ io }) => io === "input"),
    "input",
  );
  const answered = schemas(
    named,
    rows.filter(({ io }) => io === "output"),
    "output",
  );
  const at = (id: string): Schema => asked[id] ?? answered[id] ?? {};
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Touchline protocol",
    description:
      "Every message of the bridge wire, of the two page wires and of the engine wire. Generated; see protocol.md.",
    protocolVersion: bridge.PROTOCOL_VERSION,
    maxMessageBytes: bridge.MAX_MESSAGE_BYTES,
    maxChunkBytes: bridge.MAX_CHUNK_BYTES,
    errorCodes: bridge.BridgeErrorCode,
    wires: Object.fromEntries(Object.entries(wires).map(([wire, contract]) => [wire, wireSchema(wire, contract, at)])),
    $defs: Object.fromEntries(named.map(([name]) => [name, answered[`def:${name}`] ?? {}])),
  };
}

interface Row {
  readonly id: string;
  readonly schema: z.ZodType;
  readonly io: "input" | "output";
}

function rowsOf(wire: string, contract: Contract): Row[] {
  const requests = Object.entries(contract.requests).flatMap(([method, row]): Row[] => [
    { id: `${wire}:${method}:params`, schema: row.params, io: "input" },
    { id: `${wire}:${method}:result`, schema: row.result, io: "output" },
    ...(row.progress === undefined
      ? []
      : [{ id: `${wire}:${method}:progress`, schema: row.progress, io: "output" as const }]),
  ]);
  const notifications = Object.entries(contract.notifications).map(
    ([name, schema]): Row => ({ id: `${wire}:${name}:notification`, schema, io: "output" }),
  );
  return [...requests, ...notifications];
}

function schemas(
  named: readonly [string, z.ZodType][],
  rows: readonly Row[],
  io: "input" | "output",
): Record<string, Schema> {
  const registry = z.registry<{ id: string }>();
  for (const [name, schema] of named) registry.add(schema, { id: `def:${name}` });
  const made: Record<string, Schema> = {};
  const settings = {
    io,
    override: plain,
    uri: (id: string) => `#/$defs/${id.replace("def:", "")}`,
    metadata: registry,
  } as const;
  for (const [id, schema] of Object.entries(z.toJSONSchema(registry, settings).schemas)) made[id] = trimmed(schema);
  for (const { id, schema } of rows) {
    const known = named.find(([, one]) => one === schema);
    made[id] = known === undefined ? trimmed(z.toJSONSchema(schema, settings)) : { $ref: `#/$defs/${known[0]}` };
  }
  return made;
}

/** Unknown fields are allowed: a newer end may send them and an older one leaves them out. */
function plain({ jsonSchema }: { jsonSchema: { additionalProperties?: unknown } }): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
}

/** The schema without what the document says once; references lead to the document's `$defs`. */
function trimmed(schema: object): Schema {
  const { $schema: _schema, $id: _id, $defs: _defs, id: _name, ...rest } = schema as Schema;
  return JSON.parse(JSON.stringify(rest), (key, value) => {
    if (key === "$ref" && typeof value === "string") return value.replace(/^#\/\$defs\/def:/, "#/$defs/");
    const isAnyJson = typeof value?.$ref === "string" && /__s(hared|chema)/.test(value.$ref);
    return isAnyJson ? { description: "Any JSON value." } : value;
  });
}

function wireSchema(wire: string, contract: Contract, at: (id: string) => Schema): WireSchema {
  return {
    requests: Object.fromEntries(
      Object.entries(contract.requests).map(([method, row]) => [
        method,
        {
          params: at(`${wire}:${method}:params`),
          result: at(`${wire}:${method}:result`),
          ...(row.progress === undefined ? {} : { progress: at(`${wire}:${method}:progress`) }),
        },
      ]),
    ),
    notifications: Object.fromEntries(
      Object.keys(contract.notifications).map((name) => [name, at(`${wire}:${name}:notification`)]),
    ),
  };
}
