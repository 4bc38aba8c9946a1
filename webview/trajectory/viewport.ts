// Which rows are in view, told to whoever draws it (the reward strip) without redrawing the page.

/** First and last row in view. */
export interface Viewport {
  readonly first: number;
  readonly last: number;
}

/** Holds the rows in view and tells its listeners when they change. */
export class ViewportSignal {
  private readonly listeners = new Set<() => void>();
  private viewport: Viewport = { first: 0, last: 0 };

  get value(): Viewport {
    return this.viewport;
  }

  set(viewport: Viewport): void {
    if (viewport.first === this.viewport.first && viewport.last === this.viewport.last) return;
    this.viewport = viewport;
    for (const listener of this.listeners) listener();
  }

  /** Returns what ends the listening. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}
