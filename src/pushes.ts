// Gathers what happens into few pushes: at most ten a second, the first one at once.

/** A buffer that pushes; `dispose` drops what waits. */
export interface Pushes<T> {
  add(items: readonly T[]): void;
  dispose(): void;
}

/** Pushes gathered items at most every `everyMs`. Past `most` waiting items `overflow` is told instead and the items are dropped. */
export function gatherPushes<T>(
  push: (items: T[]) => void,
  overflow: () => void,
  everyMs = 100,
  most = 2000,
): Pushes<T> {
  let waiting: T[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isOverflowing = false;

  function flush(): void {
    timer = null;
    const items = waiting;
    waiting = [];
    if (isOverflowing) {
      isOverflowing = false;
      overflow();
    } else if (items.length > 0) push(items);
    else return;
    timer = setTimeout(flush, everyMs);
  }

  return {
    add(items) {
      if (items.length === 0) return;
      if (waiting.length + items.length > most) {
        isOverflowing = true;
        waiting = [];
      }
      if (!isOverflowing) waiting.push(...items);
      timer ??= setTimeout(flush, 0);
    },
    dispose() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      waiting = [];
    },
  };
}
