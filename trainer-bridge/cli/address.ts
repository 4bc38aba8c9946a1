// Where a bridge can be reached: a small private file in its data folder that other commands read.
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { writePrivately } from "../server/token.ts";

/** The address of a serving bridge, as `DIR/bridge.json` keeps it; the token stays in its own file. */
export const BridgeAddress = z.object({
  url: z.string(),
  tokenFile: z.string(),
  pid: z.number().int(),
  version: z.string(),
  startedAt: z.string(),
});
export type BridgeAddress = z.infer<typeof BridgeAddress>;

const fileIn = (dir: string) => path.join(dir, "bridge.json");

/** The address left by a bridge on this folder; null where there is none that can be read. It may have died since. */
export function readAddress(dir: string): BridgeAddress | null {
  const file = fileIn(dir);
  if (!existsSync(file)) return null;
  try {
    return BridgeAddress.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

/** Tells other commands where this bridge is; `dispose` takes it back unless another bridge has written since. */
export function publishAddress(dir: string, address: BridgeAddress): { dispose(): void } {
  writePrivately(fileIn(dir), `${JSON.stringify(address, null, 2)}\n`);
  return {
    dispose() {
      if (readAddress(dir)?.pid === address.pid) rmSync(fileIn(dir), { force: true });
    },
  };
}
