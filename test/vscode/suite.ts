// The suite that runs inside a real extension host: every *.suite.ts beside this file, found by the bundler.
import { writeFileSync } from "node:fs";
import "virtual:suites";
import { runTests } from "./testing.ts";

/** What VS Code calls; the results go to the file of TOUCHLINE_TEST_RESULTS and a failure is thrown. */
export async function run(): Promise<void> {
  const results = await runTests(({ name, durationMs, error }) => {
    console.log(error === undefined ? `pass ${name} (${durationMs} ms)` : `FAIL ${name}\n${error}`);
  });
  const file = process.env.TOUCHLINE_TEST_RESULTS;
  if (file !== undefined) writeFileSync(file, JSON.stringify(results));
  const failed = results.filter((result) => result.error !== undefined);
  if (failed.length > 0) throw new Error(`${failed.length} of ${results.length} tests failed.`);
}
