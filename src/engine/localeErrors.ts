import { CloudEasyMLError } from '../errors.js';

const missingLocale = /Failed to construct locale with name:\s*([\w@-]+)(?:\.([\w-]+))?:/;

/**
 * Says what a model needs that failed for want of a locale: ONNX Runtime's StringNormalizer changes the
 * case of texts by one, en_US.UTF-8 unless the model names another. Other errors stay as they are.
 */
export function explainedLocale(error: CloudEasyMLError): CloudEasyMLError {
  const [, language, charset = 'UTF-8'] = missingLocale.exec(error.message) ?? [];
  if (language === undefined) return error;
  const [what] = error.message.split(': ', 1);
  const locale = `${language}.${charset}`;
  return new CloudEasyMLError(
    error.code,
    `${what}: it changes the case of texts by the locale ${locale}, which this system lacks. Install it, ` +
      `on Debian and Ubuntu with: apt-get install locales && localedef -i ${language} -f ${charset} ${locale}`,
    { cause: error },
  );
}
