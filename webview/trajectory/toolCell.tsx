// A tool call as a notebook cell: its code, what it printed, what it left behind, and how it ended.
import { useMemo } from "preact/hooks";
import type { ActionView } from "../../src/protocol/bridge.ts";
import type { Evidence, ToolCall, ToolStatus } from "../../src/protocol/model.ts";
import { codeLines } from "../content/highlight.ts";
import { JsonTree, jsonOf } from "../content/jsonTree.tsx";
import { Lines } from "../content/lines.tsx";
import { Terminal } from "../content/terminal.tsx";
import { Icon } from "../icon.tsx";
import { countText, durationText, sizeText } from "../quantity.ts";
import type { Page } from "./deeds.ts";
import { evidenceLines, type LineRange } from "./evidence.ts";
import { type FileChange, fileChanges } from "./fileChanges.ts";
import type { State } from "./state.ts";
import { ToolOutput } from "./toolOutput.tsx";

/** Lines of code drawn before "show all". */
const WHOLE_CODE = 60;
const FOLDED_CODE = 40;

const endings: Readonly<Record<ToolStatus, { icon: string; text: string }>> = {
  ok: { icon: "check", text: "ok" },
  error: { icon: "error", text: "error" },
  timeout: { icon: "watch", text: "ran out of time" },
  outOfMemory: { icon: "error", text: "ran out of memory" },
  killed: { icon: "error", text: "killed" },
  limit: { icon: "warning", text: "stopped at a limit" },
  refused: { icon: "circle-slash", text: "refused, not run" },
  unknown: { icon: "question", text: "ending not recorded" },
};

interface Props {
  readonly call: ToolCall;
  readonly place: number;
  readonly body: ActionView;
  readonly state: State;
  readonly page: Page;
  readonly lit: Evidence | null;
}

/** Draws one tool call. */
export function ToolCell({ call, place, body, state, page, lit }: Props) {
  const { action, cut } = body;
  const field = (name: string) => `toolCalls/${place}/${name}`;
  const isOpen = (part: string) => state.open.has(`${action.id}/${field(part)}`);
  const toggle = (part: string) => page.send({ type: "toggle", key: `${action.id}/${field(part)}` });
  const isMine = lit !== null && (lit.toolCallId === null ? place === 0 : lit.toolCallId === call.id);
  const range = (source: Evidence["source"], text: string): LineRange | null =>
    isMine && lit?.source === source ? evidenceLines(lit, text) : null;
  const stream = (name: "stdout" | "stderr") => {
    const text = call[name];
    const total = cut[field(name)] ?? null;
    if (text === "" && total === null) return null;
    const lines = range(name, text);
    return (
      <Terminal
        name={name}
        text={text}
        total={total}
        isWhole={isOpen(name)}
        litFrom={lines?.from ?? 0}
        litTo={lines?.to ?? 0}
        onWhole={() => toggle(name)}
        onOpen={() => page.openField(action.id, field(name))}
      />
    );
  };
  const changes = fileChanges(call.filesBefore, call.filesAfter);
  const isFileLit = isMine && lit?.source === "file";
  return (
    <section class={`cell is-${call.status}`} aria-label={`Tool call ${call.tool}, ${endings[call.status].text}`}>
      <Input call={call} isWhole={isOpen("input")} lit={range("code", call.input)} onWhole={() => toggle("input")} />
      {cut[field("input")] !== undefined && (
        <button type="button" class="foldLine" onClick={() => page.openField(action.id, field("input"))}>
          <Icon name="go-to-file" /> Open all {countText(cut[field("input")] ?? 0)} characters in an editor
        </button>
      )}
      <Ending call={call} />
      {stream("stdout")}
      {stream("stderr")}
      {call.outputs.map((output, index) => (
        <ToolOutput
          key={index}
          output={output}
          page={page}
          onOpen={() => page.openField(action.id, field(`outputs/${index}`))}
          isCut={cut[field(`outputs/${index}`)] !== undefined || cut[field(`outputs/${index}/text`)] !== undefined}
        />
      ))}
      {changes.length > 0 && (
        <Files
          changes={changes}
          isAll={isOpen("files")}
          onAll={() => toggle("files")}
          litName={isFileLit ? (lit?.quote ?? "") : null}
        />
      )}
    </section>
  );
}

function Input(props: { call: ToolCall; isWhole: boolean; lit: LineRange | null; onWhole: () => void }) {
  const { call, isWhole, lit, onWhole } = props;
  const json = useMemo(
    () => (call.language === null || call.language === "json" ? jsonOf(call.input) : undefined),
    [call],
  );
  const lines = useMemo(() => codeLines(call.input.replace(/\n$/, ""), call.language), [call]);
  const isLong = lines.length > WHOLE_CODE && !isWhole && lit === null;
  const name = call.language === null || call.language === call.tool ? call.tool : `${call.tool} · ${call.language}`;
  return (
    <div class="cellInput">
      <div class="cellName">{name}</div>
      {json !== undefined && lit === null ? (
        <div class="cellCode">
          <JsonTree value={json} />
        </div>
      ) : (
        <div class="cellCode">
          <Lines
            lines={lines}
            from={0}
            to={isLong ? FOLDED_CODE : lines.length}
            isNumbered
            litFrom={lit?.from ?? 0}
            litTo={lit?.to ?? 0}
          />
        </div>
      )}
      {isLong && (
        <button type="button" class="foldLine" onClick={onWhole}>
          <Icon name="unfold" /> Show all {countText(lines.length)} lines
        </button>
      )}
    </div>
  );
}

function Ending({ call }: { call: ToolCall }) {
  const { icon, text } = endings[call.status];
  const facts = [
    call.exitCode === null ? null : `exit ${call.exitCode}`,
    call.durationMs === null ? null : durationText(call.durationMs),
  ].filter((fact) => fact !== null);
  return (
    <div class="cellEnd">
      <span class="cellStatus">
        <Icon name={icon} /> {text}
      </span>
      {facts.length > 0 && <span class="quiet">{facts.join(" · ")}</span>}
      {call.message !== null && <span class="cellMessage">{call.message}</span>}
    </div>
  );
}

const changeIcons: Readonly<Record<FileChange["change"], string>> = {
  created: "diff-added",
  changed: "diff-modified",
  removed: "diff-removed",
  same: "file",
};

function Files(props: { changes: readonly FileChange[]; isAll: boolean; onAll: () => void; litName: string | null }) {
  const { changes, isAll, onAll, litName } = props;
  const touched = changes.filter((file) => file.change !== "same");
  const shown = isAll ? changes : touched.slice(0, 12);
  const hidden = changes.length - shown.length;
  return (
    <div class="files">
      <table>
        <caption class="onlyRead">Files of this tool call</caption>
        <tbody>
          {shown.map((file) => (
            <tr
              key={file.name}
              class={litName !== null && (litName === "" || litName.includes(file.name)) ? "litLines" : ""}
            >
              <td class={`fileChange is-${file.change}`}>
                <Icon name={changeIcons[file.change]} /> {file.change === "same" ? "unchanged" : file.change}
              </td>
              <td class="fileName">{file.name}</td>
              <td class="isNumber">{sizeText(file.sizeBytes)}</td>
              <td class="quiet hash" title={`SHA-256 ${file.sha256}`}>
                {file.sha256.slice(0, 8)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {hidden > 0 && (
        <button type="button" class="linkButton" onClick={onAll}>
          {countText(hidden)} {touched.length > shown.length ? "more" : "unchanged"} {hidden === 1 ? "file" : "files"}
        </button>
      )}
    </div>
  );
}
