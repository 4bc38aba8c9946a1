// Runs many jobs with a limit on how many at once.

/** Runs `runOne` on every job, at most `concurrency` at once; results stand in the order of the jobs, undefined where a job was not started because the signal came first. The first bug stops new jobs and is thrown once those in flight have ended. */
export async function runAll<Job, Result>(
  jobs: readonly Job[],
  concurrency: number,
  signal: AbortSignal,
  runOne: (job: Job, place: number) => Promise<Result>,
): Promise<(Result | undefined)[]> {
  const results = new Array<Result | undefined>(jobs.length).fill(undefined);
  const queue = jobs.entries();
  const bugs: unknown[] = [];
  const runner = async (): Promise<void> => {
    // One iterator is shared, so each job is taken once.
    for (const [place, job] of queue) {
      if (signal.aborted || bugs.length > 0) return;
      try {
        results[place] = await runOne(job, place);
      } catch (error) {
        bugs.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, jobs.length)) }, runner));
  if (bugs.length > 0) throw bugs[0];
  return results;
}
