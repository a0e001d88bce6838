'use strict';
// A worker for the tests: `subject.js KIND`. Each kind is one behaviour, which prints a line for each event.

const http = require('node:http');
const path = require('node:path');
const { closeSync, writeSync } = require('node:fs');
const { setImmediate: soon } = require('node:timers/promises');
const { once } = require('node:events');
const { spawnSync } = require('node:child_process');
const { Worker, everyone } = require(path.join(process.env.HOLDFAST_SOURCE ?? path.join(__dirname, '../..'),
  'child-sdk/node/index.js'));

const emit = (line) => writeSync(1, `${line}\n`);
const codeOf = (action) => {
  try {
    action();
    return 'none';
  } catch (error) {
    return error.message === '' ? 'no message' : error.code;
  }
};

const kinds = {
  stages(worker) {
    for (const stage of ['lame-duck', 'pause', 'cancel', 'released']) worker.on(stage, () => emit(stage));
    worker.on('run', (left) => emit(`run, ${left}`));
    worker.on('drain', async (left) => {
      await soon();
      emit(`drain, ${left > 0 ? 'some time' : 'no time'}, ${worker.draining}`);
    });
    const session = worker.session('stream');
    session.signal.addEventListener('abort', () => {
      emit('leave');
      session.end();
    });
  },

  resources(worker) {
    const task = worker.startTask('consumer', async (stop) => {
      emit('task runs');
      await once(stop, 'abort');
      emit('task stops');
    });
    const pool = worker.resource('pool', async () => {
      await soon();
      emit('pool closed');
    }).usedBy(task, everyone.requests).within(2000);
    const cache = worker.resource('cache', () => emit('cache closed')).usedBy(pool);
    emit(`cycle: ${codeOf(() => pool.usedBy(cache))}`);
  },

  work(worker) {
    worker.work('dropped', () => emit('dropped')).drop();
    emit(`finish ${worker.work('finished', () => emit('finished?')).finish()}`);
    const held = worker.work('held', () => emit('handed back'));
    worker.wait().then(() => emit(`finish ${held.finish()}, handed back ${worker.report().handedBack}`));
  },

  misuse(worker) {
    worker.ready = () => {
      Worker.prototype.ready.call(worker);
      emit(`ready twice: ${codeOf(() => Worker.prototype.ready.call(worker))}`);
      emit(`unknown listener: ${codeOf(() => worker.listener('admin'))}`);
      emit(`unknown stage: ${codeOf(() => worker.on('moon', () => {}))}`);
      emit(`second worker: ${codeOf(() => new Worker())}`);
      const request = worker.request('GET /');
      emit(`held: ${worker.report().waiting.map((held) => `${held.kind} ${held.name}`)}`);
      request.end();
      request.end();
      worker.stop();
    };
    worker.wait().then(() => emit(`request after the release: ${codeOf(() => worker.request('GET /'))}`));
  },

  stuck(worker) {
    worker.request('GET /stuck');
  },

  http(worker) {
    worker.serve(http.createServer((request, response) => {
      console.error(`served ${request.url}`);
      response.end();
    }), 'http', ':0');
  },

  // The event loop hangs from the drain on.
  busy(worker) {
    worker.request('GET /busy');
    worker.on('drain', () => { for (;;); });
  },

  raises(worker) {
    worker.on('drain', () => { throw new TypeError('no drain today'); });
    worker.closeLast('database', async () => {
      await soon();
      throw new Error('the disk is full');
    });
  },

  accepts(worker) {
    worker.accepts(async () => {
      await soon();
      emit('stop');
    }, () => emit('start'));
  },

  // The task fails; what follows depends on the policy.
  taskFails(worker, onError) {
    worker.startTask('consumer', async () => {
      await soon();
      throw new RangeError('the queue is gone');
    }, { onError });
    worker.wait().then(() => emit(worker.report().failed.join()));
  },

  taskReturns(worker, need) {
    worker.startTask('consumer', () => emit('task runs'), { need });
  },

  // A task that starts now runs before the worker is ready, the others run after it.
  async warmUp(worker) {
    worker.startTask('consumer', () => emit('consumer'), { need: 'finite' });
    await new Promise((resolve) => {
      worker.startTask('warm-up', () => {
        emit('warm-up');
        resolve();
      }, { start: 'now', need: 'finite' });
    });
    emit('is ready');
  },

  // An item that is dropped is held until its hand-back is done, and lost if that fails.
  async lost(worker) {
    let giveBack;
    const begun = new Promise((resolve) => {
      worker.work('job 7', () => new Promise((_, reject) => {
        giveBack = reject;
        resolve();
      })).drop();
    });
    await begun;
    emit(`held ${worker.report().work}`);
    giveBack(new Error('the queue is gone'));
    worker.wait().then(() => {
      const { lost, handedBack, failed } = worker.report();
      emit(`lost ${lost}, handed back ${handedBack}, ${failed}`);
    });
  },

  sessions(worker) {
    const session = worker.session('connection');
    session.setName('GET /chat');
    session.setLeaveWithin(0);
    emit(worker.report().waiting.map((held) => held.name).join());
    session.signal.addEventListener('abort', () => setImmediate(() => session.end()));
  },

  // Callbacks of all kinds fail: none ends the process.
  rejects(worker) {
    worker.on('pause', async () => {
      emit('pause');
      throw new Error('no pause');
    });
    worker.accepts(() => Promise.reject(new Error('no stop')), () => {});
    worker.acceptOn(worker.listener('http'), async (fd, connection) => {
      connection.end();
      closeSync(fd);
      await soon();
      emit('accepted');
      throw new Error('no connection');
    });
  },

  // A handler goes on after its client has gone: its request is counted until it has ended.
  handler(worker) {
    let handled;
    const server = http.createServer(async (request, response) => {
      if (request.url === '/fail') throw new Error('no answer');
      if (request.url === '/body') {
        request.once('close', () => setImmediate(() => emit('the client has gone')));
        for await (const part of request) emit(`body ${part.length}`);
      }
      if (request.url === '/late') {
        response.write('some');
        await soon();
        throw new Error('no more');
      }
      emit(`sessions ${worker.sessionOf(request.socket) !== undefined}`);
      request.socket.once('close', () => setImmediate(() => {
        emit(`requests ${worker.report().requests}, cancelled ${worker.cancelled.aborted}`);
        handled();
      }));
      await new Promise((resolve) => { handled = resolve; });
      await soon();
      setImmediate(() => emit(`requests ${worker.report().requests}`));
    });
    worker.serve(server, 'http', ':0');
  },

  // SIGTERM has its previous effect again once everything is released.
  signalAfterwards(worker) {
    worker.wait().then(() => process.kill(process.pid, 'SIGTERM'));
    worker.wait = () => new Promise(() => {});
    setInterval(() => {}, 1000);
  },

  // main() has added a listener of the program's own before there was a worker.
  listenerAfterwards(worker) {
    kinds.signalAfterwards(worker);
  },

  child() {
    const listed = spawnSync('env', { encoding: 'utf8' }).stdout;
    emit(`a child sees the control pipe: ${listed.includes('HOLDFAST_CONTROL')}`);
  },
};

async function main() {
  const [,, kind, ...options] = process.argv;
  if (kind === 'listenerAfterwards') {
    process.on('SIGTERM', () => {
      emit('the listener was called');
      process.exit(7);
    });
  }
  const worker = new Worker();
  await kinds[kind](worker, ...options);
  worker.ready();
  worker.wait().then((status) => setImmediate(() => process.exit(status)));
}

main();
