'use strict';
// The native part, and the way in which C calls JavaScript: every function that C may call has a number.

const fs = require('node:fs');
const path = require('node:path');

function load() {
  const beside = path.join(__dirname, 'holdfast.node');
  const file = process.env.HOLDFAST_NODE_ADDON || beside;
  if (!fs.existsSync(file)) {
    throw new Error(`cannot load ${file}: it is not there; build it (npm run build), or set HOLDFAST_NODE_ADDON to it`);
  }
  return require(file);
}

const native = load();
const functions = new Map();
let lastKey = 0;

function keep(callback) {
  functions.set(++lastKey, callback);
  return lastKey;
}

function forget(key) {
  functions.delete(key);
}

function dispatch(key, argument, extra) {
  functions.get(key)?.(argument, extra);
}

// A callback for which a thread of the SDK waits: what it throws, and what its promise is rejected with, is reported by
// name. `call` is undefined where nobody waits.
function answering(callback) {
  return (argument, call) => {
    const done = () => call !== undefined && native.complete(call, '');
    const failed = (error) => {
      console.error(error);
      if (call !== undefined) native.complete(call, String(error) || 'it failed');
    };
    try {
      const result = callback(argument);
      if (typeof result?.then === 'function') result.then(done, failed);
      else done();
    } catch (error) {
      failed(error);
    }
  };
}

module.exports = { native, keep, forget, dispatch, answering };
