#!/usr/bin/env node
'use strict';
// HTTP/1.1: `GET /` and `POST /` answer "OK", `/?ms=250` does so after 250 ms.

const http = require('node:http');
const { Worker } = require('../index.js');

const worker = new Worker();
const workerId = `${process.env.HOLDFAST_WORKER ?? '0.0'}.${process.pid}`;

const server = http.createServer((request, response) => {
  const milliseconds = Number(new URL(request.url, 'http://localhost').searchParams.get('ms') ?? 0);
  const answer = () => {
    response.setHeader('X-Worker', workerId);
    response.setHeader('Content-Length', 3);
    response.end('OK\n');
  };
  request.resume().on('end', () => (milliseconds > 0 ? setTimeout(answer, milliseconds) : answer()));
});

worker.serve(server, 'http', ':8080');
worker.ready();
worker.wait().then((status) => process.exit(status));
