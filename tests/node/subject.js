'use strict';
// A worker for the tests: `subject.js KIND`. Each kind is one behaviour, which prints a line for each event.

const http = require('node:http');
const path = require('node:path');
const { writeSync } = require('node:fs');
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

  taskFails(worker) {
    worker.startTask('consumer', async () => {
      await soon();
      throw new RangeError('the queue is gone');
    });
  },

  child() {
    const listed = spawnSync('env', { encoding: 'utf8' }).stdout;
    emit(`a child sees the control pipe: ${listed.includes('HOLDFAST_CONTROL')}`);
  },
};

const worker = new Worker();
kinds[process.argv[2]](worker);
worker.ready();
worker.wait().then((status) => setImmediate(() => process.exit(status)));
