#!/usr/bin/env node
'use strict';
// HTTP/1.1: `GET /` answers "OK", `/?ms=250` does so after 250 ms; `GET /bytes?n=1000` answers that many bytes, and
// `POST /count` the size of its body. Listens at HELLO_ADDRESS or :8080.

const http = require('node:http');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { setTimeout: sleep } = require('node:timers/promises');
const { Worker } = require('../index.js');

const maxBodyBytes = 64 << 20;
const block = Buffer.alloc(65536, 'x');
const worker = new Worker();
const workerId = `${process.env.HOLDFAST_WORKER ?? '0.0'}.${process.pid}`;

function* blocks(size) {
  for (; size > 0; size -= block.length) yield block.subarray(0, size);
}

function answer(response, status, body) {
  response.writeHead(status, { 'Content-Length': body.length, 'X-Worker': workerId });
  response.end(body);
}

async function serve(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) {
    response.shouldKeepAlive = false;
    return answer(response, 413, '');
  }
  let bodyBytes = 0;
  for await (const part of request) bodyBytes += part.length;
  if (searchParams.has('ms')) await sleep(Number(searchParams.get('ms')), undefined, { signal: worker.cancelled });
  if (pathname !== '/bytes') return answer(response, 200, pathname === '/count' ? String(bodyBytes) : 'OK\n');
  const size = Number(searchParams.get('n'));
  response.writeHead(200, { 'Content-Length': size, 'X-Worker': workerId });
  await pipeline(Readable.from(blocks(size)), response);
}

// The worker counts a request until this has ended, also if the client has gone away.
const server = http.createServer(async (request, response) => {
  try {
    await serve(request, response);
  } catch (error) {
    if (!response.destroyed) throw error; // else nobody is left to answer
  }
});

worker.serve(server, 'http', process.env.HELLO_ADDRESS ?? ':8080');
worker.ready();
worker.wait().then((status) => process.exit(status));
