import { type LearningCurve, type RunDetail, runs } from '../../api/runs.js';
import { addressOf } from '../../shell/router.js';
import { ClassByName } from '../../ui/class-by-name.js';
import { LineChart } from '../../ui/line-chart.js';
import { counted, percent } from '../../ui/words.js';
import { useAsked } from '../explore/use-asked.js';

export interface MoreLabelsProps {
  readonly run: string;
  readonly needs: RunDetail['needs'];
}

/** How much more labels may bring, and of which classes they would bring most. */
export function MoreLabels({ run, needs }: MoreLabelsProps) {
  const asked = useAsked<LearningCurve>(() => runs.learningCurve(run), run);
  const { value: curve, isPending } = asked.value;
  const wanted = needs?.classes.filter(({ standsOut }) => standsOut) ?? [];
  return (
    <section class="more-labels">
      <h4>What more labels may bring</h4>
      {curve ? <Curve curve={curve} /> : isPending && <p class="quiet-text small">Finding it out …</p>}
      {needs && wanted.length > 0 && (
        <>
          <p>Labels of these classes would help most:</p>
          <ul class="needs">
            {wanted.map(({ className, mistakes }) => (
              <li key={className}>
                <ClassByName name={className} />
                <span class="small quiet-text number">{percent(mistakes)} of the mistakes</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <p>
        <a href={addressOf('label', { queue: 'suggested' })}>Label what is suggested</a>
      </p>
    </section>
  );
}

function Curve({ curve }: { readonly curve: LearningCurve }) {
  const { points, mistakesLeft, basis } = curve;
  const last = points.at(-1);
  if (last === undefined) return <p class="quiet-text small">There are too few labels to tell.</p>;
  return (
    <>
      {mistakesLeft !== null && (
        <p>
          {mistakesLeft < 1
            ? `Twice as many labels would leave about ${percent(mistakesLeft)} of the mistakes.`
            : 'More labels of the same kind would change little.'}
        </p>
      )}
      <div class="learning-curve">
        <LineChart
          lines={[
            {
              name: 'found',
              points: points.map(({ labels, accuracy }) => [labels, accuracy]),
              colour: '--accent',
              hasDots: true,
            },
          ]}
          isShare
          xName="labels"
          says={`Share found by the number of labels: ${points
            .map(({ labels, accuracy }) => `${counted(labels, 'label')} ${percent(accuracy, 1)}`)
            .join(', ')}`}
        />
      </div>
      <p class="small quiet-text">{basis}</p>
    </>
  );
}
