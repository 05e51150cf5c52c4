import { type Command, Option } from 'commander';
import { openBrowser } from './open-browser.js';
import { wholeNumber } from './option-values.js';
import { addExamples, addGroup, addOutputGroup, option } from './options.js';
import { inSession } from './session.js';
import { formatError } from './terminal.js';
import { onUncaught } from './uncaught.js';

interface StudioFlags {
  readonly port?: number;
  readonly open: boolean;
  readonly project?: string;
  readonly cache?: string;
  readonly threads?: number;
  readonly quiet?: boolean;
}

/** `quarterturn studio`: the same work in a page of the browser. */
export function addStudioCommand(program: Command): void {
  const command = program
    .command('studio')
    .summary('label images in a page of your browser')
    .description(
      'Serve a page to the browser on this machine, and to nothing else, until Ctrl-C. Nothing is sent anywhere. The address that is printed bears a key: whoever has it can do in the page what you can.',
    )
    .argument(
      '[folder]',
      'your images: a folder, an archive, or a file of arrays (default: you choose in the page)',
    );
  addGroup(command, 'What to do:', [
    new Option('--port <n>', 'port on 127.0.0.1 (default: one that is free)').argParser(
      wholeNumber('--port', { min: 1024, max: 65535 }),
    ),
    new Option('--no-open', 'open no browser (default: opened from a terminal with a screen)'),
    new Option(
      '--project <folder>',
      'where the labels are kept (default: .quarterturn in the folder of the images, so that they move with it)',
    ),
    new Option('--cache <folder>', 'where decoded images are kept (default: ~/.cache/quarterturn)'),
    option.threads(),
  ]);
  addOutputGroup(command, [option.quiet()]);
  addExamples(command, [
    ['quarterturn studio photos', 'a folder of class folders, or of images alone'],
    ['quarterturn studio --no-open', 'print the address, and choose the folder in the page'],
  ]);
  command.action(serve);
}

async function serve(
  folder: string | undefined,
  { port, open, project, cache, threads, quiet }: StudioFlags,
): Promise<void> {
  // Loaded for this command alone.
  const [
    { serveStudio },
    { Studio },
    { projectsOnDisk },
    { pilesInProcesses },
    { trainingInProcesses },
    { inquiriesInProcesses },
  ] = await Promise.all([
    import('../studio/server/serve.node.js'),
    import('../studio/server/studio.node.js'),
    import('../studio/server/open-project.node.js'),
    import('../studio/server/pile-process.node.js'),
    import('../studio/server/runs/train-process.node.js'),
    import('../studio/server/explore/inquiry-process.node.js'),
  ]);
  await inSession({ quiet, stopping: 'Closing.' }, async ({ note, signal, atEnd }) => {
    const onFault = (error: unknown): void => note(formatError(error, { debug: true, color: false }));
    const removeListener = onUncaught(onFault);
    atEnd(async () => removeListener());
    const studio = new Studio({
      findProject: projectsOnDisk({ folder: project }),
      openPile: pilesInProcesses({ cacheFolder: cache }),
      startTraining: trainingInProcesses({ cacheFolder: cache, threads }),
      inquire: inquiriesInProcesses({ cacheFolder: cache, threads }),
      onFault,
    });
    atEnd(() => studio.close());
    const server = await serveStudio(studio, { port, onFault });
    atEnd(() => server.close());
    if (folder !== undefined) await studio.open({ path: folder });
    process.stdout.write(`${server.address}\n`);
    note('Open this address in a browser on this machine. Ctrl-C ends it.');
    // Whoever mistyped the folder sees it here, too; another one can be chosen in the page.
    void studio.settled().then((pile) => {
      if (pile.phase !== 'failed') return;
      const { message, hint } = pile.error;
      note([message, hint].filter((part) => part !== undefined).join(' '));
    });
    if (open && process.stdout.isTTY) openBrowser(server.addressForOnce());
    if (!signal.aborted) await new Promise((end) => signal.addEventListener('abort', end, { once: true }));
  });
}
