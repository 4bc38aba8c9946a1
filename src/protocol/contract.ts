// The form of a wire: a table of requests and notifications, and the types that follow from it.
import type * as z from "zod";

/** One request: what is asked and what is answered. `progress` is the value sent with `$/progress`. */
export interface RequestRow {
  readonly params: z.ZodType;
  readonly result: z.ZodType;
  readonly progress?: z.ZodType;
}

/** A wire: requests one end answers, and notifications it announces. */
export interface Contract {
  readonly requests: Readonly<Record<string, RequestRow>>;
  readonly notifications: Readonly<Record<string, z.ZodType>>;
}

export type Method<C extends Contract> = keyof C["requests"] & string;
/** What the asker passes in (defaults may be left out). */
export type ParamsIn<C extends Contract, M extends Method<C>> = z.input<C["requests"][M]["params"]>;
/** What the answerer receives (defaults filled in). */
export type Params<C extends Contract, M extends Method<C>> = z.output<C["requests"][M]["params"]>;
export type Result<C extends Contract, M extends Method<C>> = z.output<C["requests"][M]["result"]>;
export type Progress<C extends Contract, M extends Method<C>> = C["requests"][M] extends {
  readonly progress: infer P extends z.ZodType;
}
  ? z.output<P>
  : never;
export type Notification<C extends Contract, N extends keyof C["notifications"] & string> = z.output<
  C["notifications"][N]
>;
