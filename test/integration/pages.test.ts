// The two pages in a real browser under the policy they have in VS Code: quiet console, hostile content, ten thousand actions.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPageHarness, type PageHarness } from "../support/pageHarness.ts";

const BROWSER = process.env.TOUCHLINE_CHROMIUM ?? "/usr/bin/chromium";
const SHOTS = process.env.TOUCHLINE_SHOTS;
const hasBrowser = existsSync(BROWSER);
if (!hasBrowser)
  console.warn(`No browser at ${BROWSER}: the pages are not tested here. Set TOUCHLINE_CHROMIUM to one.`);

let harness: PageHarness;
let browser: Browser;
/** Complaints of the page that is open: console errors and warnings, exceptions, refused loads. */
let complaints: string[] = [];

async function open(
  page: "trajectory" | "training",
  query: Readonly<Record<string, string>> = {},
  width = 900,
): Promise<Page> {
  const view = await browser.newPage({ viewport: { width, height: 900 } });
  complaints = [];
  view.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  view.on("pageerror", (error) => complaints.push(String(error)));
  view.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (hostname !== "127.0.0.1" && protocol !== "data:") complaints.push(`asked for ${request.url()}`);
  });
  await view.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error("refused", event.violatedDirective, event.blockedURI, event.sample),
    );
  });
  await view.goto(harness.url(page, query));
  return view;
}

async function shoot(view: Page, name: string): Promise<void> {
  if (SHOTS === undefined) return;
  await mkdir(SHOTS, { recursive: true });
  await view.screenshot({ path: path.join(SHOTS, `${name}.png`) });
}

const scrollTop = (view: Page) => view.evaluate(() => document.querySelector(".transcript")?.scrollTop ?? -1);
/** The row at the upper edge and where its top stands, which must not move under a reader. */
const readingPlace = (view: Page) =>
  view.evaluate(() => {
    const frame = document.querySelector(".transcript")?.getBoundingClientRect().top ?? 0;
    const row = [...document.querySelectorAll<HTMLElement>(".action")].find(
      (item) => item.getBoundingClientRect().bottom > frame + 1,
    );
    return { index: Number(row?.dataset.index), top: Math.round((row?.getBoundingClientRect().top ?? 0) - frame) };
  });

/** Parts of the page that are wider than their room. */
const overflowing = (view: Page) =>
  view.evaluate(
    () =>
      [...document.querySelectorAll(".action, .actionHead, .pageHead")].filter(
        (part) => part.scrollWidth > part.clientWidth,
      ).length,
  );

