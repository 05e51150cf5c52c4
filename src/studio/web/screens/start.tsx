import { pile } from '../store/studio.js';
import { ImportStatus } from './start/import-status.js';
import { OpenPictures } from './start/open-pictures.js';
import { RecentProjects } from './start/recent-projects.js';

/** From a folder of pictures to images that can be labelled. */
export function Screen() {
  const { phase } = pile.value;
  const isReading = phase === 'finding' || phase === 'reading';
  return (
    <div class="screen start">
      {phase === 'none' ? (
        <header class="hero">
          <h1>Label a hundred images. Classify the rest.</h1>
          <p>
            Show the studio a folder of pictures, say of some of them what they are, and it learns to tell the
            others. Your pictures stay on this machine.
          </p>
        </header>
      ) : (
        <ImportStatus />
      )}
      {!isReading && (
        <>
          <OpenPictures isFirst={phase === 'none'} />
          <RecentProjects />
        </>
      )}
    </div>
  );
}
