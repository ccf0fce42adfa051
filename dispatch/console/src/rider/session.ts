// The rider who is signed in. Signing in is asked for when it is needed, over whatever the rider is doing.

import { signal } from "@preact/signals";
import { call, type CallOptions, type Method } from "../shared/api";
import { SessionKeeper } from "../shared/session";
import type { TokenSaid } from "../shared/types";
import type { CodeSaid } from "./types";

export const session = new SessionKeeper("rider", ["rider"], "phone");

interface Waiting {
  done: () => void;
  given_up: () => void;
}

/** who waits for the sign-in to be over; null: nobody, so it is not shown */
export const signingIn = signal<Waiting | null>(null);

/** The rider closed the sign-in. */
export class NotSignedIn extends Error {}

function signIn(): Promise<void> {
  return new Promise((resolve, reject) => {
    signingIn.value?.given_up();
    signingIn.value = { done: resolve, given_up: () => reject(new NotSignedIn()) };
  });
}

/** A call as the rider. Whoever is not signed in, or no longer, signs in first; what was typed stays where it is. */
export async function asRider<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  if (session.current.value === null) await signIn();
  try {
    return await session.call<T>(method, path, options);
  } catch (error) {
    if (session.current.value !== null || !session.expired.value) throw error;
  }
  await signIn();
  return session.call<T>(method, path, options);
}

export function askForCode(phone: string): Promise<CodeSaid> {
  return call<CodeSaid>("POST", "/v1/sign-in/code", { body: { phone } });
}

/** Throws as `call` does; whoever waited goes on. */
export async function enter(phone: string, code: string): Promise<void> {
  session.begin(await call<TokenSaid>("POST", "/v1/sign-in", { body: { phone, code } }));
  const waiting = signingIn.value;
  signingIn.value = null;
  waiting?.done();
}

export function giveUp(): void {
  const waiting = signingIn.value;
  signingIn.value = null;
  waiting?.given_up();
}
