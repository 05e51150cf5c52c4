/** Formats that are read, by the names that people know. */
export type ImageFormat = 'JPEG' | 'PNG' | 'WebP' | 'GIF' | 'TIFF' | 'AVIF';

/** Kind of a file by its first bytes, whatever its name. */
export type FileContent =
  | { readonly kind: 'image'; readonly format: ImageFormat }
  | { readonly kind: 'idx' }
  | { readonly kind: 'gzip' }
  /** Nothing that can be classified: what it is, and what to do about it. */
  | { readonly kind: 'other'; readonly what: string; readonly hint: string };

export const readableFormats = 'JPEG, PNG, WebP, TIFF, GIF and AVIF can be read.';

const exportHint = 'Convert it to JPEG or PNG first.';

/** Text at the start of text files is looked at up to here: an XML prologue may stand before what tells. */
const textBytes = 4096;

interface Signature {
  /** Bytes at {@link at} in latin-1, or several such. */
  readonly magic: string | readonly string[];
  readonly at?: number;
  readonly content: FileContent;
}

const image = (format: ImageFormat): FileContent => ({ kind: 'image', format });
const other = (what: string, hint: string): FileContent => ({ kind: 'other', what, hint });

/** In the order in which they are tried. */
const signatures: readonly Signature[] = [
  { magic: '\xff\xd8\xff', content: image('JPEG') },
  { magic: '\x89PNG\r\n\x1a\n', content: image('PNG') },
  { magic: ['GIF87a', 'GIF89a'], content: image('GIF') },
  { magic: ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'], content: image('TIFF') },
  { magic: 'WEBP', at: 8, content: image('WebP') },
  { magic: ['ftypavif', 'ftypavis'], at: 4, content: image('AVIF') },
  // mif1 and msf1 say only which container it is; phones write them for HEIC.
  {
    magic: ['ftyphei', 'ftyphev', 'ftypmif1', 'ftypmsf1'],
    at: 4,
    content: other('a HEIC photograph', 'Export it as JPEG: HEIC cannot be read.'),
  },
  { magic: '\x1f\x8b', content: { kind: 'gzip' } },
  { magic: '\0\0\x01\0', content: other('a Windows icon', exportHint) },
  {
    magic: ['\0\x05\x16\x07', '\0\x05\x16\0'],
    content: other(
      "a macOS resource fork, the companion of the picture's own file",
      'It holds no picture: delete it, or leave out names that begin with ._',
    ),
  },
  { magic: 'BM', content: other('a BMP image', exportHint) },
  { magic: '8BPS', content: other('a Photoshop document', exportHint) },
  {
    magic: ['\xff\x0a', '\0\0\0\x0cJXL '],
    content: other('a JPEG XL image', exportHint),
  },
  {
    magic: ['\0\0\0\x0cjP  ', '\xff\x4f\xff\x51'],
    content: other('a JPEG 2000 image', exportHint),
  },
  { magic: '%PDF', content: other('a PDF document', 'Export its pages as PNG first.') },
  { magic: 'PK\x03\x04', content: other('a ZIP archive', 'Unpack it first.') },
  { magic: 'ftyp', at: 4, content: other('a film', 'Export its pictures as PNG first.') },
];

/** Tell what a file holds from its first bytes. */
export function contentOf(bytes: Uint8Array): FileContent {
  if (bytes.length === 0) return other('an empty file', 'Copy or download the file again.');
  for (const { magic, at = 0, content } of signatures) {
    if ([magic].flat().some((text) => latin1(bytes, at, at + text.length) === text)) return content;
  }
  if (isIdx(bytes)) return { kind: 'idx' };
  return textContentOf(bytes);
}

/** Two zero bytes, the type of the elements, the number of dimensions; or all that backwards, which its reader explains. */
function isIdx([a, b, c, d]: Uint8Array): boolean {
  const isType = (byte: number | undefined) => byte !== undefined && byte >= 0x08 && byte <= 0x0e;
  return (a === 0 && b === 0 && isType(c)) || (c === 0 && d === 0 && isType(b) && a !== undefined && a < 8);
}

function textContentOf(bytes: Uint8Array): FileContent {
  const text = latin1(bytes, 0, textBytes).replace(/^\xef\xbb\xbf/, '');
  const start = text.trimStart().toLowerCase();
  if (start.startsWith('version https://git-lfs')) {
    return other('a Git LFS pointer in place of the file', 'Run `git lfs pull` to fetch the file itself.');
  }
  if (/<svg[\s>]|<!doctype svg/.test(start)) {
    return other('an SVG drawing', 'Export it as PNG: SVG is a program for a drawing and is not run.');
  }
  if (/^<(!doctype html|html|head|body)/.test(start)) {
    return other('a web page (HTML)', 'Download the picture itself, signed in where the site asks for it.');
  }
  if (bytes.every((byte) => byte === 0)) {
    return other('nothing but zero bytes', 'Copy or download the file again.');
  }
  const isUtf16 = text.startsWith('\xff\xfe') || text.startsWith('\xfe\xff');
  const isText = isUtf16 || bytes.subarray(0, textBytes).every((byte) => byte >= 0x20 || isLayout(byte));
  return other(isText ? 'a text file' : 'an unknown format', readableFormats);
}

/** Tab, line feed, form feed, carriage return, escape: the control characters of texts. */
function isLayout(byte: number): boolean {
  return [0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte);
}

/**
 * Whether a picture's file ends before its picture does, by what the format itself says of its end. Asked only to explain
 * why a file cannot be read. A TIFF tells only where its directory lies.
 */
export function isCutOff(format: ImageFormat, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (format) {
    case 'JPEG':
      return !endsJpeg(bytes);
    case 'PNG':
      return !latin1(bytes, 0).includes('IEND');
    case 'GIF':
      return bytes.at(-1) !== 0x3b;
    case 'WebP':
      return bytes.length < 12 || view.getUint32(4, true) + 8 > bytes.length;
    case 'TIFF':
      return bytes.length < 8 || view.getUint32(4, bytes[0] === 0x49) + 2 > bytes.length;
    case 'AVIF':
      return !boxesAreWhole(view);
  }
}

/** Whether the last bytes are JPEG's end marker. */
export function endsJpeg(bytes: Uint8Array): boolean {
  return bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9;
}

/** The container's outermost boxes, each beginning with its length; 0 means up to the end. */
function boxesAreWhole(view: DataView): boolean {
  let at = 0;
  while (at + 8 <= view.byteLength) {
    const length = view.getUint32(at);
    if (length === 0) return true;
    if (length < 8) return false;
    at += length;
  }
  return at === view.byteLength;
}

function latin1(bytes: Uint8Array, from: number, to = bytes.length): string {
  let text = '';
  const end = Math.min(to, bytes.length);
  for (let i = from; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
