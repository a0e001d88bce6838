'use strict';
// The worker of a Node program. Documented in index.d.ts.

const { native, keep, forget, dispatch, settle, complete, answering } = require('./native.js');
const { HttpConnections } = require('./http.js');

const everyone = Object.freeze({ requests: 1, sessions: 2, work: 3, tasks: 4 });

// Returns the number of an option's value, as holdfast.h counts them.
function choice(what, name, value, values) {
  const number = value === undefined ? 0 : values.indexOf(value);
  if (number >= 0) return number;
  throw Object.assign(new Error(`cannot ${what}: ${name} is ${value}; use one of ${values.join(', ')}`),
    { code: 'EINVAL' });
}

class Request {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  end() {
    native.endRequest(this.#handle);
    this.#handle = 0;
  }
}

class Session {
  #handle;
  #key;
  #leave = new AbortController();

  constructor(handle) {
    this.#handle = handle;
    this.#key = keep(() => this.#leave.abort());
    native.onLeave(handle, this.#key);
  }

  get signal() {
    return this.#leave.signal;
  }

  setName(name) {
    native.setSessionName(this.#handle, name);
  }

  setLeaveWithin(milliseconds) {
    native.setLeaveWithin(this.#handle, milliseconds);
  }

  end() {
    native.endSession(this.#handle);
    this.#handle = 0;
    forget(this.#key);
  }
}

class Work {
  #handle;
  #key;

  constructor(name, handBack) {
    this.#key = keep((argument, call) => {
      forget(this.#key);
      answering(handBack)(argument, call);
    });
    this.#handle = native.holdWork(name, this.#key);
  }

  claim() {
    return native.claimWork(this.#handle);
  }

  finish() {
    const handle = this.#handle;
    this.#handle = 0;
    const finished = native.finishWork(handle);
    if (finished) forget(this.#key);
    return finished;
  }

  drop() {
    native.dropWork(this.#handle);
    this.#handle = 0;
  }
}

class Resource {
  constructor(number) {
    this.number = number;
  }

  usedBy(...users) {
    for (const user of users) native.usedBy(this.number, typeof user === 'number' ? user : user.number);
    return this;
  }

  within(milliseconds) {
    native.closeWithin(this.number, milliseconds);
    return this;
  }
}

class Worker {
  #over;
  #http = [];
  #cancel = new AbortController();

  constructor(options = {}) {
    const giveUp = choice('create a Worker', 'giveUp', options.giveUp, ['end-process', 'return-status']);
    native.create(options, options.health, dispatch, giveUp);
    this.on('cancel', () => this.#cancel.abort());
  }

  accepts(stop, start) {
    const callbacks = [stop, start].map((callback) => keep(this.#stageCallback(callback)));
    native.accepts(...callbacks);
    return this;
  }

  on(stage, callback) {
    native.on(stage, keep(this.#stageCallback(callback)));
    return this;
  }

  #stageCallback(callback) {
    return answering((left) => callback(left < 0 ? undefined : left));
  }

  listen(name, address) {
    return native.listen(name, address);
  }

  listener(nameOrAddress) {
    return native.takeListener(nameOrAddress);
  }

  acceptOn(listener, accepted) {
    const accept = (fd, session) => settle(accepted, fd, new Session(session));
    native.startAcceptor(listener.handle, keep(accept));
  }

  serve(server, name, address) {
    const listener = this.listen(name, address);
    const connections = new HttpConnections(this, server);
    this.#http.push(connections);
    native.startAcceptor(listener.handle, keep((fd, session) => connections.adopt(fd, session)));
    this.on('drain', () => connections.leave());
    this.on('run', () => connections.stay());
    this.on('cancel', () => connections.abandon());
    server.emit('listening'); // starts the checks of headersTimeout and requestTimeout
    return listener;
  }

  sessionOf(socket) {
    for (const { connections } of this.#http) {
      if (connections.has(socket)) return connections.get(socket).sessionAs(Session);
    }
    return undefined;
  }

  request(name) {
    return new Request(native.beginRequest(name));
  }

  session(name, leaveWithin) {
    return new Session(native.beginSession(name, leaveWithin));
  }

  work(name, handBack) {
    return new Work(name, handBack);
  }

  startTask(name, task, options = {}) {
    const stop = new AbortController();
    const start = choice('start a task', 'start', options.start, ['at-ready', 'now']);
    const onError = choice('start a task', 'onError', options.onError, ['stop', 'ignore', 'abort']);
    const need = choice('start a task', 'need', options.need, ['optional', 'required', 'finite']);
    const begin = (call) => settle(task, stop.signal).then((error) => {
      forget(key);
      complete(call, error);
    });
    const key = keep((isStop, call) => (isStop ? stop.abort() : begin(call)));
    return { number: native.startTask(name, key, start, onError, need) };
  }

  resource(name, close) {
    return new Resource(native.resource(name, keep(answering(close))));
  }

  closeLast(name, close) {
    return new Resource(native.closeLast(name, keep(answering(close))));
  }

  ready() {
    native.ready();
  }

  stop() {
    native.stop();
  }

  wait() {
    this.#over ??= new Promise((resolve, reject) => {
      native.wait(keep((status) => {
        native.over();
        if (status >= 0) resolve(status);
        else reject(new Error(`cannot wait: errno ${-status}`));
      }));
    });
    return this.#over;
  }

  get cancelled() {
    return this.#cancel.signal;
  }

  get draining() {
    return native.draining();
  }

  get isSupervised() {
    return native.isSupervised();
  }

  get keepAliveMin() {
    return native.keepAliveMin();
  }

  get remaining() {
    const left = native.remaining();
    return left < 0 ? undefined : left;
  }

  report() {
    return native.report();
  }
}

module.exports = { Worker, everyone, version: native.version() };
