/** Lossless restarts and stops: the holdfast SDK for Node. All times are in milliseconds. */
import { Server } from 'node:http';
import { Socket } from 'node:net';

export type Stage = 'lame-duck' | 'pause' | 'drain' | 'run' | 'cancel' | 'released';
export type Callback<Result = unknown> = () => Result | PromiseLike<Result>;

/** The periods apply to a standalone worker; a supervisor sends its own. Environment variables override all options. */
export interface WorkerOptions {
  lameDuck?: number; // 0
  gracePeriod?: number; // 30000
  cancelPeriod?: number; // 5000
  /** How long an idle connection stays readable after the drain begins. 0 loses requests. */
  keepAliveMin?: number; // 1000
  /** Address at which a thread of the SDK serves /livez and /readyz: "127.0.0.1:9901". */
  health?: string;
  /**
   * What a worker without a supervisor does after its last deadline if something is still held. 'end-process' (default):
   * the report is written and the process ends with status 3. 'return-status': wait() resolves to 3.
   */
  giveUp?: 'end-process' | 'return-status';
}

export interface TaskOptions {
  /** 'at-ready' (default): the task starts at ready(). 'now': at once, for a warm-up. */
  start?: 'at-ready' | 'now';
  /** What follows a rejection. 'stop' (default): the worker stops as after stop(). 'abort': SIGABRT. */
  onError?: 'stop' | 'ignore' | 'abort';
  /** A task that ends before it was asked to is named on stderr; 'required': the worker stops; 'finite': it is meant to. */
  need?: 'optional' | 'required' | 'finite';
}

/** A listening socket that other processes share. */
export interface Listener {
  readonly handle: number;
  readonly name: string;
  /** The address that it is bound to: "127.0.0.1:8080", "unix:/run/app.sock". */
  readonly address: string;
  readonly isInherited: boolean;
}

/** A request in flight, counted until end(). Further calls of end() do nothing. */
export interface Request {
  end(): void;
}

export interface Session {
  /** Aborted when the session is asked to leave. */
  readonly signal: AbortSignal;
  /** Changes the name that people see. */
  setName(name: string): void;
  /** Changes the time that the session has from when it is asked to leave, or was. */
  setLeaveWithin(milliseconds: number): void;
  end(): void;
}

export interface Work {
  /** Claims the item before a step that must not happen twice. It stays held. False: handed back, do not commit. */
  claim(): boolean;
  /** Claims the item as claim() does, and releases it; call it when the item is done. */
  finish(): boolean;
  /** Releases the item, and hands it back unless it was claimed. It stays held until handBack is done. */
  drop(): void;
}

/** A user of a resource. */
export type User = number | { readonly number: number };

/** All users of one kind, present and future. */
export const everyone: { readonly requests: User; readonly sessions: User; readonly work: User; readonly tasks: User };

export interface Resource {
  readonly number: number;
  /** The resource is closed only after all `users` have been released. Throws if this creates a dependency cycle. */
  usedBy(...users: User[]): this;
  /** Timeout of its close, 5000 by default. After it, the drain reports the resource by name and continues. */
  within(milliseconds: number): this;
}

export interface Report {
  stage: 'run' | 'lame-duck' | 'pause' | 'drain' | 'cancel';
  /** Time until the stage's deadline; missing while serving. */
  remaining?: number;
  requests: number;
  sessions: number;
  tasks: number;
  work: number;
  resources: number;
  served: number;
  handedBack: number;
  /** Items of work whose handBack failed; the exit status is then 3. */
  lost: number;
  /** What has failed, in words: tasks and hand-backs. */
  failed: string[];
  /** The report as text, several lines. */
  text: string;
  /** The 16 oldest of each kind. */
  waiting: { kind: string; name: string; age: number }[];
}

/**
 * This process as a worker of its supervisor. A worker handles SIGTERM and SIGINT until wait() resolves (so add no
 * listener for them). Create it first, in the main thread; a process can have only one. Errors have a `code` and a
 * message that says what to do. Callbacks may be async: the SDK waits for their promise, and reports exceptions and
 * rejections by name.
 */
export class Worker {
  constructor(options?: WorkerOptions);

  /** Adds a callback for a stage. Call it before ready(). The callback gets the time left; undefined: no deadline. */
  on(stage: Stage, callback: (remaining: number | undefined) => unknown): this;
  /**
   * All that pause, run and drain need of a program that accepts by itself, without serve() and acceptOn(). `stop` is
   * called at a pause, and at a drain unless it was called before; `start` when that is taken back.
   */
  accepts(stop: (remaining: number | undefined) => unknown, start: (remaining: number | undefined) => unknown): this;

  /**
   * Returns the inherited listener with that name, or one without a name that is bound to the address or is the only
   * one. A process that inherited nothing and has no supervisor binds the address; any other throws if there is none.
   */
  listen(name: string, address: string): Listener;
  /** Returns an inherited listener by name or address; without an argument the only one. Never binds. */
  listener(nameOrAddress?: string): Listener;

  /**
   * Serves HTTP on a listener, in place of server.listen(): accepts, counts connections and requests, adds
   * "Connection: close" during a drain, and closes idle connections so that no request is lost. A request is counted
   * until its response is closed and its handler, if it is async, has ended. A handler that fails is written to stderr
   * and answered with 500.
   */
  serve(server: Server, name: string, address: string): Listener;
  /** The session of a connection that serve() accepted, for example of request.socket after an upgrade. Do not end it. */
  sessionOf(socket: Socket): Session | undefined;
  /** For other protocols: accepts on a thread of the SDK. The callback owns `fd`, and ends the session with it. */
  acceptOn(listener: Listener, accepted: (fd: number, connection: Session) => void): void;

  /** Counts a request; the drain waits for it. */
  request(name: string): Request;
  /** Begins a session: something that lasts longer than a request. It is asked to leave when the drain begins. */
  session(name: string, leaveWithin?: number): Session;
  /** Holds an item of work. handBack is called if it is dropped, or is still held at the cancel. */
  work(name: string, handBack: Callback): Work;
  /** Runs `task` from ready() on; the drain aborts the signal and waits for the promise. */
  startTask(name: string, task: (stop: AbortSignal) => unknown, options?: TaskOptions): User;
  /** Adds a resource. The drain calls `close` when nothing uses the resource any more. */
  resource(name: string, close: Callback): Resource;
  /** Adds a resource that all kinds use, and that is closed after all resources added later. */
  closeLast(name: string, close: Callback): Resource;

  /** Reports that the worker is serving. A second call throws. */
  ready(): void;
  /** Requests a stop; the same as SIGTERM. */
  stop(): void;
  /** Resolves to 0, or 3 if something was held, once all is released: `process.exit(await worker.wait())`. */
  wait(): Promise<number>;

  /** Aborted at the cancel, when the grace period is over: pass it to what a handler waits for. */
  readonly cancelled: AbortSignal;
  /** Whether this process is leaving. */
  readonly draining: boolean;
  readonly isSupervised: boolean;
  readonly keepAliveMin: number;
  /** Time until the stage's deadline; undefined while serving. */
  readonly remaining: number | undefined;
  /** Returns what is held now. */
  report(): Report;
}

export const version: string;
