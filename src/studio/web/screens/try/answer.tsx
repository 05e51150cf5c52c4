import { useSignal } from '@preact/signals';
import { type TryAnswer, tries } from '../../api/tries.js';
import { ClassByName } from '../../ui/class-by-name.js';
import { ImageStrip } from '../../ui/image-strip.js';
import { toast, toastError } from '../../ui/toast.js';
import { percent } from '../../ui/words.js';

export interface AnswerProps {
  readonly answer: TryAnswer;
  /** Address of the picture itself. */
  readonly picture: string;
}

/** Classes that are shown at once; of more, the likeliest. */
const mostClasses = 10;

const fits = {
  contain: 'all of it, in a frame',
  cover: 'its middle',
  stretch: 'all of it, stretched',
} as const;

/** What a classifier says of a picture: how likely each class is, what it was given, and which labelled images are like it. */
export function Answer({ answer, picture }: AnswerProps) {
  const { probabilities, nearest, size, fit, height, width } = answer;
  const [best] = probabilities;
  const isOwnSize = size.width === width && size.height === height;
  return (
    <div class="answer">
      {best && (
        <h2 class="verdict">
          <ClassByName name={best.class} />{' '}
          <span class="number quiet-text">{percent(best.probability, 1)}</span>
        </h2>
      )}
      <div class="answer-top">
        <div class="answer-pictures">
          <figure>
            <img src={picture} alt="What is tried" />
            <figcaption class="small quiet-text number">
              The picture, {width} × {height}
            </figcaption>
          </figure>
          <figure>
            <img class="pixels" src={tries.seen(answer)} alt="What the classifier is given" />
            <figcaption class="small quiet-text number">
              As the model sees it{isOwnSize ? '' : `: ${fits[fit]}`}, {size.width} × {size.height}
            </figcaption>
          </figure>
        </div>
        <div class="answer-bars">
          <table class="bars">
            <caption class="visually-hidden">Probability of each class</caption>
            <tbody>
              {probabilities.slice(0, mostClasses).map(({ class: name, probability }) => (
                <tr key={name}>
                  <th scope="row">
                    <ClassByName name={name} />
                  </th>
                  <td class="bar">
                    <span style={{ width: `${100 * probability}%` }} />
                  </td>
                  <td class="number">{percent(probability, 1)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {probabilities.length > mostClasses && (
            <p class="small quiet-text">
              and {probabilities.length - mostClasses} classes that are less likely
            </p>
          )}
        </div>
      </div>
      {nearest.length > 0 && (
        <section aria-labelledby="nearest-title">
          <h3 id="nearest-title">Labelled images that look most like it</h3>
          <ImageStrip label="Labelled images that look most like it" images={nearest} />
        </section>
      )}
      <Keep answer={answer} />
    </div>
  );
}

function Keep({ answer }: Pick<AnswerProps, 'answer'>) {
  const state = useSignal<'no' | 'keeping' | 'kept'>('no');
  if (!answer.canKeep) return null;
  const keep = async (): Promise<void> => {
    state.value = 'keeping';
    try {
      const { name } = await tries.keep(answer.id);
      state.value = 'kept';
      toast(`Added to the pile as ${name}.`);
    } catch (error) {
      state.value = 'no';
      toastError(error);
    }
  };
  const words = { no: 'Add it to the pile', keeping: 'Adding it …', kept: 'It is in the pile' }[state.value];
  return (
    <p>
      <button type="button" class="button" disabled={state.value !== 'no'} onClick={() => void keep()}>
        {words}
      </button>
    </p>
  );
}
