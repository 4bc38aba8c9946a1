// Numbered or plain lines of classed pieces: code, terminal output, and what an agent saw.
import { useLayoutEffect, useRef } from "preact/hooks";
import { memo } from "../memo.ts";
import type { Line } from "./ansi.ts";

/** Lines `from`..`to` (0-based, `to` exclusive); `litFrom`/`litTo` are 1-based and inclusive, 0 for none. */
export const Lines = memo(function Lines(props: {
  lines: readonly Line[];
  from: number;
  to: number;
  isNumbered: boolean;
  litFrom: number;
  litTo: number;
}) {
  const { lines, from, to, isNumbered, litFrom, litTo } = props;
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (litFrom > from && litFrom <= to) ref.current?.querySelector(".litLines")?.scrollIntoView({ block: "nearest" });
  }, [litFrom, litTo, from, to]);
  return (
    <div ref={ref} class={isNumbered ? "lines isNumbered" : "lines"}>
      {lines.slice(from, to).map((line, place) => {
        const number = from + place + 1;
        const isLit = litFrom > 0 && number >= litFrom && number <= litTo;
        return (
          <div key={number} class={isLit ? "line litLines" : "line"}>
            {isNumbered && (
              <span class="lineNumber" aria-hidden="true">
                {number}
              </span>
            )}
            <span class="lineText">
              {line.map((piece, index) =>
                piece.classes.length === 0 ? (
                  piece.text
                ) : (
                  <span key={index} class={piece.classes.join(" ")}>
                    {piece.text}
                  </span>
                ),
              )}
              {line.length === 0 && "\n"}
            </span>
          </div>
        );
      })}
    </div>
  );
});
