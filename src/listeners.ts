// A list of listeners for parts that know no VS Code.

/** What `add` gives back and a lifetime ends. */
export interface Ending {
  dispose(): void;
}

/** Told in the order they were added; one that throws stops nobody else and is passed to `onError`. */
export class Listeners<T> {
  private readonly all = new Set<(value: T) => void>();
  private readonly onError: (error: unknown) => void;
  constructor(onError: (error: unknown) => void) {
    this.onError = onError;
  }

  /** Adds a listener; what is returned takes it away again. */
  readonly add = (listener: (value: T) => void): Ending => {
    this.all.add(listener);
    return { dispose: () => void this.all.delete(listener) };
  };

  /** Tells every listener. */
  tell(value: T): void {
    for (const listener of [...this.all]) {
      try {
        listener(value);
      } catch (error) {
        this.onError(error);
      }
    }
  }
}
