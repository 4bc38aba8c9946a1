// The quick checks: types, format, walls, unit tests, and the same for the engine.
import path from "node:path";
import { root } from "./setup/cache.mjs";
import { nodeTool, pytestStage, type Stage, toolStage, venvTool, vitestStage } from "./stage.ts";

const engine = path.join(root, "trainer-bridge/engine");

/** In the order in which a mistake is cheapest to see. */
export const checkStages: readonly Stage[] = [
  toolStage("tsc", nodeTool("tsc"), ["-b"]),
  toolStage("biome", nodeTool("biome"), ["ci", "--error-on-warnings", "."]),
  vitestStage("unit"),
  toolStage("ruff check", venvTool("ruff"), ["check", "."]),
  toolStage("ruff format", venvTool("ruff"), ["format", "--check", "."]),
  toolStage("pyright", nodeTool("pyright"), ["--pythonpath", venvTool("python")], engine),
  pytestStage(),
];
