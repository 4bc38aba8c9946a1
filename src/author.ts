// Whose name an override carries: the setting, else git's user, else the account's.
import { execFile } from "node:child_process";
import os from "node:os";
import { promisify } from "node:util";

let fromMachine: Promise<string> | undefined;

/** The reviewer's name; never empty. */
export async function authorName(fromSetting: string): Promise<string> {
  if (fromSetting !== "") return fromSetting;
  fromMachine ??= machineAuthor();
  return fromMachine;
}

async function machineAuthor(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("git", ["config", "--global", "user.name"], { timeout: 2000 });
    if (stdout.trim() !== "") return stdout.trim().slice(0, 200);
  } catch {
    // No git, or no name in it: the account has one.
  }
  return os.userInfo().username || "unknown";
}
