// Who is signed in on this page: a bearer token of the API. There are no cookies, so no other site can act for us.

import { signal } from "@preact/signals";
import { ApiProblem, call, type CallOptions, type Method } from "./api";
import type { Role, TokenSaid } from "./types";

export interface Session {
  token: string;
  role: Role;
  subject: string;
  /** real time, milliseconds since 1970 */
  expires: number;
}

/** One app's session. Phones stay signed in (localStorage), desks do not outlive the window (sessionStorage). */
export class SessionKeeper {
  /** null: nobody is signed in */
  readonly current = signal<Session | null>(null);
  /** the last session ended by itself: say so beside the sign-in */
  readonly expired = signal(false);
  readonly #name: string;
  readonly #roles: readonly Role[];
  readonly #storage: Storage;

  constructor(app: string, roles: readonly Role[], kept: "window" | "phone") {
    this.#name = `naru.${app}.session`;
    this.#roles = roles;
    this.#storage = kept === "phone" ? localStorage : sessionStorage;
    this.current.value = this.#read();
  }

  /** Sign in by an answer of the API. */
  begin(said: TokenSaid): void {
    this.#keep({ token: said.access_token, role: said.role, subject: said.subject, expires: Date.now() + said.expires_in * 1000 });
  }

  /** Sign in by a pasted key of `naru token create`; false if it is none that this page can use. */
  beginWithKey(key: string): boolean {
    const session = readKey(key.trim());
    if (session === null || !this.#roles.includes(session.role) || session.expires <= Date.now()) return false;
    this.#keep(session);
    return true;
  }

  end(expired = false): void {
    try {
      this.#storage.removeItem(this.#name);
    } catch {
      // storage is forbidden: nothing was kept either
    }
    this.expired.value = expired;
    this.current.value = null;
  }

  /** A call as whoever is signed in; a session that no longer holds is ended. Throws as `call` does. */
  async call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
    const session = this.current.value;
    try {
      return await call<T>(method, path, { ...options, token: session?.token ?? null });
    } catch (error) {
      this.noticed(error, session);
      throw error;
    }
  }

  /** End the session if this error says that it no longer holds. */
  noticed(error: unknown, session: Session | null = this.current.value): void {
    const gone = error instanceof ApiProblem && ["bad_token", "no_token", "wrong_zone", "wrong_role"].includes(error.code);
    if (gone && session !== null && session.token === this.current.value?.token) this.end(true);
  }

  #keep(session: Session): void {
    try {
      this.#storage.setItem(this.#name, JSON.stringify(session));
    } catch {
      // storage is full or forbidden: the session lives as long as the page
    }
    this.expired.value = false;
    this.current.value = session;
  }

  #read(): Session | null {
    try {
      const kept = JSON.parse(this.#storage.getItem(this.#name) ?? "null") as Session | null;
      if (kept && this.#roles.includes(kept.role) && kept.expires > Date.now()) return kept;
    } catch {
      // unreadable: as if there were none
    }
    return null;
  }
}

/** What a key says of itself (the service checks whether that is true). */
function readKey(key: string): Session | null {
  const parts = key.split(".");
  if (parts.length !== 3) return null;
  try {
    const bytes = Uint8Array.from(atob((parts[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown; role?: unknown; exp?: unknown };
    if (typeof claims.sub !== "string" || typeof claims.role !== "string" || typeof claims.exp !== "number") return null;
    return { token: key, subject: claims.sub, role: claims.role as Role, expires: claims.exp * 1000 };
  } catch {
    return null;
  }
}
