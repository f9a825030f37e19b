/** Parsers of what somebody outside of GitHub is told by. Most are secrets: no message repeats one. */
import { parseSmtpUrl, type SmtpServer } from '../domain/smtp.ts';
import { type Parse, quoted, rejected, words } from './values.ts';

/** As short as a secret may be that nobody guesses. */
const MIN_SECRET_CHARACTERS = 16;
/** So that one header holds them all. */
const MAX_RECIPIENTS = 20;
/** RFC 5321, 4.5.3.1.3, without the brackets. */
const MAX_ADDRESS_CHARACTERS = 254;

export const secretUrl: Parse<URL> = (text) => {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw rejected('it is not a URL that begins with https://. Copy it again from where it was shown.');
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw rejected('it holds a user or password before the host, which is not sent. Give one without.');
  }
  return url;
};

export const webhookSecret: Parse<string> = (text) => {
  if (text.length >= MIN_SECRET_CHARACTERS) return text;
  throw rejected(`it has fewer than ${MIN_SECRET_CHARACTERS} characters. Make one: openssl rand -hex 32`);
};

export const smtpServer: Parse<SmtpServer> = (text) => {
  const server = parseSmtpUrl(text);
  if (server !== undefined) return server;
  throw rejected(
    'it is not of the form smtps://user:password@host:465 or smtp://user:password@host:587. Percent-encode characters such as @, / and : in the password.',
  );
};

/** One that needs no quotes, so that nothing in it can begin another header. */
export const mailAddress: Parse<string> = (text) => {
  if (isMailAddress(text)) return text;
  throw rejected(`${quoted(text)} is not a plain mail address such as ops@example.com.`);
};

function isMailAddress(text: string): boolean {
  return text.length <= MAX_ADDRESS_CHARACTERS && /^[^\s\p{C}@<>()[\]\\,;:"]+@[^\s\p{C}@<>()[\]\\,;:"]+$/u.test(text);
}

const addresses: Parse<readonly string[]> = words(mailAddress);

export const mailAddresses: Parse<readonly string[]> = (text, env) => {
  const given = addresses(text, env);
  if (given.length <= MAX_RECIPIENTS) return given;
  throw rejected(
    `it names ${given.length} addresses, and ${MAX_RECIPIENTS} are the most. Use a list of your mail server.`,
  );
};

/** Who a mail comes from when nobody says so. */
export function senderOf(server: SmtpServer | undefined): string | undefined {
  const user = server?.login?.user ?? '';
  return isMailAddress(user) ? user : undefined;
}
