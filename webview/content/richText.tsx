// Markdown in the page: formatted at once while there is time in the frame, else as plain text that is formatted soon after.
import { useLayoutEffect, useRef } from "preact/hooks";
import { memo } from "../memo.ts";
import { markdownFragment } from "./markdown.ts";

/** Milliseconds of formatting in one frame; a budget, so that a fast scroll never waits for mathematics. */
const FRAME_BUDGET_MS = 10;
/** Longer text is shown as it was written: formatting it could hold up the page. Characters. */
const LONGEST = 20_000;
/** Formatted pieces kept, by source. */
const KEPT = 300;

const formatted = new Map<string, DocumentFragment>();
const waiting = new Map<HTMLElement, () => void>();
let spentMs = 0;
let isFrameAsked = false;

function askFrame(): void {
  if (isFrameAsked) return;
  isFrameAsked = true;
  requestAnimationFrame(() => {
    isFrameAsked = false;
    spentMs = 0;
    for (const [element, format] of waiting) {
      if (spentMs >= FRAME_BUDGET_MS) break;
      waiting.delete(element);
      timed(format);
    }
    if (waiting.size > 0) askFrame();
  });
}

function timed(work: () => void): void {
  const start = performance.now();
  work();
  spentMs += performance.now() - start;
  askFrame();
}

function fragmentOf(source: string): Node {
  let fragment = formatted.get(source);
  if (fragment === undefined) fragment = markdownFragment(source);
  // Insertion order is age: what was used last goes last.
  formatted.delete(source);
  formatted.set(source, fragment);
  const oldest = formatted.keys().next().value;
  if (formatted.size > KEPT && oldest !== undefined) formatted.delete(oldest);
  return fragment.cloneNode(true);
}

/** Lights the blocks that overlap the given lines of the source, and brings the first into view. */
function light(root: HTMLElement, lines: { from: number; to: number } | null): void {
  for (const block of root.querySelectorAll(".litLines")) block.classList.remove("litLines");
  if (lines === null) return;
  const blocks = [...root.querySelectorAll<HTMLElement>("[data-line-from]")].filter((block) => {
    const from = Number(block.dataset.lineFrom);
    return from <= lines.to && Number(block.dataset.lineTo) >= lines.from;
  });
  // The innermost blocks: a list item rather than its list.
  const inner = blocks.filter((block) => !blocks.some((other) => other !== block && block.contains(other)));
  for (const block of inner) block.classList.add("litLines");
  inner[0]?.scrollIntoView({ block: "nearest" });
}

/** Model-written text as Markdown with mathematics. `litFrom`/`litTo` are 1-based lines to light; 0 for none. */
export const RichText = memo(function RichText(props: { source: string; litFrom?: number; litTo?: number }) {
  const { source, litFrom = 0, litTo = 0 } = props;
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    if (source.length > LONGEST) {
      element.textContent = source;
      element.classList.add("isPlain");
      return undefined;
    }
    const format = () => {
      element.replaceChildren(fragmentOf(source));
      element.classList.remove("isPlain");
      light(element, litFrom > 0 ? { from: litFrom, to: litTo } : null);
    };
    if (spentMs < FRAME_BUDGET_MS || formatted.has(source)) timed(format);
    else {
      element.textContent = source;
      element.classList.add("isPlain");
      waiting.set(element, format);
      askFrame();
    }
    return () => void waiting.delete(element);
  }, [source]);
  useLayoutEffect(() => {
    if (ref.current !== null) light(ref.current, litFrom > 0 ? { from: litFrom, to: litTo } : null);
  }, [litFrom, litTo]);
  return <div class="richText" ref={ref} />;
});
