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

// Calls a function that may be async. Resolves when it is done; an exception or a rejection is written to stderr and
// resolves to the error, so that it never ends the process.
async function settle(callback, ...values) {
  try {
    await callback(...values);
    return undefined;
  } catch (error) {
    console.error(error);
    return error ?? new Error('it failed');
  }
}

// Completes a call for which a thread of the SDK waits. `call` is undefined if no thread waits.
function complete(call, error) {
  if (call !== undefined) native.complete(call, error === undefined ? '' : String(error) || 'it failed');
}

// Wraps a callback for which a thread of the SDK waits, and which reports its error by name.
function answering(callback) {
  return (argument, call) => settle(callback, argument).then((error) => complete(call, error));
}

module.exports = { native, keep, forget, dispatch, settle, complete, answering };
