'use strict';
// Workers in Node under the real supervisor.

const assert = require('node:assert');
const net = require('node:net');
const path = require('node:path');
const { once } = require('node:events');
const { describe, it } = require('node:test');
const { supervised, load, source } = require('./harness.js');

const example = path.join(source, 'child-sdk/node/examples/http.js');
const subject = path.join(__dirname, 'subject.js');
const short = ['--grace-period', '300ms', '--cancel-period', '300ms'];
const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a restart', () => {
  it('loses no request on new or keep-alive connections', supervised(example, {}, async (service) => {
    const address = await service.address();
    const fresh = await load(address, '--clients', '8');
    const kept = await load(address, '--clients', '24', '--keep-alive', '--pause-high', '800');
    for (let i = 0; i < 3; ++i) await service.restart();
    for (const client of [fresh, kept]) assert.match(await client.finish(), /answered by generation 4/);
    assert.strictEqual(await service.stop(), 0);
    assert.doesNotMatch(service.log(), /revived/);
  }));
});

describe('an idle connection', () => {
  it('is answered once more during a drain and then closed', supervised(example, {}, async (service) => {
    const [host, port] = (await service.address()).split(':');
    const client = net.connect(Number(port), host);
    client.write(request);
    assert.doesNotMatch(String(await once(client, 'data')), /connection: close/i);
    service.process.kill('SIGTERM');
    await service.waitFor('worker_told', 'drain');
    client.write(request);
    assert.match(String(await once(client, 'data')), /connection: close/i);
    await once(client, 'end');
    assert.strictEqual(await service.ended, 0);
  }));

  it('is not served after its sending half was closed',
    supervised(subject, { args: ['http'], env: ['HOLDFAST_KEEP_ALIVE_MIN=0ms'] }, async (service) => {
      const [host, port] = (await service.address()).split(':');
      const client = net.connect({ port: Number(port), host, allowHalfOpen: true });
      client.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(client, 'data');
      service.process.kill('SIGTERM');
      await once(client, 'end');
      client.end('GET /late HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.strictEqual(await service.ended, 0);
      assert.match(service.log(), /served \/first/);
      assert.doesNotMatch(service.log(), /served \/late/);
    }));

  it('is closed when it sends nothing for keep_alive_min', supervised(example, {}, async (service) => {
    const [host, port] = (await service.address()).split(':');
    const client = net.connect(Number(port), host);
    client.write(request);
    await once(client, 'data');
    const ended = once(client, 'end');
    assert.strictEqual(await service.stop(), 0);
    await ended;
  }));
});

describe('a worker', () => {
  it('asks for a successor at SIGTERM', supervised(example, {}, async (service) => {
    const { pid } = await service.waitFor('worker_ready');
    process.kill(pid, 'SIGTERM');
    await service.waitFor('worker_gone', 'exited with status 0');
    assert.strictEqual(await service.stop(), 0);
  }));

  it('is reported with its stuck request', supervised(subject, { args: ['stuck'], options: short }, async (service) => {
    await service.waitFor('service_ready');
    await service.stop();
    assert.match(service.log(), /GET \/stuck/);
  }));

  it('reports what it holds even if its event loop hangs',
    supervised(subject, { args: ['busy'], options: short }, async (service) => {
      await service.waitFor('service_ready');
      await service.stop();
      assert.match(service.log(), /killed with its whole process tree/);
      assert.match(service.log(), /GET \/busy/);
    }));

  it('reports exceptions of callbacks and continues', supervised(subject, { args: ['raises'] }, async (service) => {
    await service.waitFor('service_ready');
    await service.stop();
    for (const text of [/no drain today/, /the disk is full/, /database/, /exited with status 3/]) {
      assert.match(service.log(), text);
    }
  }));
});
