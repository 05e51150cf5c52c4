import { training } from '../store/studio.js';
import { duration, percent } from '../ui/words.js';
import { addressOf } from './router.js';

/** What is being trained, in the header; nothing while nothing is. */
export function TrainingStatus() {
  const now = training.value;
  if (now === null) return null;
  const parts = [
    now.phase === 'failed' ? 'Training failed' : now.stageText,
    now.phase !== 'failed' && now.progress !== null && percent(now.progress),
    now.phase !== 'failed' && now.etaMs !== undefined && `${duration(now.etaMs)} left`,
  ];
  return (
    <a class="training" href={addressOf('train')} data-phase={now.phase}>
      {parts.filter(Boolean).join(' · ')}
    </a>
  );
}
