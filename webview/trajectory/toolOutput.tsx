// One typed output of a tool call: a picture, a table, JSON, Markdown or text; never live HTML.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Output } from "../../src/protocol/model.ts";
import { Grid } from "../content/grid.tsx";
import { JsonTree, jsonOf } from "../content/jsonTree.tsx";
import { RichText } from "../content/richText.tsx";
import { tableOfCsv, tableOfHtml, textOfHtml } from "../content/tableText.ts";
import { Terminal } from "../content/terminal.tsx";
import { Icon } from "../icon.tsx";
import { memo } from "../memo.ts";
import { sizeText } from "../quantity.ts";
import type { Page } from "./deeds.ts";

/** Pictures that are drawn; SVG only ever as an image, where it can run nothing. */
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"]);

interface Props {
  readonly output: Output;
  readonly page: Page;
  readonly isCut: boolean;
  readonly onOpen: () => void;
}

/** Draws an output by its type. */
export const ToolOutput = memo(function ToolOutput(props: Props) {
  const { output, isCut, onOpen } = props;
  const mime = output.mime.split(";")[0]?.trim().toLowerCase() ?? "";
  return (
    <div class="output">
      <div class="streamName" title={mime}>
        {nameOf(mime)}
      </div>
      <div class="outputBody">
        {PICTURES.has(mime) ? <Picture {...props} mime={mime} /> : <TextOutput {...props} mime={mime} />}
        {(isCut || (output.text === null && !PICTURES.has(mime))) && (
          <button type="button" class="foldLine" onClick={onOpen}>
            <Icon name="go-to-file" /> Open full output ({sizeText(output.sizeBytes)})
          </button>
        )}
      </div>
    </div>
  );
});

function nameOf(mime: string): string {
  if (PICTURES.has(mime)) return "image";
  if (mime === "text/html" || mime === "text/csv") return "table";
  return mime === "application/json" ? "json" : "result";
}

function Picture({ output, page, mime }: Props & { readonly mime: string }) {
  const [source, setSource] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isLarge, setLarge] = useState(false);
  useEffect(() => {
    let isCurrent = true;
    if (output.text !== null) setSource(inlineSource(mime, output.text));
    else if (output.blob !== null) {
      page.image(output.blob, mime).then(
        (url) => isCurrent && setSource(url),
        (failure: unknown) => isCurrent && setError(failure instanceof Error ? failure.message : String(failure)),
      );
    } else setError("The picture was not kept.");
    return () => {
      isCurrent = false;
    };
  }, [output]);
  if (error !== null) {
    return (
      <p class="quiet">
        <Icon name="warning" /> This picture cannot be shown: {error}
      </p>
    );
  }
  if (source === null) return <div class="picture isWaiting" />;
  return (
    <button
      type="button"
      class={isLarge ? "picture isLarge" : "picture"}
      aria-label={isLarge ? "Picture the tool call made; show at reading size" : "Picture the tool call made; enlarge"}
      onClick={() => setLarge(!isLarge)}
    >
      <img
        src={source}
        alt={`Made by the tool call, ${sizeText(output.sizeBytes)}`}
        onError={() => setError("its bytes are not a picture of that type.")}
      />
    </button>
  );
}

function inlineSource(mime: string, text: string): string {
  if (mime !== "image/svg+xml") return `data:${mime};base64,${text.replace(/\s+/g, "")}`;
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  for (let from = 0; from < bytes.length; from += 8192)
    binary += String.fromCharCode(...bytes.subarray(from, from + 8192));
  return `data:image/svg+xml;base64,${btoa(binary)}`;
}

function TextOutput({ output, mime, onOpen }: Props & { readonly mime: string }) {
  const [isWhole, setWhole] = useState(false);
  const text = output.text ?? "";
  const table = useMemo(
    () => (mime === "text/html" ? tableOfHtml(text) : mime === "text/csv" ? tableOfCsv(text) : null),
    [mime, text],
  );
  const json = useMemo(
    () => (mime === "application/json" || mime.endsWith("+json") ? jsonOf(text) : undefined),
    [mime, text],
  );
  if (text === "") return null;
  if (table !== null) return <Grid table={table} />;
  if (json !== undefined) return <JsonTree value={json} />;
  if (mime === "text/markdown" || mime === "text/latex") return <RichText source={text.slice(0, 20_000)} />;
  const plain = mime === "text/html" ? textOfHtml(text) : text;
  return (
    <Terminal
      name="result"
      text={plain}
      total={null}
      isWhole={isWhole}
      litFrom={0}
      litTo={0}
      onWhole={() => setWhole(true)}
      onOpen={onOpen}
    />
  );
}
