// What an agent saw before it acted: its messages, exactly.
import { useMemo } from "preact/hooks";
import type { ActionView } from "../../src/protocol/bridge.ts";
import type { Evidence } from "../../src/protocol/model.ts";
import { Lines } from "../content/lines.tsx";
import { Icon } from "../icon.tsx";
import { countText } from "../quantity.ts";
import type { Page } from "./deeds.ts";
import { evidenceLines } from "./evidence.ts";

/** Lines of one message drawn at most; the whole is opened in an editor. */
const MOST_LINES = 400;

/** Draws the messages as plain text: what is shown is what the policy was given. */
export function Observation(props: { body: ActionView; lit: Evidence | null; page: Page }) {
  const { body, lit, page } = props;
  const total = body.cut["observation"];
  return (
    <div class="observation">
      {body.action.observation.map((message, place) => (
        <div key={place} class="seen">
          <div class="seenRole">
            {message.role}
            {message.name !== undefined && <span class="quiet"> {message.name}</span>}
          </div>
          <SeenText text={message.content} lit={lit} />
        </div>
      ))}
      <button type="button" class="foldLine" onClick={() => page.openField(body.action.id, "observation")}>
        <Icon name="go-to-file" />{" "}
        {total === undefined ? "Open in an editor" : `Open all ${countText(total)} characters in an editor`}
      </button>
    </div>
  );
}

function SeenText({ text, lit }: { text: string; lit: Evidence | null }) {
  const lines = useMemo(
    () => text.split("\n").map((line) => (line === "" ? [] : [{ text: line, classes: [] }])),
    [text],
  );
  // Line numbers of an observation run over all its messages; the quote tells which message is meant.
  const range = lit === null ? null : evidenceLines({ ...lit, lineFrom: null, lineTo: null }, text);
  return (
    <Lines
      lines={lines}
      from={0}
      to={Math.min(lines.length, MOST_LINES)}
      isNumbered={false}
      litFrom={range?.from ?? 0}
      litTo={range?.to ?? 0}
    />
  );
}
