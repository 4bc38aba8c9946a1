// The bridge a command talks to: the one that serves the folder, or rooms of its own in this process.

import { readFileSync } from "node:fs";
import path from "node:path";
import { startServer } from "../server/server.ts";
import { newToken } from "../server/token.ts";
import { readAddress } from "./address.ts";
import { type BridgeClient, connectBridge } from "./bridgeClient.ts";
import { openRooms, type RoomSettings } from "./rooms.ts";

/** Runs `work` with a client of the bridge on this folder; what was opened for it is closed, whatever happens. */
export async function withBridge<T>(settings: RoomSettings, work: (client: BridgeClient) => Promise<T>): Promise<T> {
  const running = await connectToRunning(settings.dir);
  if (running !== null) {
    try {
      return await work(running);
    } finally {
      await running.close();
    }
  }
  const rooms = await openRooms(settings);
  const token = newToken();
  try {
    const server = await startServer({ ...rooms.forServer, token });
    try {
      const client = await connectBridge(server.url, token, "touchline command line");
      try {
        return await work(client);
      } finally {
        await client.close();
      }
    } finally {
      await server.close();
    }
  } finally {
    await rooms.close();
  }
}

/** A client of the bridge that serves this folder; null where none answers. */
export async function connectToRunning(dir: string): Promise<BridgeClient | null> {
  const address = readAddress(path.resolve(dir));
  if (address === null) return null;
  try {
    return await connectBridge(address.url, readFileSync(address.tokenFile, "utf8").trim(), "touchline command line");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ECONNREFUSED" || code === "ENOENT") return null;
    throw error;
  }
}
