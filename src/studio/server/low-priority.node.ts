import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * Gives way to all other processes from now on: whoever labels is served before a step is computed.
 *
 * On Linux every thread has its own priority, which the threads that it begins take over: all that there are get it.
 */
export function lowerPriority(): void {
  for (const thread of threads()) {
    try {
      setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // One that has ended; and where it is not allowed, it computes all the same.
    }
  }
}

/** Ids of the threads of this process; 0, which stands for all of them, on other systems than Linux. */
function threads(): readonly number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [0];
  }
}
