// The moment the extension's own code began; imported before everything else.

/** Milliseconds on the clock of `performance.now()`. */
export const startedAt: number = performance.now();
