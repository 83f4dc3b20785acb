/**
 * What an API key may do.
 *
 * - `predict`: send predictions to its user's deployments
 * - `deploy`: make and remove its user's deployments
 * - `usage`: read its user's usage
 * - `keys`: list its user's keys, and make and remove those that may do no more than it
 * - `admin`: all of these, for every user
 *
 * Every valid key may list models and its user's deployments.
 */
export const permissions = ['predict', 'deploy', 'usage', 'keys', 'admin'] as const;

export type Permission = (typeof permissions)[number];

/** What a key gets whose maker names no permissions. */
export const defaultPermissions: readonly Permission[] = ['predict', 'deploy', 'usage', 'keys'];
