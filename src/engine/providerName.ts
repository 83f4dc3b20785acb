/** What sessions may call a provider that comes in a library of its own. The CPU is always there. */
export const providerName = /^(?!cpu$)[a-z][a-z0-9_-]*$/;
