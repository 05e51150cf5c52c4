import { finding, training } from '../store/studio.js';
import { duration, percent } from '../ui/words.js';
import { addressOf } from './router.js';

/** What is being trained, in the header, or found out of the pile; nothing while nothing is. */
export function TrainingStatus() {
  const now = training.value;
  if (now === null) return <FindingStatus />;
  const parts = [
    now.phase === 'failed' ? 'Training failed' : now.stageText,
    // Of a stage, of which there are several: where it is known how long all of them take, that is said alone.
    now.phase !== 'failed' && now.etaMs === undefined && now.progress !== null && percent(now.progress),
    now.phase !== 'failed' && now.etaMs !== undefined && `${duration(now.etaMs)} left`,
  ];
  return (
    <a class="training" href={addressOf('train')} data-phase={now.phase}>
      {parts.filter(Boolean).join(' · ')}
    </a>
  );
}

const findings = {
  answers: 'Asking the classifier about every image',
  suggest: 'Looking for images that teach most',
  nearDuplicates: 'Looking for near duplicates',
  map: 'Drawing the map',
  plan: 'Measuring the speed of this machine',
  learningCurve: 'Finding out what more labels bring',
} as const;

function FindingStatus() {
  const now = finding.value;
  if (now === null) return null;
  return (
    <span class="finding">
      {findings[now.name]}
      {now.progress > 0 && ` · ${percent(now.progress)}`}
    </span>
  );
}
