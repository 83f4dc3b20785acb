import { type InferenceSession, Tensor } from 'cloudeasyml';
import { type Box, boxHeight, boxWidth, splitBox, upsideDown } from './boxes.js';
import { cropBox } from './crop.js';
import { type Pixels, writePlanes } from './pixels.js';

const inputHeight = 48;
const inputWidth = 192;

/** Width over height of the widest section that the model is shown: more would be squeezed past reading. */
const maxAspect = 6;

/** Sections classified in one run. */
const batchSize = 32;

/**
 * Describes each box from the corner at which its text begins. Long lines are judged by the mean over
 * their sections.
 *
 * @param session the PP-OCR orientation model: [N, 3, 48, 192] → the probabilities of upright and
 *   upside down, [N, 2]
 * @param threshold the probability from which a line counts as upside down
 */
export function orientLines(
  session: InferenceSession,
  image: Pixels,
  boxes: readonly Box[],
  threshold: number,
): Box[] {
  const sections = boxes.map((box) =>
    splitBox(box, Math.max(1, Math.ceil(boxWidth(box) / (maxAspect * boxHeight(box))))),
  );
  const probabilities = upsideDownProbabilities(session, image, sections.flat());
  let next = 0;
  return boxes.map((box, index) => {
    const count = sections[index]!.length;
    const own = probabilities.slice(next, next + count);
    next += count;
    const mean = own.reduce((sum, probability) => sum + probability, 0) / count;
    return mean >= threshold ? upsideDown(box) : box;
  });
}

function upsideDownProbabilities(
  session: InferenceSession,
  image: Pixels,
  sections: readonly Box[],
): number[] {
  const probabilities: number[] = [];
  const planeSize = inputHeight * inputWidth;
  for (let start = 0; start < sections.length; start += batchSize) {
    const batch = sections.slice(start, start + batchSize);
    const planes = new Float32Array(batch.length * 3 * planeSize);
    batch.forEach((box, row) => {
      const natural = Math.ceil((inputHeight * boxWidth(box)) / boxHeight(box));
      const crop = cropBox(image, box, Math.min(inputWidth, natural), inputHeight);
      writePlanes(crop, planes, row * 3 * planeSize, inputWidth);
    });
    const feed = new Tensor('float32', planes, [batch.length, 3, inputHeight, inputWidth]);
    const output = session.run({ [session.inputs[0]!.name]: feed })[session.outputs[0]!.name]!;
    for (let row = 0; row < batch.length; row++) {
      probabilities.push((output.data as Float32Array)[2 * row + 1]!);
    }
  }
  return probabilities;
}
