// Serves the two pages of `webview/` with their fake host to a plain browser, under the policy the extension gives them.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import * as esbuild from "esbuild";

const root = path.resolve(import.meta.dirname, "../..");
const NONCE = "harness";

/** The policy of the extension's pages, with the harness's own address as the source. */
const POLICY = [
  "default-src 'none'",
  "img-src data:",
  `style-src 'self' 'nonce-${NONCE}'`,
  "font-src 'self'",
  `script-src 'nonce-${NONCE}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** A running harness: the address of its pages, and its end. */
export interface PageHarness {
  /** Address of a page; `query` chooses data, theme and state (see `webview/harness/fakeHost.ts`). */
  url(page: "trajectory" | "training", query?: Readonly<Record<string, string>>): string;
  close(): Promise<void>;
}

/** Builds the pages and starts serving them on a free port of this machine. */
export async function openPageHarness(options: { minify: boolean }): Promise<PageHarness> {
  const outdir = await mkdtemp(path.join(tmpdir(), "touchline-pages-"));
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: {
      trajectory: "webview/trajectory/main.ts",
      training: "webview/training/main.ts",
      fakeHost: "webview/harness/fakeHost.ts",
      themes: "webview/harness/themes.css",
    },
    outdir,
    bundle: true,
    format: "iife",
    platform: "browser",
    target: "es2023",
    assetNames: "assets/[name]",
    loader: { ".woff2": "file", ".ttf": "file", ".woff": "empty" },
    minify: options.minify,
    sourcemap: false,
    logLevel: "error",
    define: { "process.env.NODE_ENV": JSON.stringify(options.minify ? "production" : "development") },
  });
  const server = createServer((request, response) => {
    const pathname = new URL(request.url ?? "/", "http://localhost").pathname;
    if (pathname === "/favicon.ico") return void response.writeHead(204).end();
    const page = /^\/(trajectory|training)\.html$/.exec(pathname)?.[1];
    if (page !== undefined) {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY });
      return void response.end(html(page));
    }
    const file = path.join(outdir, path.normalize(pathname));
    if (!file.startsWith(outdir)) return void response.writeHead(403).end();
    readFile(file).then(
      (bytes) => response.writeHead(200, { "content-type": typeOf(file) }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (page, query = {}) => `http://127.0.0.1:${port}/${page}.html?${new URLSearchParams({ page, ...query })}`,
    close: async () => {
      await closed(server);
      await rm(outdir, { recursive: true, force: true });
    },
  };
}

function html(page: string): string {
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${page}</title>
<link rel="stylesheet" href="/themes.css"><link rel="stylesheet" href="/${page}.css"></head>
<body><div id="root"></div><script nonce="${NONCE}" src="/fakeHost.js"></script><script nonce="${NONCE}" src="/${page}.js"></script></body></html>`;
}

function typeOf(file: string): string {
  const types: Readonly<Record<string, string>> = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
  };
  return types[path.extname(file)] ?? "application/octet-stream";
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
}
