/**
 * The process that classifies single pictures. Whatever a picture does to its decoder, it does here: the server goes on, and says so.
 */

import { answerCalls } from '../child-calls.node.js';
import { plainError } from '../plain-error.js';
import { classifyTry } from './classify-try.node.js';

answerCalls(classifyTry, {
  toError: (error) => plainError(error, 'picture: expected to classify it'),
});
