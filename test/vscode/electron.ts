// The same suite in a desktop VS Code that @vscode/test-electron downloads, where a download is possible.
import { runTests } from "@vscode/test-electron";
import { root } from "../../scripts/setup/cache.mjs";
import { bundleSuite } from "../../scripts/suiteBundle.ts";

const version = process.env.TOUCHLINE_VSCODE_VERSION ?? "stable";
const extensionTestsPath = await bundleSuite();
process.exitCode = await runTests({
  version,
  extensionDevelopmentPath: root,
  extensionTestsPath,
  launchArgs: ["--disable-extensions", "--disable-workspace-trust"],
});
