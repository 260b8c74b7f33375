// `node --import clock-jump.mjs`: at each SIGUSR2 the clock of the process jumps, by up to a day forth or back, as when an operator or a
// time server sets it. What counts intervals (performance.now, timers) goes on as on a real machine.
const DAY_MS = 86_400_000;
const System = Date;
let ahead = 0;

globalThis.Date = class extends System {
  constructor(...args) {
    if (args.length === 0) super(System.now() + ahead);
    else super(...args);
  }

  static now() {
    return System.now() + ahead;
  }
};
process.on('SIGUSR2', () => {
  ahead = Math.round((2 * Math.random() - 1) * DAY_MS);
});
