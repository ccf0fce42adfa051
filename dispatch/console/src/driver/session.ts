// The driver who is signed in on this phone.

import { call } from "../shared/api";
import { SessionKeeper } from "../shared/session";
import type { TokenSaid } from "../shared/types";

export const session = new SessionKeeper("driver", ["driver"], "phone");

/** Throws as `call` does. */
export async function enter(driver: string, pin: string): Promise<void> {
  session.begin(await call<TokenSaid>("POST", "/v1/driver/sign-in", { body: { driver, pin } }));
}
