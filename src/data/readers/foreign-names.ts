/** Folders that systems and programs make beside somebody's files, in lower case. */
const foreignFolders = new Set([
  '__macosx',
  '__pycache__',
  '@eadir',
  '@recently-snapshot',
  '@tmp',
  '#recycle',
  '#snapshot',
  '$recycle.bin',
  'recycler',
  'system volume information',
  'lost+found',
  'node_modules',
]);

/** Files that systems and programs make beside somebody's files, in lower case. */
const foreignFiles = new Set(['thumbs.db', 'ehthumbs.db', 'desktop.ini', 'picasa.ini', 'icon\r']);

/** Where the studio keeps what it knows of the pictures beside it: no picture, and nothing that was set aside either. */
export const projectFolderName = '.quarterturn';

/** Whether a folder is no person's: hidden, or a system's. */
export function isForeignFolder(name: string): boolean {
  return name.startsWith('.') || foreignFolders.has(name.toLowerCase());
}

/** Whether a file is no person's: hidden (`._1.jpg`, `.DS_Store`), a system's, or a program's lock (`~$1.docx`). */
export function isForeignFile(name: string): boolean {
  return name.startsWith('.') || name.startsWith('~$') || foreignFiles.has(name.toLowerCase());
}

const endings: Readonly<Record<string, string>> = {
  'text or document':
    'txt md rst log csv tsv json jsonl ndjson xml yaml yml toml ini cfg htm html css pdf rtf tex doc docx odt xls xlsx ods ppt pptx odp xmp aae sha256 md5',
  'program or script': 'py pyc ipynb js mjs ts cpp java sh bat ps1 exe dll so dylib jar url lnk',
  archive: 'zip tar tgz tbz txz 7z rar bz2 xz zst',
  'film or sound': 'mp4 m4v mov avi mkv webm wmv mpg mpeg mp3 m4a wav flac ogg',
  'array, table or model':
    'npz npy pt pth ckpt onnx h5 hdf5 pkl pickle parquet feather mat safetensors db sqlite',
  'unfinished download': 'part partial crdownload filepart',
};

const kindOfEnding = new Map(
  Object.entries(endings).flatMap(([kind, list]) => list.split(' ').map((ending) => [ending, kind] as const)),
);

/**
 * What a file is by an ending that no picture has, as a reason to leave it out; undefined if it may be a picture, which
 * its content decides when it is read. Opening 100,000 files only to list them would take minutes.
 */
export function otherKindOf(name: string): string | undefined {
  const dot = name.lastIndexOf('.');
  if (dot < 0) return undefined;
  // `images.tar.gz` is an archive, `photo.png.gz` may be a picture.
  const ending = name.slice(dot + 1).toLowerCase();
  if (ending === 'gz' && /\.tar\.gz$/i.test(name)) return 'archive';
  return kindOfEnding.get(ending);
}
