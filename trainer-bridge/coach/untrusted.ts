// Fences off text that a model or a task wrote, so that the coach judges it and never obeys it.
import { randomBytes } from "node:crypto";

/** A mark that the judged text cannot contain: it is drawn after that text was written. */
export function drawBoundary(): string {
  return randomBytes(12).toString("hex");
}

/** The text between two marks with this boundary; the kind names what it is. */
export function fenced(kind: string, text: string, boundary: string): string {
  return `[begin ${kind} ${boundary}]\n${neutral(text, boundary)}\n[end ${kind} ${boundary}]`;
}

/** The text without control and invisible characters, chat-template tokens or marks of our own. */
export function neutral(text: string, boundary: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/[\p{Cf}]|(?![\n\t])\p{Cc}/gu, "")
    .replaceAll(boundary, "(removed)")
    .replace(/<\|/g, "<¦")
    .replace(/\|>/g, "¦>")
    .replace(/\[(begin|end) /gi, "($1 ");
}
