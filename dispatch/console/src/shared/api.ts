// Calls to /v1 of the service that served this page. No other origin is ever called.

import type { ProblemDetail } from "./types";

const TIMEOUT_MS = 15_000;

/** The service answered, and said no. `code` is stable; `problems.ts` has its words in both languages. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: readonly string[];
  /** seconds after which to ask again, where the service says so */
  readonly retryAfter: number | null;

  constructor(detail: Partial<ProblemDetail>, status: number, retryAfter: number | null) {
    super(detail.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = detail.code ?? "defect";
    this.fields = detail.fields ?? [];
    this.retryAfter = retryAfter;
  }
}

/** The service could not be reached, or did not answer in time. The call may or may not have been done. */
export class Unreachable extends Error {}

export interface CallOptions {
  token?: string | null;
  body?: unknown;
  /** Idempotency-Key: the same key and body again is the same call. */
  key?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
}

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** One call; its answer as JSON. Throws ApiProblem or Unreachable. */
export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  return (await response.json()) as T;
}

/** One call; its answer as text (reports, logs). Throws as `call` does. */
export async function callText(method: Method, path: string, options: CallOptions = {}): Promise<string> {
  return (await send(method, path, options)).text();
}

async function send(method: Method, path: string, options: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (options.token) headers["Authorization"] = `Bearer ${options.token}`;
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.key !== undefined) headers["Idempotency-Key"] = options.key;
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      credentials: "omit",
      cache: "no-cache",
      redirect: "error",
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Unreachable("unreachable");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** What a refusing answer says. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const after = Number(response.headers.get("Retry-After"));
  let detail: Partial<ProblemDetail> = {};
  try {
    detail = (await response.json()) as ProblemDetail;
  } catch {
    // not problem+json: something between us and the service has answered
    detail = { code: response.status >= 500 ? "store_down" : "bad_request" };
  }
  return new ApiProblem(detail, response.status, Number.isFinite(after) && after > 0 ? after : null);
}
