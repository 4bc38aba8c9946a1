// A test runner small enough to live inside the extension host: names, functions, one result each.

/** How one test ended; `error` is missing when it passed. */
export interface TestResult {
  readonly name: string;
  readonly durationMs: number;
  readonly error?: string;
}

interface Case {
  readonly name: string;
  readonly body: () => Promise<void> | void;
  readonly timeoutMs: number;
}

const cases: Case[] = [];

/** Adds a test; its name is a sentence, and it fails when its body throws or takes too long. */
export function test(name: string, body: () => Promise<void> | void, timeoutMs = 30_000): void {
  cases.push({ name, body, timeoutMs });
}

/** Runs every test in the order they were added; one that fails does not stop the others. */
export async function runTests(report: (result: TestResult) => void): Promise<TestResult[]> {
  const results: TestResult[] = [];
  for (const one of cases) {
    const start = performance.now();
    const error = await failureOf(one);
    const durationMs = Math.round(performance.now() - start);
    const result = { name: one.name, durationMs, ...(error === undefined ? {} : { error }) };
    results.push(result);
    report(result);
  }
  return results;
}

async function failureOf({ body, timeoutMs }: Case): Promise<string | undefined> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error(`It took longer than ${timeoutMs} ms.`)), timeoutMs);
  try {
    await Promise.race([body(), timeout.promise]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until the question has an answer that is not undefined; throws with `what` when it never has. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
