// Node's HTTP server on an inherited socket: on SIGTERM it closes the listener and finishes what is open.
const http = require('http');

const server = http.createServer((request, response) => response.end('OK'));
server.listen({ fd: 3 });
process.on('SIGTERM', () => server.close());
