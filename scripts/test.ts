// `npm test`: every check and every test; with a name (unit, integration, vscode, vsix, e2e) that part alone.
import { checkStages } from "./checkStages.ts";
import { root } from "./setup/cache.mjs";
import { runProgram, runStages, type Stage, toolStage, vitestStage } from "./stage.ts";
import { packagePath, runSuite } from "./suiteRun.ts";
import type { HostOptions } from "./vscodeHost.ts";

const build = toolStage("build", process.execPath, ["esbuild.mjs", "--all"]);

function suiteStage(name: string, options: () => Promise<HostOptions>): Stage {
  return {
    name,
    run: async () => {
      const results = await runSuite(await options());
      const failed = results.filter((result) => result.error !== undefined).length;
      return { passed: results.length - failed, failed, skipped: 0 };
    },
  };
}

const fromSource = suiteStage("suite in VS Code, from source", async () => ({ extensionPath: root }));

const restricted = suiteStage("suite in VS Code, Restricted Mode", async () => ({
  extensionPath: root,
  settings: { "security.workspace.trust.enabled": true, "security.workspace.trust.startupPrompt": "never" },
}));

const fromPackage = suiteStage("suite in VS Code, from the installed package", async () => {
  const code = await runProgram(process.execPath, ["scripts/package.ts"]);
  if (code !== 0) throw new Error("The package could not be made.");
  return { vsix: await packagePath() };
});

const electron = toolStage("suite in desktop VS Code", process.execPath, ["test/vscode/electron.ts"]);

const parts: Readonly<Record<string, readonly Stage[]>> = {
  unit: [vitestStage("unit")],
  integration: [build, vitestStage("integration")],
  vscode: [build, fromSource, restricted],
  vsix: [fromPackage],
  electron: [build, electron],
  e2e: [build, vitestStage("e2e")],
};

const name = process.argv[2];
const all = [
  build,
  ...checkStages,
  vitestStage("integration"),
  fromSource,
  restricted,
  fromPackage,
  build,
  vitestStage("e2e"),
];
const chosen = name === undefined ? all : parts[name];
if (chosen === undefined) {
  console.error(`There is no part "${name}". Parts: ${Object.keys(parts).join(", ")}; without a name all of them.`);
  process.exitCode = 1;
} else {
  await runStages(chosen);
}
