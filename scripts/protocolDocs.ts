// Writes docs/protocol.schema.json and the generated part of docs/protocol.md; with --check only tells whether they are in step.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { protocolPage } from "./protocolPage.ts";
import { protocolSchema } from "./protocolSchema.ts";

const BEGIN = "<!-- generated from src/protocol: begin -->";
const END = "<!-- generated from src/protocol: end -->";

/** Both files as they should be, by path relative to the root. */
export function protocolDocs(root: string): Record<string, string> {
  const schema = protocolSchema();
  const page = readFileSync(path.join(root, "docs/protocol.md"), "utf8");
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/protocol.md has lost its marks ${BEGIN} and ${END}.`);
  const source = readFileSync(path.join(root, "src/protocol/bridge.ts"), "utf8");
  const generated = `${BEGIN}\n\n${protocolPage(schema, source)}\n${END}`;
  return {
    "docs/protocol.schema.json": `${JSON.stringify(schema, null, 2)}\n`,
    "docs/protocol.md": page.slice(0, begin) + generated + page.slice(end + END.length),
  };
}

/** The files that are not as they should be. */
export function outOfStep(root: string): string[] {
  return Object.entries(protocolDocs(root))
    .filter(
      ([file, text]) => !existsSync(path.join(root, file)) || readFileSync(path.join(root, file), "utf8") !== text,
    )
    .map(([file]) => file);
}

if (import.meta.main) {
  const root = path.resolve(import.meta.dirname, "..");
  const stale = outOfStep(root);
  if (process.argv.includes("--check")) {
    for (const file of stale)
      console.error(`${file} is out of step with src/protocol; run node scripts/protocolDocs.ts`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const [file, text] of Object.entries(protocolDocs(root))) writeFileSync(path.join(root, file), text);
    console.log(stale.length === 0 ? "In step already." : `Written: ${stale.join(", ")}`);
  }
}
