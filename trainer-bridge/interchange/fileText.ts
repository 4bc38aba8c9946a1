// The bytes of a file as text: byte order marks, UTF-16, gzip, and bytes that are no text at all.
import { gunzipSync } from "node:zlib";

/** Largest file that is imported, also after unpacking. Bytes. */
export const MAX_IMPORT_BYTES = 256 * 1024 * 1024;

/** The text of a file and what was lost on the way; `text` is undefined where it is not text, and `problems` then says why. */
export interface FileText {
  readonly text: string | undefined;
  readonly problems: readonly string[];
}

/** Decodes the bytes of a file. */
export function fileText(bytes: Uint8Array): FileText {
  if (bytes.length > MAX_IMPORT_BYTES)
    return refused(
      `The file has ${megabytes(bytes.length)} MB; at most ${megabytes(MAX_IMPORT_BYTES)} MB are imported at once. Split it.`,
    );
  if (startsWith(bytes, [0x1f, 0x8b])) return unpacked(bytes);
  if (startsWith(bytes, [0x50, 0x4b])) {
    return refused(
      "This is a zip archive (an Inspect .eval log is one), which is not imported. Unpack it, then import the files in it.",
    );
  }
  if (startsWith(bytes, [0xff, 0xfe])) return decoded(bytes, "utf-16le");
  if (startsWith(bytes, [0xfe, 0xff])) return decoded(bytes, "utf-16be");
  if (bytes.length >= 4 && bytes[0] !== 0 && bytes[1] === 0 && bytes[2] !== 0 && bytes[3] === 0)
    return decoded(bytes, "utf-16le");
  const sample = bytes.subarray(0, 4096);
  if (sample.filter((byte) => byte === 0).length > sample.length / 20)
    return refused("This is not a text file, so nothing of it can be imported.");
  return decoded(bytes, "utf-8");
}

function decoded(bytes: Uint8Array, encoding: string): FileText {
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), problems: [] };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const text = new TextDecoder(encoding).decode(bytes);
    return {
      text,
      problems: [`The file is not clean ${encoding.toUpperCase()}: bytes that are no text were read as "\ufffd".`],
    };
  }
}

function unpacked(bytes: Uint8Array): FileText {
  try {
    return fileText(gunzipSync(bytes, { maxOutputLength: MAX_IMPORT_BYTES }));
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    if (error.code === "ERR_BUFFER_TOO_LARGE")
      return refused(`The unpacked file has more than ${megabytes(MAX_IMPORT_BYTES)} MB. Split it.`);
    return refused(
      `The gzip file is damaged or cut (${error.message}). Unpack it by hand to save what is left, then import that.`,
    );
  }
}

const refused = (message: string): FileText => ({ text: undefined, problems: [message] });
const megabytes = (count: number) => Math.ceil(count / 2 ** 20);
const startsWith = (bytes: Uint8Array, signs: readonly number[]) => signs.every((sign, place) => bytes[place] === sign);
