// Bundles the extension host, the two pages and the trainer-bridge into dist/.
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import * as esbuild from "esbuild";

const isWatching = process.argv.includes("--watch");
const isProduction = process.argv.includes("--production");
const mustHaveAll = process.argv.includes("--all") || isProduction;

/** KaTeX names each font three times; the browsers of VS Code read the first, so only that one is named and shipped. */
const onlyWoff2 = {
  name: "only-woff2",
  setup(build) {
    build.onLoad({ filter: /katex\.css$/ }, async ({ path }) => {
      const css = await readFile(path, "utf8");
      return { contents: css.replaceAll(/,\s*url\([^)]*\.(woff|ttf)\)\s*format\([^)]*\)/g, ""), loader: "css" };
    });
  },
};

const shared = {
  bundle: true,
  minify: isProduction,
  sourcemap: isProduction ? false : "linked",
  legalComments: "none",
  logLevel: "info",
  define: { "process.env.NODE_ENV": JSON.stringify(isProduction ? "production" : "development") },
};

const nodeSide = { ...shared, platform: "node", target: "node22" };

const bundles = [
  {
    ...nodeSide,
    entryPoints: { extension: "src/extension.ts" },
    outdir: "dist",
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    external: ["vscode"],
    // VS Code writes an error for every extension that looks at `navigator`; zod does, to know where it is.
    define: { ...shared.define, navigator: "undefined" },
  },
  {
    ...nodeSide,
    entryPoints: { bridge: "trainer-bridge/main.ts" },
    outdir: "dist",
    outExtension: { ".js": ".mjs" },
    format: "esm",
    // Packages written for require() still find it inside an ES module.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  },
  {
    ...shared,
    entryPoints: { trajectory: "webview/trajectory/main.ts", training: "webview/training/main.ts" },
    outdir: "dist/webview",
    platform: "browser",
    target: "es2023",
    format: "iife",
    assetNames: "assets/[name]",
    loader: { ".woff2": "file", ".ttf": "file" },
    plugins: [onlyWoff2],
  },
];

/** A page may be written with or without JSX. */
const entry = (file) => (existsSync(`${file}x`) ? `${file}x` : file);

/** The bundles whose entry files are there; every entry must be there for a package. */
function present(bundle) {
  const entries = Object.entries(bundle.entryPoints).map(([name, file]) => [name, entry(file)]);
  const missing = entries.filter(([, file]) => !existsSync(file)).map(([, file]) => file);
  if (missing.length > 0 && mustHaveAll) throw new Error(`No such entry: ${missing.join(", ")}`);
  for (const file of missing) console.warn(`left out: ${file} is not there yet`);
  return { ...bundle, entryPoints: Object.fromEntries(entries.filter(([, file]) => existsSync(file))) };
}

const runnable = bundles.map(present).filter((bundle) => Object.keys(bundle.entryPoints).length > 0);
if (isWatching) {
  const contexts = await Promise.all(runnable.map((bundle) => esbuild.context(bundle)));
  await Promise.all(contexts.map((context) => context.watch()));
} else {
  // A package holds nothing from builds before it; other builds leave a running VS Code its files.
  if (isProduction) await rm("dist", { recursive: true, force: true });
  await Promise.all(runnable.map((bundle) => esbuild.build(bundle)));
}
