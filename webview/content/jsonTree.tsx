// JSON as a tree that opens a level at a time.
import { useState } from "preact/hooks";
import { countText } from "../quantity.ts";

/** Entries shown of one object or array before "more". */
const STEP = 100;

/** Reads JSON; undefined where the text is not an object or an array of JSON. */
export function jsonOf(text: string): object | undefined {
  if (text.length > 500_000 || !/^\s*[{[]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // Not JSON after all: it is shown as text.
    return undefined;
  }
}

/** A JSON value with its name. The first two levels are open. */
export function JsonTree({ name, value, depth = 0 }: { name?: string; value: unknown; depth?: number }) {
  const [isOpen, setOpen] = useState(depth < 2);
  const [shown, setShown] = useState(STEP);
  const label = name === undefined ? null : <span class="hljs-attr">{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div class="jsonLeaf">
        {label}
        <span
          class={typeof value === "string" ? "hljs-string" : typeof value === "number" ? "hljs-number" : "hljs-literal"}
        >
          {JSON.stringify(value)}
        </span>
      </div>
    );
  }
  const entries = Object.entries(value);
  const brackets = Array.isArray(value) ? "[ ]" : "{ }";
  if (entries.length === 0)
    return (
      <div class="jsonLeaf">
        {label}
        {brackets.replace(" ", "")}
      </div>
    );
  return (
    <details class="jsonNode" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span class="quiet">
          {brackets[0]} {countText(entries.length)} {brackets[2]}
        </span>
      </summary>
      {isOpen &&
        entries
          .slice(0, shown)
          .map(([key, entry]) => <JsonTree key={key} name={key} value={entry} depth={depth + 1} />)}
      {isOpen && entries.length > shown && (
        <button type="button" class="linkButton" onClick={() => setShown(shown + STEP)}>
          {countText(entries.length - shown)} more
        </button>
      )}
    </details>
  );
}
