'use strict';
// What `require` gets: the ES modules themselves, by Node's own `require`, so that all of a program shares one state however
// it came to them. The `require` at hand may be a test runner's, which knows no ES modules; that of a new module is Node's.
// Other runtimes have no such method, and load ES modules by whatever `require`.
const { Module } = require('node:module');
const { dirname, join } = require('node:path');
const { main } = require('../package.json');

const own = new Module(__filename);
own.filename = __filename;

module.exports = (entry) => {
  // Beside the main entry, wherever that is.
  const file = join(__dirname, '..', dirname(main), `${entry}.js`);
  return own.require?.(file) ?? require(file);
};
