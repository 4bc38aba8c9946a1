// Reads the coach's reply strictly: a process reward, or the reason why it is none.
import * as z from "zod";

const Line = z.number().int().positive().nullish();

/** What the coach has to reply. */
export const Reply = z.object({
  score: z.number().min(0).max(10),
  rationale: z.string().trim().min(1).max(20_000),
  evidence: z
    .array(
      z.object({
        source: z.enum(["text", "thinking", "code", "stdout", "stderr", "file", "observation"]),
        quote: z.string().max(4000),
        lineFrom: Line,
        lineTo: Line,
      }),
    )
    .max(50)
    .default([]),
  tags: z.array(z.string().trim().min(1).max(100)).max(50).default([]),
});
export type Reply = z.infer<typeof Reply>;

/** The reply as a JSON schema in the strict form that services ask for: every field required, none besides. */
export const REPLY_SCHEMA: Record<string, unknown> = {
  type: "object",
  additionalProperties: false,
  required: ["rationale", "evidence", "tags", "score"],
  properties: {
    rationale: { type: "string" },
    evidence: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["source", "quote", "lineFrom", "lineTo"],
        properties: {
          source: { type: "string", enum: ["text", "thinking", "code", "stdout", "stderr", "file", "observation"] },
          quote: { type: "string" },
          lineFrom: { type: ["integer", "null"] },
          lineTo: { type: ["integer", "null"] },
        },
      },
    },
    tags: { type: "array", items: { type: "string" } },
    score: { type: "number", minimum: 0, maximum: 10 },
  },
};

/** The reply, or what is wrong with it in words that the coach can mend it by. */
export type ReadReply = { readonly reply: Reply } | { readonly fault: string };

/** Takes the whole text as JSON, else the content of its only ```json block; a number in prose is never a score. */
export function readReply(text: string): ReadReply {
  const bare = text.replace(/<think>[\s\S]*?<\/think>/g, "").trim();
  if (bare === "") return { fault: "the reply is empty" };
  const fences = [...bare.matchAll(/```(?:json)?\s*\n([\s\S]*?)\n?```/g)];
  const json =
    jsonOf(bare) ?? (fences.length === 1 ? jsonOf(fences[0]?.[1] ?? "") : undefined) ?? jsonOf(outerObject(bare));
  if (json === undefined) return { fault: "the reply is not one JSON object" };
  const parsed = Reply.safeParse(json);
  return parsed.success ? { reply: parsed.data } : { fault: z.prettifyError(parsed.error).replace(/\s+/g, " ") };
}

/** From the first brace to the last: what is left when a model adds words around its object. */
function outerObject(text: string): string {
  const [from, to] = [text.indexOf("{"), text.lastIndexOf("}")];
  return from < 0 || to < from ? "" : text.slice(from, to + 1);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
