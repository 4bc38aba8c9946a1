// A codicon; always beside a text or inside something that has a label.

/** Draws the codicon of that name; a screen reader passes over it. */
export function Icon({ name, spins = false }: { name: string; spins?: boolean }) {
  return <span class={`codicon codicon-${name}${spins ? " codicon-modifier-spin" : ""}`} aria-hidden="true" />;
}
