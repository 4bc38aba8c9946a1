// Markdown written by a model → a safe piece of document: no HTML of its own, no remote image, no style the page's policy refuses.
import DOMPurify from "dompurify";
import katex from "katex";
import MarkdownIt, { type Token } from "markdown-it";
import { codeLines } from "./highlight.ts";

/** Everything markdown-it and KaTeX may produce; nothing else survives. */
const ALLOWED_TAGS = [
  ..."p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code span em strong s del sub sup a table thead tbody tr th td div".split(
    " ",
  ),
  ..."svg path line".split(" "),
  ..."math semantics annotation mrow mi mn mo ms mtext mspace msup msub msubsup mfrac msqrt mroot mover munder munderover mtable mtr mtd mlabeledtr menclose mpadded mphantom mstyle".split(
    " ",
  ),
];
const ALLOWED_ATTR = [
  ..."class href title start colspan rowspan aria-hidden data-style data-line-from data-line-to".split(" "),
  ..."width height viewBox preserveAspectRatio d x1 x2 y1 y2 stroke-width xmlns".split(" "),
  ..."encoding display mathvariant stretchy fence separator lspace rspace minsize maxsize accent columnalign rowspacing columnspacing scriptlevel displaystyle linethickness voffset mathcolor".split(
    " ",
  ),
];
/** Properties that KaTeX's boxes and aligned columns need; set through the object model, because the page's policy refuses style attributes. */
const STYLES = new Set(
  "height width min-width top bottom left right vertical-align margin-left margin-right margin-top padding-left padding-right border-bottom-width border-top-width border-right-width border-left-width border-width border-color border-style position color background-color text-align".split(
    " ",
  ),
);

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: false, typographer: false });
markdown.validateLink = (url) => /^https?:\/\//i.test(url.trim());
markdown.renderer.rules.image = (tokens, index) => {
  const token = tokens[index];
  const label = token?.content || "image";
  const source = String(token?.attrGet("src") ?? "");
  // A remote image would tell its server who reads this; it is named, not loaded.
  return `<span class="imageName">[${markdown.utils.escapeHtml(label)}: ${markdown.utils.escapeHtml(source)}]</span>`;
};
markdown.renderer.rules.fence = (tokens, index) => {
  const token = tokens[index];
  if (token === undefined) return "";
  const lines = codeLines(token.content.replace(/\n$/, ""), token.info.trim().split(/\s+/)[0] ?? null);
  const html = lines
    .map((line) =>
      line
        .map(({ text, classes }) => `<span class="${classes.join(" ")}">${markdown.utils.escapeHtml(text)}</span>`)
        .join(""),
    )
    .join("\n");
  return `<pre${lineAttributes(token)}><code>${html}</code></pre>`;
};
for (const rule of ["paragraph_open", "heading_open", "list_item_open", "blockquote_open", "tr_open"]) {
  markdown.renderer.rules[rule] = (tokens, index, options, _env, self) => {
    const token = tokens[index];
    if (token?.map) {
      token.attrSet("data-line-from", String(token.map[0] + 1));
      token.attrSet("data-line-to", String(Math.max(token.map[0] + 1, token.map[1])));
    }
    return self.renderToken(tokens, index, options);
  };
}
for (const rule of ["th_open", "td_open"]) {
  markdown.renderer.rules[rule] = (tokens, index, options, _env, self) => {
    const token = tokens[index];
    for (const attribute of token?.attrs ?? []) if (attribute[0] === "style") attribute[0] = "data-style";
    return self.renderToken(tokens, index, options);
  };
}
markdown.use(maths);

function lineAttributes(token: Token): string {
  return token.map ? ` data-line-from="${token.map[0] + 1}" data-line-to="${token.map[1]}"` : "";
}

/** Inline `$…$`, `\(…\)` and display `$$…$$`, `\[…\]`, also over several lines of one paragraph. */
function maths(md: InstanceType<typeof MarkdownIt>): void {
  md.inline.ruler.before("escape", "maths", (state, silent) => {
    const character = state.src[state.pos];
    if (character !== "$" && character !== "\\") return false;
    const rest = state.src.slice(state.pos, state.pos + 4000);
    const match =
      /^\$\$([\s\S]+?)\$\$/.exec(rest) ??
      /^\\\[([\s\S]+?)\\\]/.exec(rest) ??
      /^\\\(([\s\S]+?)\\\)/.exec(rest) ??
      // Agents of maths teams box their answer without any dollars.
      /^(\\boxed\{[^{}\n]*\})/.exec(rest) ??
      // As Pandoc: no space inside the dollars, no digit after the last one, so that prices stay prices.
      /^\$(?!\s)((?:\\.|[^$\\\n])+?)(?<!\s)\$(?!\d)/.exec(rest);
    if (match === null) return false;
    if (!silent) {
      const token = state.push("maths", "", 0);
      token.content = match[1] ?? "";
      token.markup = match[0].startsWith("$$") || match[0].startsWith("\\[") ? "display" : "inline";
    }
    state.pos += match[0].length;
    return true;
  });
  md.renderer.rules.maths = (tokens, index) => {
    const token = tokens[index];
    if (token === undefined) return "";
    return mathHtml(token.content, token.markup === "display");
  };
}

function mathHtml(formula: string, isDisplay: boolean): string {
  try {
    const html = katex.renderToString(formula, {
      displayMode: isDisplay,
      output: "htmlAndMathml",
      throwOnError: true,
      trust: false,
      strict: "ignore",
      maxSize: 20,
      maxExpand: 200,
    });
    // KaTeX escapes quotes in text, so this only meets its own attributes.
    return html.replaceAll(' style="', ' data-style="');
  } catch {
    // What KaTeX cannot read is shown as it was written.
    return `<code class="mathSource">${markdown.utils.escapeHtml(formula)}</code>`;
  }
}

/** Markdown as sanitised HTML text, KaTeX's styles in `data-style`; only for `markdownFragment` and its tests. */
export function markdownHtml(source: string): string {
  return markdown.render(source);
}

/** Markdown as a piece of document that can be put into the page. Blocks carry `data-line-from`/`-to`, 1-based lines of the source. */
export function markdownFragment(source: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(markdownHtml(source), {
    ALLOWED_TAGS,
    ALLOWED_ATTR,
    ADD_URI_SAFE_ATTR: ["data-style"],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const element of fragment.querySelectorAll<HTMLElement>("[data-style]")) {
    applyStyles(element, element.getAttribute("data-style") ?? "");
    element.removeAttribute("data-style");
  }
  for (const link of fragment.querySelectorAll("a")) {
    // The address is in the tooltip: what is written is not always where it leads.
    link.title = link.getAttribute("href") ?? "";
    link.rel = "noreferrer noopener";
  }
  for (const table of fragment.querySelectorAll("table")) {
    const box = document.createElement("div");
    box.className = "tableBox";
    table.replaceWith(box);
    box.append(table);
  }
  return fragment;
}

function applyStyles(element: HTMLElement | SVGElement, styles: string): void {
  for (const declaration of styles.split(";")) {
    const colon = declaration.indexOf(":");
    const name = declaration.slice(0, colon).trim();
    const value = declaration.slice(colon + 1).trim();
    if (STYLES.has(name) && /^[-\w.#%() ,]+$/.test(value) && !value.includes("url"))
      element.style.setProperty(name, value);
  }
}
