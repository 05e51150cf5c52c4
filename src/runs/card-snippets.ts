import type { ModelDescription } from '../model/describe-model.js';

/** How the file of a classifier is used, in Markdown: a paragraph and a block for each language. */
export function cardSnippets(model: ModelDescription, file: string): readonly string[] {
  return [
    `With the command line, which fits pictures as described: \`npx quarterturn predict ${file} my-pictures\``,
    'Node:',
    block(
      'ts',
      `import { readFile } from 'node:fs/promises';
import { loadClassifier } from 'quarterturn';
import { createNodeRuntime, readImageFiles } from 'quarterturn/node';

const runtime = await createNodeRuntime({ device: 'cpu' });
const classifier = await loadClassifier('${file}', await readFile('${file}'), { runtime });
const images = await readImageFiles(['picture.png'], classifier, { fit: classifier.preprocessing?.fit });
const probabilities = await classifier.classify(images);
const name = classifier.classNames[probabilities.indexOf(Math.max(...probabilities))];
await classifier.release();`,
    ),
    'Python, with ONNX Runtime and Pillow:',
    block('python', pillowProgram(model, file)),
    'Python, with OpenCV (which knows no EXIF orientation of PNG files and no Lanczos that averages: answers differ a little):',
    block('python', openCvProgram(model, file)),
    'A browser, with pixels of a canvas:',
    block('js', browserProgram(model, file)),
  ];
}

const block = (language: string, code: string): string => `\`\`\`${language}\n${code}\n\`\`\``;

type Fitted = Pick<ModelDescription, 'height' | 'width' | 'channels' | 'preprocessing' | 'input'>;

function pillowProgram({ height, width, channels, preprocessing, input }: Fitted, file: string): string {
  const size = `(${width}, ${height})`;
  const fitted = {
    cover: `ImageOps.fit(picture, ${size}, Image.LANCZOS)`,
    contain: `ImageOps.pad(picture, ${size}, Image.LANCZOS, color=${colourOf(preprocessing?.background ?? 0, channels)})`,
    stretch: `picture.resize(${size}, Image.LANCZOS)`,
  }[preprocessing?.fit ?? 'contain'];
  return `import json
import numpy, onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("${file}")
picture = ImageOps.exif_transpose(Image.open("picture.png")).convert("${channels === 1 ? 'L' : 'RGB'}")
image = ${fitted}
pixels = numpy.asarray(image, numpy.uint8).reshape(1, ${height}, ${width}, ${channels})
[probabilities] = session.run(None, {"${input}": pixels})
metadata = session.get_modelmeta().custom_metadata_map
print(json.loads(metadata["quarterturn.classNames"])[probabilities[0].argmax()])`;
}

const colourOf = (value: number, channels: number): string =>
  channels === 1 ? String(value) : `(${value}, ${value}, ${value})`;

function openCvProgram({ height, width, channels, preprocessing }: Fitted, file: string): string {
  const fit = preprocessing?.fit ?? 'contain';
  const rest = channels === 1 ? '' : `, ${channels}`;
  const lines = {
    cover: [
      `scale = max(${height} / picture.shape[0], ${width} / picture.shape[1])`,
      'picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)',
      `top, left = (picture.shape[0] - ${height}) // 2, (picture.shape[1] - ${width}) // 2`,
      `image = picture[top : top + ${height}, left : left + ${width}]`,
    ],
    contain: [
      `scale = min(${height} / picture.shape[0], ${width} / picture.shape[1])`,
      'picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)',
      `image = numpy.full((${height}, ${width}${rest}), ${preprocessing?.background ?? 0}, numpy.uint8)`,
      `top, left = (${height} - picture.shape[0]) // 2, (${width} - picture.shape[1]) // 2`,
      'image[top : top + picture.shape[0], left : left + picture.shape[1]] = picture',
    ],
    stretch: [`image = cv2.resize(picture, (${width}, ${height}), interpolation=cv2.INTER_AREA)`],
  }[fit];
  const read =
    channels === 1
      ? ['picture = cv2.imread("picture.png", cv2.IMREAD_GRAYSCALE)']
      : ['picture = cv2.cvtColor(cv2.imread("picture.png"), cv2.COLOR_BGR2RGB)'];
  return [
    fit === 'contain' ? 'import cv2, numpy' : 'import cv2',
    '',
    `network = cv2.dnn.readNetFromONNX("${file}")`,
    ...read,
    ...lines,
    `network.setInput(image.reshape(1, ${height}, ${width}, ${channels}))`,
    'print(network.forward().tolist())',
  ].join('\n');
}

function browserProgram({ height, width, channels }: Fitted, file: string): string {
  const pixel =
    channels === 1
      ? '  pixels[i] = Math.round(0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]);'
      : '  for (let c = 0; c < 3; c++) pixels[3 * i + c] = data[4 * i + c];';
  return `import { imagesInMemory, loadClassifier } from 'quarterturn';
import { createWebRuntime } from 'quarterturn/web';

const runtime = await createWebRuntime({ device: 'wasm' });
const bytes = new Uint8Array(await (await fetch('${file}')).arrayBuffer());
const classifier = await loadClassifier('${file}', bytes, { runtime });
// A canvas of ${width}×${height} with the picture drawn on it.
const { data } = canvas.getContext('2d').getImageData(0, 0, ${width}, ${height});
const pixels = new Uint8Array(${height} * ${width}${channels === 1 ? '' : ` * ${channels}`});
for (let i = 0; i < ${height} * ${width}; i++) {
${pixel}
}
const image = { height: ${height}, width: ${width}, channels: ${channels} };
const probabilities = await classifier.classify(imagesInMemory({ name: 'picture', pixels, ...image }));`;
}
