import { setImmediate as turn } from 'node:timers/promises';
import { type InferenceSession, Tensor } from 'cloudeasyml';
import { type Box, boxHeight, boxWidth } from './boxes.js';
import { cropBox } from './crop.js';
import { type Pixels, writePlanes } from './pixels.js';

const inputHeight = 48;

/** Crops are padded to a multiple of this many columns, and those of one width run together. */
const widthStep = 64;

export interface RecognizedText {
  text: string;
  /** Mean probability of the characters, 0 to 1; 0 where there are none. */
  score: number;
}

/**
 * A line's pixels as the recognition model takes them: 48 rows, as wide as its text asks for.
 *
 * @param widest columns; a longer line, which is a rule rather than text, is squeezed to them
 */
export function cropLine(image: Pixels, box: Box, widest: number): Pixels {
  const natural = Math.ceil((inputHeight * boxWidth(box)) / boxHeight(box));
  return cropBox(image, box, Math.min(Math.max(1, natural), widest), inputHeight);
}

/**
 * Reads lines of text. Each is padded to a width that depends on that line alone, so its answer is the
 * same whatever else is in the batch.
 *
 * @param session the PP-OCR recognition model: [N, 3, 48, width] → probabilities, [N, steps, characters]
 * @param characters what each index of the last axis stands for; index 0 is CTC's blank
 * @param batchWidth columns of pixels in one run, over all its lines
 * @param checkWanted called between two runs; what it throws ends it
 * @returns one text for each line, in the same order
 */
export async function recognizeLines(
  session: InferenceSession,
  characters: readonly string[],
  lines: readonly Pixels[],
  batchWidth: number,
  checkWanted: () => void,
): Promise<RecognizedText[]> {
  const texts = new Array<RecognizedText>(lines.length);
  for (const [width, indices] of groupByPaddedWidth(lines)) {
    const batchSize = Math.max(1, Math.floor(batchWidth / width));
    for (let start = 0; start < indices.length; start += batchSize) {
      // Other requests on this thread, and the server's signs of life, come in between.
      await turn();
      checkWanted();
      const batch = indices.slice(start, start + batchSize);
      const planes = new Float32Array(batch.length * 3 * inputHeight * width);
      batch.forEach((line, row) => {
        writePlanes(lines[line]!, planes, row * 3 * inputHeight * width, width);
      });
      const feed = new Tensor('float32', planes, [batch.length, 3, inputHeight, width]);
      const output = session.run({ [session.inputs[0]!.name]: feed })[session.outputs[0]!.name]!;
      const probabilities = output.data as Float32Array;
      const rowLength = probabilities.length / batch.length;
      batch.forEach((line, row) => {
        const own = probabilities.subarray(row * rowLength, (row + 1) * rowLength);
        texts[line] = decodeGreedily(own, characters);
      });
    }
  }
  return texts;
}

function groupByPaddedWidth(lines: readonly Pixels[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  lines.forEach((line, index) => {
    const width = Math.ceil(line.width / widthStep) * widthStep;
    const group = groups.get(width);
    if (group) group.push(index);
    else groups.set(width, [index]);
  });
  return groups;
}

/**
 * Greedy CTC decoding (Graves et al., "Connectionist Temporal Classification", 2006): the likeliest
 * index of each step, runs of one index read as one, blanks left out.
 *
 * @param probabilities [steps, characters]
 */
function decodeGreedily(
  probabilities: Float32Array,
  characters: readonly string[],
): RecognizedText {
  let text = '';
  let sum = 0;
  let count = 0;
  let previous = 0;
  for (let step = 0; step < probabilities.length; step += characters.length) {
    let best = 0;
    for (let index = 1; index < characters.length; index++) {
      if (probabilities[step + index]! > probabilities[step + best]!) best = index;
    }
    if (best !== 0 && best !== previous) {
      text += characters[best];
      sum += probabilities[step + best]!;
      count++;
    }
    previous = best;
  }
  return { text, score: count > 0 ? sum / count : 0 };
}
