// One stream of a tool call: colours, folded to head, tail and tracebacks, with its name.
import { useMemo } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { memo } from "../memo.ts";
import { countText, pluralText } from "../quantity.ts";
import { terminalLines } from "./ansi.ts";
import { Lines } from "./lines.tsx";
import { foldedStretches } from "./terminalFold.ts";

/** Lines drawn at most even when unfolded; the rest is for an editor. */
const MOST_LINES = 2000;

/** A stream of output. `total` is its full length in characters where the text here was cut. */
export const Terminal = memo(function Terminal(props: {
  name: string;
  text: string;
  total: number | null;
  isWhole: boolean;
  litFrom: number;
  litTo: number;
  onWhole: () => void;
  onOpen: () => void;
}) {
  const { name, text, total, isWhole, litFrom, litTo } = props;
  const lines = useMemo(() => terminalLines(text), [text]);
  const stretches = useMemo(
    () =>
      isWhole || (litFrom > 0 && litFrom <= MOST_LINES)
        ? [{ from: 0, to: Math.min(lines.length, MOST_LINES), isShown: true }]
        : foldedStretches(lines.map((line) => line.map((piece) => piece.text).join(""))),
    [lines, isWhole, litFrom],
  );
  const isClipped = isWhole && lines.length > MOST_LINES;
  return (
    <div class={`stream is-${name}`}>
      <div class="streamName">{name}</div>
      <div class="streamBody" tabIndex={-1}>
        {stretches.map(({ from, to, isShown }) =>
          isShown ? (
            <Lines key={from} lines={lines} from={from} to={to} isNumbered={false} litFrom={litFrom} litTo={litTo} />
          ) : (
            <button key={from} type="button" class="foldLine" onClick={props.onWhole}>
              <Icon name="unfold" /> {pluralText(to - from, "line")} hidden
            </button>
          ),
        )}
        {(total !== null || isClipped) && (
          <button type="button" class="foldLine" onClick={props.onOpen}>
            <Icon name="go-to-file" />
            {total === null
              ? ` The first ${countText(MOST_LINES)} lines are here. Open full output`
              : ` ${countText(text.length)} of ${countText(total)} characters are here. Open full output`}
          </button>
        )}
      </div>
    </div>
  );
});
