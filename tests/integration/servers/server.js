// Node's HTTP server on an inherited socket. On SIGTERM it closes the listener and finishes its open requests.
const http = require('http');

const server = http.createServer((request, response) => response.end('OK'));
server.listen({ fd: 3 });
process.on('SIGTERM', () => server.close());
