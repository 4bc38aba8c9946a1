// A real browser in front of VS Code: opens it, finds the pages of the extension, runs commands, takes pictures.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Browser, chromium, type Frame, type Page } from "playwright-core";
import { chromiumPath } from "./setup/cache.mjs";

/** One message that a page wrote as an error, and where it came from. */
export interface ConsoleError {
  readonly text: string;
  readonly url: string;
}

/** VS Code, open in a browser window. */
export interface Workbench {
  readonly page: Page;
  /** Errors on the console, of VS Code's own pages too; `ownErrors` leaves those out. */
  readonly consoleErrors: readonly ConsoleError[];
  close(): Promise<void>;
}

/** How the window is. */
export interface WindowOptions {
  readonly width?: number;
  readonly height?: number;
  readonly deviceScaleFactor?: number;
  readonly reducedMotion?: boolean;
}

/** Starts the Chromium of this machine without a screen. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) {
    throw new Error("No Chromium was found: install it, or name it in TOUCHLINE_CHROMIUM.");
  }
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
  });
}

/** Opens VS Code at this address and waits until its workbench stands. */
export async function openWorkbench(url: string, options: WindowOptions = {}): Promise<Workbench> {
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
      deviceScaleFactor: options.deviceScaleFactor ?? 1,
      reducedMotion: options.reducedMotion === false ? "no-preference" : "reduce",
    });
    const page = await context.newPage();
    const consoleErrors: ConsoleError[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") consoleErrors.push({ text: message.text(), url: message.location().url });
    });
    page.on("pageerror", (error) => consoleErrors.push({ text: error.stack ?? error.message, url: page.url() }));
    await page.goto(url, { waitUntil: "domcontentloaded" });
    await page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout: 60_000 });
    return { page, consoleErrors, close: () => browser.close() };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** What this VS Code writes by itself: files the server build lacks, and places without a network. */
const knownNoise = [
  /\/_static\//,
  /\/update\/check/,
  /open-vsx\.org/,
  /\/vsda\//,
  /fetching the script\.$/,
  /authentication provider/,
];

/** The errors that VS Code itself does not explain: those of the extension and of its pages. */
export function ownErrors(errors: readonly ConsoleError[]): ConsoleError[] {
  return errors.filter(({ text, url }) => !knownNoise.some((pattern) => pattern.test(`${url} ${text}`)));
}

/** Runs a command of the palette by its full title, such as "Touchline: Start Rollouts". */
export async function runCommand(page: Page, title: string): Promise<void> {
  const input = page.locator(".quick-input-widget input.input");
  await page.keyboard.press("F1");
  await input.waitFor({ state: "visible", timeout: 15_000 });
  await input.fill(`>${title}`);
  const row = page.locator(".quick-input-list .monaco-list-row").filter({ hasText: title }).first();
  await row.waitFor({ timeout: 15_000 });
  await row.click();
}

/** The frame of a webview that holds an element of this selector; webviews are frames within frames. */
export async function frameWith(page: Page, selector: string, timeoutMs = 30_000): Promise<Frame> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    for (const frame of page.frames()) {
      if (frame === page.mainFrame()) continue;
      // A frame may go away while it is asked: the next round sees what is there then.
      const found = await frame.$(selector).catch(() => null);
      if (found !== null) return frame;
    }
    await wait(100);
  }
  const frames = page.frames().map((frame) => frame.url());
  throw new Error(`No webview holds ${selector} after ${timeoutMs} ms. Frames: ${frames.join(", ")}`);
}

/** Keeps a picture of the window under test-results/. */
export async function screenshot(page: Page, name: string, folder = "test-results/screenshots"): Promise<string> {
  const file = path.resolve(folder, `${name}.png`);
  await mkdir(path.dirname(file), { recursive: true });
  await page.screenshot({ path: file });
  return file;
}
