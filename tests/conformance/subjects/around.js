// What the page takes for granted in Node.
const address = () => process.env.HELLO_ADDRESS;
const pool = { end: async () => {} };
const consume = (stop) => new Promise((resolve) => stop.addEventListener('abort', resolve));
const answer = (request, response) => response.end('OK\n');

