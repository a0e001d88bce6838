'use strict';
// A real supervisor with its parsed log, and the strict client. The build sets the paths in the environment.

const { execFileSync, execFile, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

const { HOLDFAST_BIN: bin, HOLDFAST_NODE_ADDON: addon, HOLDFAST_SOURCE: source } = process.env;
const timeoutMs = 30_000; // ms to wait for a condition; a timeout is a failure

class Supervised {
  #entries = [];
  #waiting = new Set();

  constructor(script, { args = [], options = [], env = [] } = {}) {
    this.directory = fs.mkdtempSync('/tmp/hfb');
    // The supervisor removes HOLDFAST_ variables from the environment, so env(1) sets the addon.
    const command = ['env', `HOLDFAST_NODE_ADDON=${addon}`, `HOLDFAST_SOURCE=${source}`, ...env, process.execPath, script, ...args];
    this.process = spawn(path.join(bin, 'holdfast'), ['run', '--name', 'web', '--runtime-dir', this.directory,
      '--state-dir', path.join(this.directory, 'state'), '--log-format', 'json', '--listen', 'http=127.0.0.1:0', '--settle', '1ms', ...options, '--', ...command],
    { stdio: ['ignore', 'ignore', 'pipe'] });
    this.ended = once(this.process, 'close').then(([status]) => status);
    const lines = readline.createInterface({ input: this.process.stderr });
    lines.on('line', (line) => this.#add(line));
    lines.on('close', () => this.#waiting.forEach((check) => check('it has ended')));
  }

  #add(line) {
    try {
      this.#entries.push(JSON.parse(line));
    } catch {
      this.#entries.push({ event: '', text: line }); // output of a worker
    }
    for (const check of this.#waiting) check();
  }

  log() {
    return this.#entries.map((entry) => entry.text).join('\n');
  }

  // Resolves to the first entry of that event ('': output of a worker) that contains the text.
  waitFor(event, text = '') {
    return new Promise((resolve, reject) => {
      const check = (failure) => {
        const found = this.#entries.find((entry) => entry.event === event && entry.text.includes(text));
        if (!found && !failure) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        if (found) resolve(found);
        else reject(new Error(`the log has no entry "${event}" with "${text}", ${failure}:\n${this.log()}`));
      };
      const timer = setTimeout(() => check('in time'), timeoutMs);
      this.#waiting.add(check);
      check();
    });
  }

  async address() {
    await this.waitFor('service_ready');
    const status = JSON.parse(execFileSync(path.join(bin, 'holdfast'),
      ['status', '--json', '--runtime-dir', this.directory, 'web']));
    return (Array.isArray(status) ? status[0] : status).listeners[0].address;
  }

  restart() {
    return new Promise((resolve, reject) => {
      execFile(path.join(bin, 'holdfast'), ['restart', '--runtime-dir', this.directory, 'web'], { timeout: timeoutMs },
        (error, output) => (error ? reject(error) : resolve(output)));
    });
  }

  // Sends SIGTERM and resolves to the exit status. The log is complete afterwards.
  stop() {
    this.process.kill('SIGTERM');
    return this.ended;
  }

  async end() {
    this.process.kill('SIGKILL');
    await this.ended;
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

// Runs the test with a service, and always ends the service.
function supervised(script, settings, test) {
  return async () => {
    const service = new Supervised(script, settings);
    try {
      await test(service);
    } finally {
      await service.end();
    }
  };
}

// The strict client: never retries. finish() resolves to its report, and rejects if a request failed.
async function load(address, ...options) {
  const client = spawn(path.join(bin, 'strict-client'),
    [address, '--announce', '--post', 'hello', '--path', '/?ms={0..200}', ...options],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  let report = '';
  client.stdout.on('data', (data) => { report += data; });
  const closed = once(client, 'close');
  await once(client.stdout, 'data'); // the first request has been sent
  return {
    async finish() {
      client.kill('SIGINT');
      const [status] = await closed;
      if (status !== 0) throw new Error(report);
      return report;
    },
  };
}

module.exports = { supervised, load, source, timeoutMs };
