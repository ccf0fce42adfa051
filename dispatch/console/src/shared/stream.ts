// Server-sent events over fetch (EventSource can send no bearer token), with catch-up and back-off.

import { problemOf } from "./api";

export interface Frame {
  event: string;
  data: unknown;
  id: string | null;
}

export type StreamState = "connecting" | "open" | "lost";

export interface StreamOptions {
  /** asked at every (re)connection */
  token: () => string | null;
  onFrame: (frame: Frame) => void;
  onState?: (state: StreamState) => void;
  /** the service refused (an expired session, a ride that is over): the stream ends; otherwise it goes on for ever */
  onRefused?: (error: unknown) => void;
  /** Last-Event-ID of the first connection */
  lastId?: string;
  /** no byte for so long: the connection is taken for dead */
  silentMs?: number;
}

export interface Stream {
  close(): void;
  /** id of the last event that had one */
  readonly lastId: string | null;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Follow a stream of the API until closed; lost connections are taken up again from the last event's id on. */
export function follow(path: string, options: StreamOptions): Stream {
  let lastId = options.lastId ?? null;
  let closed = false;
  let wait = FIRST_WAIT_MS;
  let aborting = new AbortController();
  let wake: (() => void) | null = null;
  const say = (state: StreamState) => {
    if (!closed) options.onState?.(state);
  };
  const online = () => wake?.();
  // the browser knows at once what would else be noticed only by silence
  const offline = () => aborting.abort();
  window.addEventListener("online", online);
  window.addEventListener("offline", offline);

  const connect = async (): Promise<void> => {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    const token = options.token();
    if (token) headers["Authorization"] = `Bearer ${token}`;
    if (lastId !== null) headers["Last-Event-ID"] = lastId;
    const response = await fetch(path, { headers, signal: aborting.signal, credentials: "omit", cache: "no-store" });
    if (!response.ok) {
      const problem = await problemOf(response);
      // 4xx will be refused again; too many calls and a service that starts will not
      if (problem.status < 500 && problem.status !== 429) throw new Refused(problem);
      throw problem;
    }
    say("open");
    wait = FIRST_WAIT_MS;
    const parser = new FrameParser((frame) => {
      if (frame.id !== null) lastId = frame.id;
      if (!closed) options.onFrame(frame);
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const silentMs = options.silentMs ?? 30_000;
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = window.setTimeout(() => aborting.abort(), silentMs);
    };
    try {
      for (alive(); ; alive()) {
        const { done, value } = await reader.read();
        if (done) return;
        parser.push(value);
      }
    } finally {
      clearTimeout(watchdog);
    }
  };

  const run = async (): Promise<void> => {
    while (!closed) {
      say("connecting");
      aborting = new AbortController();
      try {
        await connect();
      } catch (error) {
        if (error instanceof Refused) {
          say("lost");
          if (!closed) options.onRefused?.(error.problem);
          break;
        }
      }
      if (closed) break;
      say("lost");
      const pause = wait * (0.5 + Math.random() / 2);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      await new Promise<void>((resolve) => {
        const timer = window.setTimeout(resolve, pause);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      wake = null;
    }
    window.removeEventListener("online", online);
    window.removeEventListener("offline", offline);
  };
  void run();
  return {
    close() {
      closed = true;
      aborting.abort();
      wake?.();
    },
    get lastId() {
      return lastId;
    },
  };
}

class Refused extends Error {
  readonly problem: unknown;
  constructor(problem: unknown) {
    super("refused");
    this.problem = problem;
  }
}

/** Pieces of text to frames, as the standard reads them. Data that is no JSON is passed over. */
export class FrameParser {
  #rest = "";
  #event = "";
  #id: string | null = null;
  #data: string[] = [];
  readonly #onFrame: (frame: Frame) => void;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  #line(line: string): void {
    if (line === "") {
      this.#end();
      return;
    }
    if (line.startsWith(":")) return;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    else if (field === "id") this.#id = value;
    else if (field === "data") this.#data.push(value);
  }

  #end(): void {
    const [event, id, data] = [this.#event || "message", this.#id, this.#data.join("\n")];
    this.#event = "";
    this.#id = null;
    this.#data = [];
    if (data === "") return;
    let read: unknown;
    try {
      read = JSON.parse(data);
    } catch {
      return;
    }
    this.#onFrame({ event, data: read, id });
  }
}
