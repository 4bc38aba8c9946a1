// Reads of a Trajectory page that take more than one request of the bridge.
import type { ActionMark } from "../protocol/bridge.ts";
import { ProtocolError } from "../protocol/rpc.ts";
import type { TrainerLink } from "../trainerLink.ts";

/** Longest image a page is given. Bytes. */
const MAX_IMAGE_BYTES = 4 * 1024 * 1024;

/** Every mark of a trajectory, in order. */
export async function allMarks(link: Pick<TrainerLink, "request">, trajectoryId: string): Promise<ActionMark[]> {
  const marks: ActionMark[] = [];
  for (;;) {
    const page = await link.request("trajectory/marks", { trajectoryId, fromIndex: marks.length, limit: 2000 });
    marks.push(...page.marks);
    if (page.marks.length === 0 || marks.length >= page.total) return marks;
  }
}

/** A whole blob, base64; refused over 4 MB. */
export async function imageBlob(
  link: Pick<TrainerLink, "request">,
  sha256: string,
): Promise<{ base64: string; mime: string }> {
  const parts: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { base64, total, mime } = await link.request("blob/get", { sha256, offset: length });
    if (total > MAX_IMAGE_BYTES)
      throw new ProtocolError(-32007, `The image has ${total} bytes; pages show up to ${MAX_IMAGE_BYTES}.`);
    const part = Buffer.from(base64, "base64");
    parts.push(part);
    length += part.length;
    if (length >= total || part.length === 0) return { base64: Buffer.concat(parts).toString("base64"), mime };
  }
}
