/** What a file is that is taken for a model, and what to do about it. */
export interface ForeignFile {
  /** `a web page (HTML)`. */
  readonly what: string;
  readonly hint: string;
}

/** Bytes of a text's beginning that are looked at. */
const textBytes = 256;

const chooseAnother = 'Choose the .onnx file instead.';
const unpack = 'Unpack it and choose the .onnx file.';

/** How files of other formats begin, in latin-1. */
const signatures: readonly (readonly [magic: string, file: ForeignFile])[] = [
  ['\x89PNG', { what: 'a PNG image', hint: chooseAnother }],
  ['\xff\xd8\xff', { what: 'a JPEG image', hint: chooseAnother }],
  ['GIF8', { what: 'a GIF image', hint: chooseAnother }],
  ['%PDF', { what: 'a PDF document', hint: chooseAnother }],
  ['PK\x03\x04', { what: 'a ZIP archive, or a PyTorch file', hint: unpack }],
  ['\x1f\x8b', { what: 'a gzip file', hint: unpack }],
  ['\x89HDF', { what: 'an HDF5 file, as Keras writes', hint: 'Convert it to ONNX first.' }],
];

/**
 * Recognise what is often found where an ONNX model should be; undefined for anything else, a model included.
 *
 * No model begins as these files do: protobuf would read their first bytes as fields that ONNX does not have.
 */
export function recogniseForeignFile(bytes: Uint8Array): ForeignFile | undefined {
  if (bytes.length === 0) return { what: 'an empty file', hint: 'Copy or download it again.' };
  const start = String.fromCharCode(...bytes.subarray(0, textBytes));
  const text = start.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (text.startsWith('version https://git-lfs')) {
    return {
      what: 'a Git LFS pointer in place of the file',
      hint: 'Run `git lfs pull` to fetch the file itself.',
    };
  }
  if (/^<(!doctype|html|head|body|\?xml)/i.test(text)) {
    return {
      what: 'a web page (HTML)',
      hint: 'Download the file itself, signed in where the site asks for it.',
    };
  }
  if (/^[[{]\s*["\]}[{]/.test(text)) return { what: 'a JSON file', hint: chooseAnother };
  return signatures.find(([magic]) => start.startsWith(magic))?.[1];
}
