import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { RecentProject } from '../../../project/recent-project.js';
import { api } from '../../api/client.js';
import { project } from '../../store/studio.js';
import { Icon } from '../../ui/icon.js';
import { toastError } from '../../ui/toast.js';
import { openPictures } from './open-pictures.js';

const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });

/** What was opened before, the newest first, without what is open now. */
export function RecentProjects() {
  const projects = useSignal<readonly RecentProject[]>([]);
  useEffect(() => {
    api
      .projects()
      .then((found) => {
        projects.value = found.projects;
      })
      .catch(toastError);
  }, [project.value?.folder]);
  const others = projects.value.filter(({ folder }) => folder !== project.value?.folder);
  if (others.length === 0) return null;
  return (
    <section class="recent">
      <h2>Recent projects</h2>
      <ul>
        {others.map(({ folder, name, data, openedAt }) => (
          <li key={folder}>
            <button
              type="button"
              class="row-button"
              onClick={() => openPictures(data === 'MNIST' ? { example: 'mnist' } : { path: data })}
            >
              <Icon name="folder" />
              <span class="row-name">{name}</span>
              <span class="path small quiet-text">{data}</span>
              <span class="small quiet-text">{day.format(new Date(openedAt))}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
