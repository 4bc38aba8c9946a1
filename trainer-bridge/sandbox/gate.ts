// Lets at most so many through at once; the others wait in line.

/** Runs the work when there is room. */
export interface Gate {
  <T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing runs and nobody waits. */
  idle(): Promise<void>;
}

/** A gate with room for `width`. */
export function createGate(width: number): Gate {
  const waiting: (() => void)[] = [];
  const idlers: (() => void)[] = [];
  let inside = 0;
  const gate = async <T>(work: () => Promise<T>): Promise<T> => {
    if (inside >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside++;
    try {
      return await work();
    } finally {
      // The place is handed on, so that nobody slips in between.
      const next = waiting.shift();
      if (next !== undefined) next();
      else if (--inside === 0) for (const tell of idlers.splice(0)) tell();
    }
  };
  return Object.assign(gate, {
    idle: () => (inside === 0 ? Promise.resolve() : new Promise<void>((resolve) => idlers.push(resolve))),
  });
}
