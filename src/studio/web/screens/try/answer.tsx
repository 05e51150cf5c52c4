import { useSignal } from '@preact/signals';
import { type TryAnswer, tries } from '../../api/tries.js';
import { judge, type Verdict } from '../../store/labelling.js';
import { classes } from '../../store/studio.js';
import { ClassByName } from '../../ui/class-by-name.js';
import { wantClass } from '../../ui/class-finder.js';
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

/** Adding the picture to the pile, with what the person says that it is. */
function Keep({ answer }: Pick<AnswerProps, 'answer'>) {
  const state = useSignal<'no' | 'keeping' | 'kept'>('no');
  if (!answer.canKeep) return null;
  const keep = async (verdict?: Verdict): Promise<void> => {
    state.value = 'keeping';
    try {
      const { id, name, isNew } = await tries.keep(answer.id);
      state.value = 'kept';
      if (verdict) await judge([id], verdict);
      toast(isNew ? `Added to the pile as ${name}.` : `The pile has it already, as ${name}.`);
    } catch (error) {
      state.value = 'no';
      toastError(error);
    }
  };
  const [best] = answer.probabilities;
  const found = best && classes.value.find(({ name }) => name === best.class);
  if (state.value !== 'no') {
    return (
      <p class="quiet-text" role="status">
        {state.value === 'keeping' ? 'Adding it to the pile …' : 'It is in the pile.'}
      </p>
    );
  }
  return (
    <section class="try-keep" aria-labelledby="keep-title">
      <h3 id="keep-title">Add it to the pile</h3>
      <p class="small quiet-text">
        A copy is put into the folder of your pictures. Say what it is, and the next training learns from it.
      </p>
      <div class="row">
        {found && (
          <button type="button" class="button primary" onClick={() => void keep({ class: found.id })}>
            It is {found.name}
          </button>
        )}
        <button
          type="button"
          class="button"
          onClick={() => wantClass({ title: 'What is it?', take: (said) => void keep(said) })}
        >
          It is something else …
        </button>
        <button type="button" class="button quiet" onClick={() => void keep()}>
          Add it without a label
        </button>
      </div>
    </section>
  );
}
