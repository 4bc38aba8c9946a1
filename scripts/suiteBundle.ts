// Bundles the suite that runs inside the extension host.
import { readdirSync } from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { root } from "./setup/cache.mjs";

/** Writes out/vscode/suite.cjs from every *.suite.ts of test/vscode and returns its path. */
export async function bundleSuite(): Promise<string> {
  const folder = path.join(root, "test/vscode");
  const suites = readdirSync(folder).filter((name) => name.endsWith(".suite.ts"));
  const outfile = path.join(root, "out/vscode/suite.cjs");
  await esbuild.build({
    entryPoints: [path.join(folder, "suite.ts")],
    outfile,
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    external: ["vscode"],
    sourcemap: "inline",
    logLevel: "warning",
    plugins: [
      {
        name: "virtual-suites",
        setup(build) {
          build.onResolve({ filter: /^virtual:suites$/ }, () => ({ path: "suites", namespace: "virtual" }));
          build.onLoad({ filter: /.*/, namespace: "virtual" }, () => ({
            contents: suites.map((name) => `import "./${name}";`).join("\n"),
            resolveDir: folder,
          }));
        },
      },
    ],
  });
  return outfile;
}
