'use strict';
// The worker of a Node program. Documented in index.d.ts.

const { native, keep, forget, dispatch, answering } = require('./native.js');
const { HttpConnections } = require('./http.js');

const everyone = Object.freeze({ requests: 1, sessions: 2, work: 3, tasks: 4 });

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

  constructor(options = {}) {
    native.create(options, options.health, dispatch);
  }

  on(stage, callback) {
    native.on(stage, keep(answering((left) => callback(left < 0 ? undefined : left))));
    return this;
  }

  listen(name, address) {
    return native.listen(name, address);
  }

  listener(nameOrAddress) {
    return native.takeListener(nameOrAddress);
  }

  acceptOn(listener, accepted) {
    const accept = (fd, session) => accepted(fd, new Session(session));
    native.startAcceptor(listener.handle, keep(accept));
  }

  serve(server, name, address) {
    const listener = this.listen(name, address);
    const connections = new HttpConnections(this, server);
    native.startAcceptor(listener.handle, keep((fd, session) => connections.adopt(fd, session)));
    this.on('drain', () => connections.leave());
    this.on('run', () => connections.stay());
    this.on('cancel', () => connections.abandon());
    server.emit('listening'); // starts the checks of headersTimeout and requestTimeout
    return listener;
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

  startTask(name, task) {
    const stop = new AbortController();
    const begin = async (call) => {
      try {
        await task(stop.signal);
      } catch (error) {
        setImmediate(() => { throw error; });
      } finally {
        native.complete(call, '');
      }
    };
    const key = keep((isStop, call) => (isStop ? stop.abort() : begin(call)));
    return { number: native.startTask(name, key) };
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
