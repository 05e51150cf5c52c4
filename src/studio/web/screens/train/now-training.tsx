import { useSignal } from '@preact/signals';
import type { TrainingState } from '../../../server/runs/run-updates.js';
import { runs } from '../../api/runs.js';
import { connection } from '../../store/studio.js';
import { toastError } from '../../ui/toast.js';
import { count, duration, percent } from '../../ui/words.js';
import { Curves } from './curves.js';

const phases = { starting: 'Starting', predicting: 'Looking at the pile', stopping: 'Saving' } as const;

/** What is done in each stage, for who has never trained a network. */
const stageWords: Readonly<Record<string, string>> = {
  pretrain:
    'From all images, without labels: the network learns which way up they are, and so what is to be seen in them.',
  finetune: 'From your labels, the network learns the classes.',
  scratch: 'The same from your labels alone, to see what the images without a label bring.',
  selfTrain: 'From images without a label, too: those that look alike are taken to be of the same class.',
  mixture: 'What was learned in these ways is put together, if labels that were held back say that it helps.',
  baseline: 'For comparison: a plain network from your labels alone.',
  linearProbe: 'From your labels, by what a large network that was trained before sees in the images.',
};

/** What is being trained: where it is, how fast, how long it will take, and its curves. */
export function NowTraining({ now }: { readonly now: TrainingState }) {
  const isStopping = useSignal(false);
  const stop = async (): Promise<void> => {
    isStopping.value = true;
    await runs.stop().catch(toastError);
    isStopping.value = false;
  };
  const { phase, stageText, passText, stageIndex, stageCount, progress, imagesPerSecond, etaMs } = now;
  const facts = [
    stageCount > 0 && phase === 'training' && `Step ${stageIndex + 1} of ${stageCount}`,
    [passText, progress !== null && `${percent(progress)}${passText ? '' : ' of this step'}`]
      .filter(Boolean)
      .join(' '),
    imagesPerSecond !== null && `${count(Math.round(imagesPerSecond))} images/s`,
  ];
  // Of the whole training, as far as anybody can tell; a stage begins at 0 again.
  const elapsedMs = Date.now() - Date.parse(now.startedAt);
  const shareDone = etaMs === undefined ? progress : elapsedMs / Math.max(1, elapsedMs + etaMs);
  return (
    <section class="card now-training" aria-labelledby="now-title">
      <div class="now-head">
        <div>
          <h2 id="now-title">
            {stageText || (phase in phases ? phases[phase as keyof typeof phases] : 'Training')}
          </h2>
          <p class="quiet-text number">{facts.filter(Boolean).join(' · ')}</p>
        </div>
        <p class="remaining number" aria-live="off">
          {phase === 'stopping'
            ? 'Saving …'
            : etaMs !== undefined
              ? `${duration(etaMs)} left`
              : phase === 'starting'
                ? 'Measuring this machine …'
                : ''}
        </p>
        <button
          type="button"
          class="button"
          disabled={phase === 'stopping' || isStopping.value || connection.value.phase === 'lost'}
          onClick={() => void stop()}
        >
          Stop and save
        </button>
      </div>
      {now.stage !== null && stageWords[now.stage] && phase === 'training' && (
        <p class="small quiet-text">{stageWords[now.stage]}</p>
      )}
      <progress
        class="thin"
        aria-label="The whole training"
        {...(shareDone !== null && { max: 1, value: shareDone })}
      />
      <Curves runId={now.runId} stage={now.stage} />
      <p class="small quiet-text">
        It goes on when this page is closed. What stops it is the button, or the end of the command.
      </p>
    </section>
  );
}
