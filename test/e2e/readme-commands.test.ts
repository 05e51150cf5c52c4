import { testCommandsOf } from '../support/documented-commands.js';
import { useWorld } from '../support/documented-world.js';

// README has half of all that takes time: in a file of its own it runs beside the other half.
testCommandsOf(useWorld(), (source) => source === 'README.md');
