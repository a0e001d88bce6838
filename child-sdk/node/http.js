'use strict';
// Connections of an http.Server that the worker accepted. Ends them without losing a request, by the rules of
// keep_alive.hpp.

const net = require('node:net');
const { native, settle } = require('./native.js');

const linger = 1000; // ms to wait for the client to close after us
const recheckDelay = 5; // ms until the event loop has read what the kernel holds

class HttpConnection {
  constructor(owner, socket, fd, session) {
    this.owner = owner;
    this.socket = socket;
    this.fd = fd;
    this.session = undefined; // an object for the program, if it asked for one
    this.responses = new Set();
    this.isFinishing = false;
    this.becomeIdle();
    socket.once('close', () => {
      clearTimeout(this.timer);
      owner.connections.delete(socket);
      if (this.session === undefined) native.endSession(session);
      else this.session.end();
    });
    this.makeSession = (Session) => new Session(session);
    socket.destroySoon = () => this.finish(); // called by http after a response with "Connection: close"
  }

  begin(response) {
    clearTimeout(this.timer);
    this.responses.add(response);
    if (this.owner.saysClose) response.shouldKeepAlive = false;
    response.once('close', () => {
      this.responses.delete(response);
      this.becomeIdle();
    });
  }

  sessionAs(Session) {
    this.session ??= this.makeSession(Session);
    return this.session;
  }

  // Called when no response is in progress.
  becomeIdle() {
    if (this.isFinishing) return; // the timer ends the linger, and must not be cleared
    this.idleSince = performance.now();
    this.bytesAtRest = this.socket.bytesRead;
    this.updateIdleTimer();
  }

  // Called when the drain begins, or is taken back.
  updateIdleTimer() {
    if (this.isFinishing) return;
    clearTimeout(this.timer);
    for (const response of this.responses) {
      if (this.owner.saysClose && !response.headersSent) response.shouldKeepAlive = false;
    }
    if (this.owner.leavingSince !== undefined) this.scheduleCheck(this.owner.idleDeadline(this.idleSince));
  }

  scheduleCheck(deadline) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.closeIfIdle(), Math.max(0, deadline - performance.now()));
  }

  closeIfIdle() {
    const { socket } = this;
    if (this.responses.size > 0 || socket.destroyed || socket.bytesRead !== this.bytesAtRest) return;
    if (native.hasBytes(this.fd)) this.scheduleCheck(performance.now() + recheckDelay);
    else this.finish();
  }

  finish() {
    if (this.isFinishing) return;
    this.isFinishing = true;
    clearTimeout(this.timer);
    this.socket.removeAllListeners('data');
    this.socket.on('data', () => {}); // reads further input without serving it: no response could be sent
    this.socket.end(); // closes the sending half; the socket is destroyed when the client has closed as well
    this.timer = setTimeout(() => this.socket.destroy(), linger);
  }
}

// Whether a handler failed only because its connection has gone: its streams say so, or what it waited for was aborted.
function saysGone(error) {
  return ['ABORT_ERR', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(error?.code);
}

// Ends the response of a handler that has failed.
function fail(response) {
  if (response.headersSent) response.destroy();
  else response.writeHead(500, { Connection: 'close' }).end();
}

class HttpConnections {
  constructor(worker, server) {
    this.worker = worker;
    this.server = server;
    this.keepAliveMin = worker.keepAliveMin;
    this.connections = new Map();
    const { emit } = server;
    server.emit = (event, ...values) => (event === 'request' ? this.handle(...values) : emit.call(server, event, ...values));
  }

  adopt(fd, session) {
    const socket = new net.Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
    this.connections.set(socket, new HttpConnection(this, socket, fd, session));
    socket.setNoDelay(true);
    socket.server = this.server;
    this.server.emit('connection', socket);
  }

  // Emits 'request'. The request is counted until its response is closed and every handler that is async has ended: a
  // handler goes on working, with what the worker may not close yet, after its client has gone.
  handle(request, response) {
    const handlers = this.server.rawListeners('request');
    if (handlers.length === 0) return false;
    const counted = this.count(request, response);
    if (counted === undefined) return true;
    this.connections.get(request.socket)?.begin(response);
    const closed = new Promise((resolve) => { response.once('close', resolve); });
    const handled = handlers.map(async (handler) => {
      const error = await settle(() => this.run(handler, request, response));
      if (error !== undefined) fail(response);
    });
    Promise.all([closed, ...handled]).then(() => counted.end());
    return true;
  }

  // That a connection has gone is no failure of its handler.
  async run(handler, request, response) {
    try {
      await handler.call(this.server, request, response);
    } catch (error) {
      if (!request.socket.destroyed || !saysGone(error)) throw error;
    }
  }

  // A request that comes after the release has begun, on a connection that is overdue, is refused.
  count(request, response) {
    try {
      return this.worker.request(`${request.method} ${request.url}`);
    } catch {
      response.shouldKeepAlive = false;
      response.writeHead(503).end();
      return undefined;
    }
  }

  get saysClose() {
    return this.keepAliveMin > 0 && this.worker.draining;
  }

  idleDeadline(idleSince) {
    if (this.keepAliveMin === 0) return this.leavingSince;
    return Math.max(this.leavingSince, idleSince) + this.keepAliveMin;
  }

  leave() {
    this.leavingSince ??= performance.now();
    for (const connection of this.connections.values()) connection.updateIdleTimer();
  }

  stay() {
    this.leavingSince = undefined;
    for (const connection of this.connections.values()) connection.updateIdleTimer();
  }

  abandon() {
    for (const socket of this.connections.keys()) socket.destroy();
  }
}

module.exports = { HttpConnections };
