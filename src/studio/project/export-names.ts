import { safeName } from '../../data/safe-name.js';

/** Endings of the names of what leaves a project as a file, by the last part of its address. */
const endings = {
  'model.onnx': '.onnx',
  'card.md': '-card.md',
  'labels.csv': '-labels.csv',
  'predictions.csv': '-predictions.csv',
  'classes.zip': '-classes.zip',
  'sorted.zip': '-sorted.zip',
  'project.zip': '.zip',
} as const;

export type ExportFile = keyof typeof endings;

/** The name that a file of a project is saved under. */
export const exportName = (project: string, file: ExportFile): string =>
  `${safeName(project)}${endings[file]}`;
