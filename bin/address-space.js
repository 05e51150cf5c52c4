const { readFileSync } = require('node:fs');

/**
 * What a process of this program has to be allowed, in KiB as `ulimit -v` counts: 2.5 GiB. Measured on Linux x64 with Node 20 and
 * two cores, 2026-11-27, four or five starts at each limit: Node alone starts from 735,000 on, `evaluate` of a tiny run ended well
 * from 1,400,000 on, and the smallest `run` (12×12 pixels, two threads) from 2,150,000 on; with eight threads it takes 2,490,000.
 * With less, V8, its threads or a library find no room sooner or later, which mostly ends the process by a signal that no code
 * can catch.
 */
const neededKib = 2.5 * 1024 ** 2;

const inGib = (kib) => `${Math.floor((kib / 1024 ** 2) * 100) / 100} GiB`;

/**
 * Why this process cannot work in the address space that the shell or the system allows it, and what to do about it; undefined
 * where it can. Only Linux says what it allows; reading it takes less than a millisecond.
 */
function tooLittleAddressSpace() {
  const limitKib = allowedBytes() / 1024;
  if (limitKib >= neededKib) return undefined;
  return [
    `error: quarterturn: expected an address space of at least ${inGib(neededKib)}. Received: a limit of ${inGib(limitKib)}.`,
    `hint: Raise the limit: ulimit -v unlimited, or at least ulimit -v ${neededKib}.`,
  ].join('\n');
}

function allowedBytes() {
  try {
    const [, bytes] = /^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return bytes === undefined ? Number.POSITIVE_INFINITY : Number(bytes);
  } catch {
    return Number.POSITIVE_INFINITY; // another system, or one that does not show it
  }
}

module.exports = { tooLittleAddressSpace };
