// A long text by its head and its tail, with the last traceback whole: the cause of an error stands at the end.

const TRACEBACK = "Traceback (most recent call last):";

/** The text itself where it has at most `limit` characters; else its head and tail, with a line that says how many were left out. */
export function excerpt(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const traceback = text.lastIndexOf(TRACEBACK);
  const fromTraceback = traceback < 0 ? 0 : text.length - traceback;
  // The tail reaches back to the last traceback as long as that leaves some room for the head.
  const tailLength = Math.max(Math.floor(limit / 2), fromTraceback <= limit * 0.85 ? fromTraceback : 0);
  const headLength = Math.max(0, limit - tailLength);
  const head = wholeCharacters(text.slice(0, headLength));
  const tail = text.slice(text.length - tailLength);
  const leftOut = text.length - head.length - tail.length;
  return `${head}\n… ${leftOut} characters left out …\n${tail}`;
}

/** The text without half of a surrogate pair at its end. */
function wholeCharacters(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text;
}
