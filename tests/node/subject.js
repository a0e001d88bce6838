'use strict';
// A worker for the tests: `subject.js KIND`. Each kind is one behaviour; what it does it prints, a line each.

const http = require('node:http');
const path = require('node:path');
const { writeSync } = require('node:fs');
const { setImmediate: soon } = require('node:timers/promises');
const { once } = require('node:events');
const { spawnSync } = require('node:child_process');
const { Worker, everyone } = require(path.join(process.env.HOLDFAST_SOURCE ?? path.join(__dirname, '../..'),
  'child-sdk/node/index.js'));

const say = (word) => writeSync(1, `${word}\n`);
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
    for (const stage of ['lame-duck', 'pause', 'cancel', 'released']) worker.on(stage, () => say(stage));
    worker.on('run', (left) => say(`run, ${left}`));
    worker.on('drain', async (left) => {
      await soon();
      say(`drain, ${left > 0 ? 'some time' : 'no time'}, ${worker.draining}`);
    });
    const session = worker.session('stream');
    session.signal.addEventListener('abort', () => {
      say('leave');
      session.end();
    });
  },

  resources(worker) {
    const task = worker.startTask('consumer', async (stop) => {
      say('task runs');
      await once(stop, 'abort');
      say('task stops');
    });
    const pool = worker.resource('pool', async () => {
      await soon();
      say('pool closed');
    }).usedBy(task, everyone.requests).within(2000);
    const cache = worker.resource('cache', () => say('cache closed')).usedBy(pool);
    say(`circle: ${codeOf(() => pool.usedBy(cache))}`);
  },

  work(worker) {
    worker.work('dropped', () => say('dropped')).drop();
    say(`finish ${worker.work('finished', () => say('finished?')).finish()}`);
    const held = worker.work('held', () => say('handed back'));
    worker.wait().then(() => say(`finish ${held.finish()}, handed back ${worker.report().handedBack}`));
  },

  misuse(worker) {
    worker.ready = () => {
      Worker.prototype.ready.call(worker);
      say(`ready twice: ${codeOf(() => Worker.prototype.ready.call(worker))}`);
      say(`unknown listener: ${codeOf(() => worker.listener('admin'))}`);
      say(`unknown stage: ${codeOf(() => worker.on('moon', () => {}))}`);
      say(`second worker: ${codeOf(() => new Worker())}`);
      const request = worker.request('GET /');
      say(`held: ${worker.report().waiting.map((held) => `${held.kind} ${held.name}`)}`);
      request.end();
      request.end();
      worker.stop();
    };
    worker.wait().then(() => say(`request after the release: ${codeOf(() => worker.request('GET /'))}`));
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

  // The event loop itself is stuck, from the drain on.
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
    say(`a child sees the control pipe: ${listed.includes('HOLDFAST_CONTROL')}`);
  },
};

const worker = new Worker();
kinds[process.argv[2]](worker);
worker.ready();
worker.wait().then((status) => setImmediate(() => process.exit(status)));
