// The generated part of docs/protocol.md: every message of the bridge wire with its fields, from the table and its comments.
import type { ProtocolSchema, Schema } from "./protocolSchema.ts";

/** The generated Markdown. `source` is the text of src/protocol/bridge.ts, whose comments say what each row is for. */
export function protocolPage(schema: ProtocolSchema, source: string): string {
  const wire = schema.wires.bridge;
  if (wire === undefined) throw new Error("There is no bridge wire in the schema.");
  const table = source.slice(source.indexOf("export const bridgeContract"));
  const names = [...Object.keys(wire.requests), ...Object.keys(wire.notifications)];
  const comments = commentsOf(table, names);
  const lines = ["## Requests", ""];
  for (const [method, row] of Object.entries(wire.requests)) {
    lines.push(`### \`${method}\``, "", comments.about(method), "");
    lines.push(...fields("Parameters", row.params, comments.fieldsOf(method)));
    lines.push(...fields("Result", row.result, comments.fieldsOf(method)));
    if (row.progress !== undefined) lines.push(...fields("Progress (`$/progress`)", row.progress, new Map()));
  }
  lines.push("## Notifications", "");
  for (const [name, row] of Object.entries(wire.notifications)) {
    lines.push(`### \`${name}\``, "", comments.about(name), "", ...fields("Parameters", row, comments.fieldsOf(name)));
  }
  lines.push("## Errors", "", "| Number | Name | Means |", "|---|---|---|");
  const meanings = errorMeanings(source);
  for (const [name, code] of Object.entries(schema.errorCodes)) {
    lines.push(`| ${code} | ${name} | ${meanings.get(name) ?? ""} |`);
  }
  lines.push(
    "| -32700 | | A frame is not JSON. |",
    "| -32600 | | A frame is JSON but no JSON-RPC 2.0 message, or is a batch, or its id is still under way. |",
    "| -32601 | | There is no such method; `data.methods` lists those there are. |",
    "| -32602 | | Parameters do not fit; the message names their path. |",
    "| -32603 | | The bridge failed at it; its log says more. |",
    "",
  );
  return lines.join("\n").replace(/\n{3,}/g, "\n\n");
}

function fields(title: string, schema: Schema, comments: ReadonlyMap<string, string>): string[] {
  if (typeof schema.$ref === "string") return [`${title}: ${typeName(schema)}.`, ""];
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  if (properties.length === 0) return [`${title}: none (\`{}\`).`, ""];
  const required = new Set((schema.required ?? []) as string[]);
  const rows = properties.map(([name, field]) => {
    const isOptional = title === "Result" || title.startsWith("Progress") ? !required.has(name) : !required.has(name);
    const fallback = "default" in field ? ` = \`${JSON.stringify(field.default)}\`` : "";
    const about = comments.get(name);
    return `- \`${name}\`${isOptional ? "?" : ""}: ${typeName(field)}${fallback}${about === undefined ? "" : `. ${about}`}`;
  });
  return [`${title}:`, "", ...rows, ""];
}

/** A JSON Schema in a few words. */
function typeName(schema: Schema): string {
  if (typeof schema.$ref === "string") {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return `[${name}](protocol.schema.json)`;
  }
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(" or ");
  if (Array.isArray(schema.anyOf)) return (schema.anyOf as Schema[]).map(typeName).join(" or ");
  if (Array.isArray(schema.type)) return (schema.type as string[]).join(" or ");
  if (schema.type === "array") return `list of ${typeName((schema.items ?? {}) as Schema)}`;
  if (schema.type === "object" && schema.properties !== undefined) {
    const properties = Object.entries(schema.properties as Record<string, Schema>);
    return `{ ${properties.map(([name, field]) => `${name}: ${typeName(field)}`).join(", ")} }`;
  }
  return `${String(schema.type ?? "any")}${bounds(schema)}`;
}

function bounds({ type, minimum, maximum, maxLength, pattern }: Schema): string {
  const said: string[] = [];
  const isShown = (value: unknown): value is number => typeof value === "number" && Math.abs(value) < 2 ** 31;
  if (isShown(minimum) && isShown(maximum)) said.push(`${minimum} to ${maximum}`);
  else if (isShown(minimum)) said.push(`at least ${minimum}`);
  else if (isShown(maximum)) said.push(`at most ${maximum}`);
  if (isShown(maxLength)) said.push(`at most ${maxLength} characters`);
  if (typeof pattern === "string" && type === "string") said.push(`\`${pattern}\``);
  return said.length === 0 ? "" : ` (${said.join(", ")})`;
}

const COMMENT = String.raw`\/\*\*\s*((?:(?!\*\/)[\s\S])*?)\s*\*\/\s*`;

function commentsOf(table: string, names: readonly string[]) {
  const places = names.map((name) => ({ name, at: placeOf(table, name) })).sort((a, b) => a.at - b.at);
  const partOf = (name: string): string => {
    const index = places.findIndex((place) => place.name === name);
    const [here, next] = [places[index], places[index + 1]];
    return here === undefined ? "" : table.slice(here.at, next?.at ?? table.length);
  };
  return {
    about(name: string): string {
      const at = placeOf(table, name);
      const found = new RegExp(`${COMMENT}$`).exec(table.slice(0, at));
      return found?.[1] === undefined ? "" : oneLine(found[1]);
    },
    fieldsOf(name: string): ReadonlyMap<string, string> {
      const found = partOf(name).matchAll(new RegExp(`${COMMENT}(\\w+):`, "g"));
      return new Map([...found].map(([, comment = "", field = ""]) => [field, oneLine(comment)]));
    },
  };
}

function placeOf(table: string, name: string): number {
  const quoted = /^\w+$/.test(name) ? name : `"${name}"`;
  const found = new RegExp(`(?<=[\\s{])${quoted}:`).exec(table);
  if (found === null) throw new Error(`${name} was not found in the table.`);
  return found.index;
}

function errorMeanings(source: string): Map<string, string> {
  const block = source.slice(source.indexOf("export const BridgeErrorCode"));
  const found = block.slice(0, block.indexOf("} as const")).matchAll(new RegExp(`${COMMENT}(\\w+):`, "g"));
  return new Map([...found].map(([, comment = "", name = ""]) => [name, oneLine(comment)]));
}

function oneLine(comment: string): string {
  return comment.replace(/\s*\n\s*\*?\s*/g, " ").trim();
}
