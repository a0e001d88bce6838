'use strict';
// Loads the addon, and lets C call JavaScript: each function that C may call is identified by a number.

const fs = require('node:fs');
const path = require('node:path');

function load() {
  const beside = path.join(__dirname, 'holdfast.node');
  const file = process.env.HOLDFAST_NODE_ADDON || beside;
  if (!fs.existsSync(file)) {
    throw new Error(`cannot load ${file}: no such file; build it (npm run build) or set HOLDFAST_NODE_ADDON`);
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

// Wraps a callback for which a thread of the SDK waits. An exception or a rejected promise is reported by name. `call`
// is undefined if no thread waits.
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
