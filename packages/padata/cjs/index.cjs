'use strict';
module.exports = require('./own-modules.cjs')('index');
