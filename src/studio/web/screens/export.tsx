import { useSignal, useSignalEffect } from '@preact/signals';
import { type ExportFile, exportName } from '../../project/export-names.js';
import { viewAddress } from '../api/client.js';
import { type RunRow, runs } from '../api/runs.js';
import { addressOf } from '../shell/router.js';
import { imageCount, labels, project, studio, training } from '../store/studio.js';
import { Icon } from '../ui/icon.js';
import { toastError } from '../ui/toast.js';
import { counted, percent } from '../ui/words.js';

interface FileToTake {
  readonly file: ExportFile;
  readonly title: string;
  readonly says: string;
}

/** All that leaves the studio as a file. */
export function Screen() {
  const found = useSignal<RunRow | null | undefined>(undefined);
  useSignalEffect(() => {
    studio.value?.runs;
    runs.all().then((rows) => {
      found.value = rows.find(({ state }) => state === 'done') ?? null;
    }, toastError);
  });
  const run = found.value;
  const labelled = labels.value?.labelled ?? 0;
  const estimate = run?.estimate;
  const isTraining = training.value !== null && training.value.phase !== 'failed';
  const ofRun: readonly FileToTake[] = [
    {
      file: 'model.onnx',
      title: 'The classifier',
      says: 'One ONNX file, for ONNX Runtime in any language, for browsers, for OpenCV. It normalises images itself.',
    },
    {
      file: 'card.md',
      title: 'Its card',
      says: 'What it takes and gives, how good it is, and how to run it. Keep it with the file.',
    },
    {
      file: 'predictions.csv',
      title: 'Answers for the whole pile',
      says: `A row for each file of ${counted(imageCount.value, 'image')}: class, probabilities, and whether the classifier is unsure.`,
    },
    {
      file: 'sorted.zip',
      title: 'All images in folders, by the answers',
      says: 'A folder for each class: by your label where there is one, else by what the classifier says. What it is unsure of lies in a folder of its own.',
    },
  ];
  const ofLabels: readonly FileToTake[] = [
    { file: 'labels.csv', title: 'Labels as a table', says: `${counted(labelled, 'row')}: file and class.` },
    {
      file: 'classes.zip',
      title: 'Labelled images in folders',
      says: 'A folder for each class, as other programs read them.',
    },
  ];
  return (
    <div class="screen export-screen">
      <h1>Export</h1>
      <section class="card export-group" aria-labelledby="export-run">
        <h2 id="export-run">What was learned</h2>
        {run === null && (
          <p>
            Nothing yet. <a href={addressOf('train')}>Train a classifier first.</a>
          </p>
        )}
        {run && (
          <p class="quiet-text">
            Of training {run.number}, from {counted(run.labels, 'label')}
            {estimate
              ? `: right for ${percent(estimate.accuracy, 1)} of images, as far as ${counted(estimate.heldBack, 'label')} can tell (${percent(estimate.low, 1)} to ${percent(estimate.high, 1)}).`
              : '.'}
            {run.labelsChanged > 0 && ` ${counted(run.labelsChanged, 'label')} changed since.`}
          </p>
        )}
        {run && <Files files={ofRun} />}
      </section>
      <section class="card export-group" aria-labelledby="export-labels">
        <h2 id="export-labels">What you labelled</h2>
        {labelled === 0 ? (
          <p>
            Nothing yet. <a href={addressOf('label')}>Label some images first.</a>
          </p>
        ) : (
          <Files files={ofLabels} />
        )}
      </section>
      <section class="card export-group" aria-labelledby="export-project">
        <h2 id="export-project">All of it</h2>
        <Files
          files={[
            {
              file: 'project.zip',
              title: 'The whole project',
              says: `Images, labels and trainings in one ZIP archive. Drop it on the start screen of another studio, and it opens there.${isTraining ? ' The training that is under way is not finished: it is packed as far as it has got, and can be gone on with there.' : ''}`,
            },
          ]}
        />
      </section>
    </div>
  );
}

function Files({ files }: { readonly files: readonly FileToTake[] }) {
  const named = files.map((each) => ({ ...each, name: exportName(project.value?.name ?? '', each.file) }));
  return (
    <ul class="export-files">
      {named.map(({ file, title, says, name }) => (
        <li key={file}>
          <div>
            <h3>{title}</h3>
            <p class="small quiet-text">{says}</p>
          </div>
          <a
            class="button"
            href={viewAddress(`/api/exports/${file}`)}
            download
            aria-label={`Download ${title}: ${name}`}
          >
            <Icon name="down" />
            {name}
          </a>
        </li>
      ))}
    </ul>
  );
}
