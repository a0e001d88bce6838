/** Restarts and stops that lose nothing: the holdfast SDK for Node. All times are milliseconds. */
import { Server } from 'node:http';

export type Stage = 'lame-duck' | 'pause' | 'drain' | 'run' | 'cancel' | 'released';
export type Callback<Result = unknown> = () => Result | PromiseLike<Result>;

/** The deadlines are those of a worker that stands alone; a supervisor gives its own. The environment wins. */
export interface WorkerOptions {
  lameDuck?: number; // 0
  gracePeriod?: number; // 30000
  cancelPeriod?: number; // 5000
  /** How long an idle connection stays readable after the worker began to leave. 0 loses requests. */
  keepAliveMin?: number; // 1000
  /** Where /livez and /readyz are served, "127.0.0.1:9901", by a thread of the SDK. */
  health?: string;
}

/** A listening socket that other processes share. */
export interface Listener {
  readonly handle: number;
  readonly name: string;
  /** What it is bound to: "127.0.0.1:8080", "unix:/run/app.sock". */
  readonly address: string;
  readonly isInherited: boolean;
}

/** Counted until end(); again: nothing happens. */
export interface Request {
  end(): void;
}

export interface Session {
  /** Aborted when the session is told to leave. */
  readonly signal: AbortSignal;
  end(): void;
}

export interface Work {
  /** Before what cannot be done twice; it is held on. False: it was handed back meanwhile, do not commit. */
  claim(): boolean;
  /** claim(), and lets go of it: when all is done. */
  finish(): boolean;
  /** Lets go of it, and hands it back unless it was claimed. */
  drop(): void;
}

/** Who may use a resource. */
export type User = number | { readonly number: number };

/** Everything of a kind, now and later. */
export const everyone: { readonly requests: User; readonly sessions: User; readonly work: User; readonly tasks: User };

export interface Resource {
  readonly number: number;
  /** Closed only after all of them were released. Throws, naming the circle, if that makes one. */
  usedBy(...users: User[]): this;
  /** How long its close may take before it is named and the drain goes on: 5000. */
  within(milliseconds: number): this;
}

export interface Report {
  stage: 'run' | 'lame-duck' | 'pause' | 'drain' | 'cancel';
  /** Until the stage's deadline; missing while serving. */
  remaining?: number;
  requests: number;
  sessions: number;
  tasks: number;
  work: number;
  resources: number;
  served: number;
  handedBack: number;
  /** For a person, a line each. */
  text: string;
  /** The 16 oldest of each kind. */
  waiting: { kind: string; name: string; age: number }[];
}

/**
 * This process, as its supervisor knows it; alone it takes SIGTERM and SIGINT (so add no listener for them). Make it
 * first, in the main thread; a process has one. What is wrong throws an Error with `code` and a message that says what to
 * do. Callbacks may be async: the SDK waits for their promise, and reports what they throw by name.
 */
export class Worker {
  constructor(options?: WorkerOptions);

  /** Adds a callback for a stage, before ready(). It gets the time that is left, undefined without a deadline. */
  on(stage: Stage, callback: (remaining: number | undefined) => unknown): this;

  /** The inherited listener of that name or address, or the only one; alone, one that is bound here. */
  listen(name: string, address: string): Listener;
  /** An inherited listener; without an argument the only one. Never binds. */
  listener(nameOrAddress?: string): Listener;

  /**
   * Serves HTTP on a listener, in place of server.listen(): accepts, counts connections and requests, says
   * "Connection: close" while leaving, and ends idle connections so that no request is lost.
   */
  serve(server: Server, name: string, address: string): Listener;
  /** For other protocols: accepts on a thread of the SDK. `fd` is the callee's; the session ends with the connection. */
  acceptOn(listener: Listener, accepted: (fd: number, connection: Session) => void): void;

  /** Counts a request; the drain waits for it. */
  request(name: string): Request;
  /** Something longer than a request; it is told to leave when the drain begins. */
  session(name: string, leaveWithin?: number): Session;
  /** An item of work; handBack is called if it is dropped, or still held at the cancel. */
  work(name: string, handBack: Callback): Work;
  /** Runs at once; the drain aborts the signal and waits for the promise. A rejection is an uncaught exception. */
  startTask(name: string, task: (stop: AbortSignal) => unknown): User;
  /** `close` is called in the drain, when nothing uses the resource any more. */
  resource(name: string, close: Callback): Resource;
  /** The short form: used by everything, closed after all that was added later. */
  closeLast(name: string, close: Callback): Resource;

  /** Serving from now on. Once. */
  ready(): void;
  /** The same as SIGTERM. */
  stop(): void;
  /** The exit status, 0 or 3 (something was still held), when all is released: `process.exit(await worker.wait())`. */
  wait(): Promise<number>;

  /** Whether this process is to leave. */
  readonly draining: boolean;
  readonly isSupervised: boolean;
  readonly keepAliveMin: number;
  /** Until the stage's deadline; undefined while serving. */
  readonly remaining: number | undefined;
  /** What is held now. */
  report(): Report;
}

export const version: string;