describe.skipIf(!hasBrowser)("the pages", () => {
  beforeAll(async () => {
    harness = await openPageHarness({ minify: true });
    browser = await chromium.launch({
      executablePath: BROWSER,
      args: ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info", "--js-flags=--expose-gc"],
    });
  });

  afterAll(async () => {
    await browser?.close();
    await harness?.close();
  });

  describe.each(["dark", "light", "hc-dark", "hc-light"])("in the theme %s", (theme) => {
    test.each([340, 900])("a trajectory %d pixels wide is drawn without a complaint or an overflow", async (width) => {
      const view = await open("trajectory", { theme, place: width < 500 ? "panel" : "tab" }, width);
      await view.waitForSelector(".actionBody");
      await view.keyboard.press("j");
      await view.keyboard.press("j");
      await view.keyboard.press("8");
      await view.waitForSelector(".consequence >> text=advantage");
      expect(await view.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      expect(await overflowing(view)).toBe(0);
      await shoot(view, `trajectory-${theme}-${width}`);
      expect(complaints).toEqual([]);
      await view.close();
    });

    test.each([360, 1000])(
      "the Training page %d pixels wide is drawn without a complaint or an overflow",
      async (width) => {
        const view = await open("training", { theme }, width);
        await view.waitForSelector(".chartDrawing");
        expect(await view.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        await shoot(view, `training-${theme}-${width}`);
        expect(complaints).toEqual([]);
        await view.close();
      },
    );
  });

  test("hostile content runs nothing and loads nothing", async () => {
    const view = await open("trajectory", { data: "hostile" });
    await view.waitForSelector(".actionBody");
    const count = await view.locator(".stripMarks").getAttribute("aria-valuemax");
    for (let index = 0; index < Number(count); index++) {
      await view.evaluate((actionId) => {
        const { fakeHost } = window as unknown as { fakeHost: { announce(method: string, params: unknown): void } };
        fakeHost.announce("action/reveal", { actionId });
      }, `a${index}`);
      await view.waitForSelector(`.action[data-index="${index}"] .actionBody`);
      // Everything that can be opened is opened.
      await view.evaluate((at) => {
        const parts = '.fold[aria-expanded="false"], .foldLine:has(.codicon-unfold), .picture';
        for (const button of document.querySelectorAll<HTMLElement>(`.action[data-index="${at}"] :is(${parts})`))
          button.click();
      }, index);
      await view.waitForTimeout(30);
    }
    await view.waitForTimeout(300);
    expect(await view.locator(".cell").count()).toBeGreaterThan(0);
    expect(await view.evaluate(() => (window as { hacked?: unknown }).hacked)).toBeUndefined();
    expect(
      await view.evaluate(
        () =>
          document.querySelectorAll(
            "#root script, #root iframe, #root object, #root form, #root [onclick], #root [onerror]",
          ).length,
      ),
    ).toBe(0);
    expect(
      await view.evaluate(() =>
        [...document.querySelectorAll("#root a")].every((link) => /^https?:/.test(link.getAttribute("href") ?? "")),
      ),
    ).toBe(true);
    expect(
      await view.evaluate(() =>
        [...document.querySelectorAll("#root img")].every((image) =>
          (image.getAttribute("src") ?? "").startsWith("data:image/"),
        ),
      ),
    ).toBe(true);
    expect(await view.evaluate(() => getComputedStyle(document.body).display)).not.toBe("none");
    expect(complaints).toEqual([]);
    await view.close();
  });

  test("ten thousand actions: drawn only where they are read, fast to the first, and small", async () => {
    const view = await open("trajectory", { data: "long10000" });
    await view.waitForSelector(".actionBody .richText");
    const loaded = await view.evaluate(() => performance.now());
    // As when another trajectory is chosen: the page asks for everything again.
    const readable = await view.evaluate(async () => {
      const { fakeHost } = window as unknown as { fakeHost: { announce(method: string, params: unknown): void } };
      const start = performance.now();
      fakeHost.announce("trajectory/shown", { trajectoryId: "t-1" });
      const wait = (isThere: boolean) =>
        new Promise<void>((resolve) => {
          const look = () =>
            (document.querySelector(".richText") !== null) === isThere ? resolve() : requestAnimationFrame(look);
          look();
        });
      await wait(false);
      await wait(true);
      return performance.now() - start;
    });
    expect(await view.locator(".action").count()).toBeLessThan(40);
    const frames = await view.evaluate(async () => {
      const scroller = document.querySelector(".transcript");
      if (scroller === null) throw new Error("no transcript");
      const times: number[] = [];
      let before = performance.now();
      for (let step = 0; step < 240; step++) {
        // Half of it like a wheel, half like a dragged scroll bar.
        scroller.scrollTop += step < 120 ? 120 : 9000;
        await new Promise((resolve) => requestAnimationFrame(resolve));
        const now = performance.now();
        times.push(now - before);
        before = now;
      }
      return times.sort((a, b) => a - b);
    });
    const at = (share: number) => (frames[Math.floor(frames.length * share)] ?? 0).toFixed(1);
    await view.evaluate(() => (window as { gc?: () => void }).gc?.());
    const bytes = await view.evaluate(
      () => (performance as Performance & { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ?? 0,
    );
    console.log(
      `10,000 actions: page loaded and readable after ${loaded.toFixed(0)} ms, again after a choice in ${readable.toFixed(0)} ms; frames p50 ${at(0.5)} p95 ${at(0.95)} max ${(frames.at(-1) ?? 0).toFixed(1)} ms; page and fake host ${(bytes / 1e6).toFixed(0)} MB`,
    );
    expect(bytes).toBeLessThan(150e6);
    expect(complaints).toEqual([]);
    await view.close();
  });

  test("what is being read stays where it is while bodies load above and actions arrive below", async () => {
    const view = await open("trajectory", { data: "long400", later: "5", delay: "60" });
    await view.waitForSelector(".actionBody .richText");
    await view.evaluate(() => {
      const scroller = document.querySelector(".transcript");
      if (scroller !== null) scroller.scrollTop = 30_000;
    });
    await view.waitForTimeout(600);
    const before = await readingPlace(view);
    await view.evaluate(() => {
      const { fakeHost } = window as unknown as { fakeHost: { arrive(): void } };
      for (let count = 0; count < 3; count++) fakeHost.arrive();
    });
    await view.waitForSelector(".edgeNotice >> text=3 new actions");
    expect(await readingPlace(view)).toEqual(before);
    // Upwards, rows are measured for the first time; each wheel step must move the page by that step.
    for (let step = 0; step < 8; step++) {
      const top = await scrollTop(view);
      await view.mouse.move(400, 500);
      await view.mouse.wheel(0, -100);
      await view.waitForTimeout(150);
      expect(Math.abs(top - (await scrollTop(view)))).toBeLessThan(2000);
    }
    await view.click(".edgeNotice");
    await view.waitForSelector('.action[data-index="395"]');
    expect(complaints).toEqual([]);
    await view.close();
  });

  test("an override is made, saved and undone by keyboard alone", async () => {
    const view = await open("trajectory");
    await view.waitForSelector(".actionBody");
    await view.keyboard.press("j");
    await view.keyboard.press("3");
    await view.waitForSelector(".consequence >> text=sign turns");
    await view.keyboard.press("e");
    await view.waitForTimeout(100);
    await view.keyboard.type("jk8 too sure of itself");
    await view.keyboard.press("Enter");
    await view.waitForSelector('.action[data-index="0"] .chip.isOverride');
    expect(await view.locator('.action[data-index="0"] .chip').innerText()).toMatch(/8 → 3\s*J/);
    expect(await view.locator('.action[data-index="0"] .reason.isPerson').innerText()).toContain(
      "jk8 too sure of itself",
    );
    expect(await view.locator('.action[data-index="0"] .fate').innerText()).toContain(
      "Waits for the next training step",
    );
    const asked = await view.evaluate(() =>
      (window as unknown as { fakeHost: { asked: { method: string; params: unknown }[] } }).fakeHost.asked.filter(
        (call) => call.method === "override/set",
      ),
    );
    expect(asked).toHaveLength(1);
    await view.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await view.keyboard.press("u");
    await view.waitForSelector('.action[data-index="0"] .chip:not(.isOverride)');
    expect(complaints).toEqual([]);
    await view.close();
  });

  test("another score that came first is shown beside one's own, and either can be kept", async () => {
    const view = await open("trajectory", { raced: "1" });
    await view.waitForSelector(".actionBody");
    await view.keyboard.press("j");
    await view.keyboard.press("2");
    await view.click("text=Save 2");
    await view.waitForSelector(".conflict");
    expect(await view.locator(".conflict").innerText()).toMatch(/Yours[\s\S]*2[\s\S]*Ana[\s\S]*5/);
    await view.click("text=Keep mine, 2");
    await view.waitForSelector('.action[data-index="0"] .chip:has-text("→ 2")');
    await view.close();
  });

  test("evidence lights the lines it cites", async () => {
    const view = await open("trajectory", { reveal: "a1" });
    await view.click('.action[data-index="1"] .linkButton:has-text("code, lines 9–10")');
    expect(await view.locator(".cellCode .litLines .lineNumber").allInnerTexts()).toEqual(["9", "10"]);
    await view.close();
  });

  test("blind-first review tells the coach's score nowhere until the person has scored", async () => {
    const view = await open("trajectory", { blind: "1" });
    await view.waitForSelector(".actionBody");
    const row = view.locator('.action[data-index="0"]');
    expect(await row.locator(".chip").innerText()).toBe("");
    expect(await row.innerText()).not.toContain("States the right theorem");
    await view.keyboard.press("j");
    await view.keyboard.press("6");
    await view.waitForSelector(".button.isPrimary >> text=Save 6");
    await view.keyboard.press("Enter");
    await view.waitForSelector('.action[data-index="0"] .chip.isOverride');
    expect(await row.innerText()).toContain("States the right theorem");
    await view.close();
  });

  test.each([
    ["offline", { state: "offline" }, "The bridge is away"],
    ["refused", { state: "failed" }, "The token was refused"],
    ["no trajectory", { data: "none" }, "No trajectory chosen"],
    ["restricted", { state: "restricted", reveal: "a0" }, "not trusted"],
    ["broken", { broken: "1" }, "could not be loaded"],
    ["conflict from the queue", { conflict: "1", reveal: "a2" }, "Another score came first"],
  ])("the state %s says what it is", async (name, query, text) => {
    const view = await open("trajectory", query, 340);
    await view.waitForSelector(`text=${text}`);
    await shoot(view, `state-${name.replaceAll(" ", "-")}`);
    expect(complaints).toEqual([]);
    await view.close();
  });

  test("an override made offline waits, and says so", async () => {
    const view = await open("trajectory", { state: "offline" }, 340);
    await view.waitForSelector(".actionBody");
    await view.keyboard.press("j");
    await view.keyboard.press("4");
    await view.waitForSelector(".button.isPrimary >> text=Save 4");
    await view.keyboard.press("Enter");
    await view.waitForSelector('.action[data-index="0"] .flag:has-text("waiting")');
    expect(await view.locator(".banner").innerText()).toContain("1 override kept on this machine");
    expect(await overflowing(view)).toBe(0);
    await view.close();
  });

  test("a click on a curve asks for that iteration's trajectories", async () => {
    const view = await open("training");
    const box = await view.locator(".chartDrawing").first().boundingBox();
    if (box === null) throw new Error("no chart");
    await view.mouse.click(box.x + box.width / 2, box.y + 60);
    const asked = await view.evaluate(() =>
      (window as unknown as { fakeHost: { asked: { method: string; params: unknown }[] } }).fakeHost.asked.find(
        (call) => call.method === "iteration/show",
      ),
    );
    expect(JSON.stringify(asked?.params)).toMatch(/it-\d+/);
    await view.close();
  });
});
