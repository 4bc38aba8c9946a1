// The importer the server is given.
import { BridgeErrorCode } from "../../src/protocol/bridge.ts";
import { ProtocolError } from "../../src/protocol/rpc.ts";
import type { Importer } from "../server/rooms.ts";

/** Reads a file of another tool into trajectories. */
export const importer: Importer = (fileName) => {
  throw new ProtocolError(BridgeErrorCode.refused, `${fileName} cannot be imported: no importer is built in.`);
};
