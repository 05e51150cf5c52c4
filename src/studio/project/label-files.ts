/** Where a project keeps files of its labels, for runs that learn from them. */
export const labelFilesName = 'label-files';

/** Whether a file of labels is one that a project keeps. */
export const isLabelsOfProject = (path: string): boolean => path.split(/[/\\]/).at(-2) === labelFilesName;
