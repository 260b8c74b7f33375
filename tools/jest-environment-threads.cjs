'use strict';
// Values that arrive from a worker belong to the outer realm, where `instanceof` against the test
// realm's classes is false. Sharing these globals makes tests see what production sees.
const { TestEnvironment } = require('jest-environment-node');

const NAMES = [
  'SharedArrayBuffer',
  'DataView',
  'Atomics',
  'WebAssembly',
  'Int8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'Date',
];

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of NAMES) {
      Object.defineProperty(this.global, name, {
        value: globalThis[name],
        configurable: true,
        enumerable: false,
        writable: true,
      });
    }
  }
};
