import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** The id of the key that the settings or the first start brings. */
export const bootstrapKeyId = 'bootstrap';

const keyPattern = /^ce_([a-z0-9]+)_[A-Za-z0-9_-]{43}$/;

/** A new key: `ce_<keyId>_<secret>`, the secret 32 random bytes in base64url. */
export function makeKey(keyId = randomBytes(8).toString('hex')): { keyId: string; key: string } {
  return { keyId, key: `ce_${keyId}_${randomBytes(32).toString('base64url')}` };
}

/** The id inside a key; undefined for text that is not made like a key. */
export function keyIdOf(key: string): string | undefined {
  return keyPattern.exec(key)?.[1];
}

/**
 * SHA-256 of the whole key, in hexadecimal. A slow password hash would buy nothing: the secret has
 * 256 random bits, which no one can guess through.
 */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Whether a key has this hash, in a time that does not depend on where they differ. */
export function keyMatches(key: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(hashKey(key), 'hex'), Buffer.from(hash, 'hex'));
}
