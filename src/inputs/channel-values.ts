/** Parsers of URLs that somebody outside of GitHub is told by. They are secrets: no message repeats one. */
import { type Parse, rejected } from './values.ts';

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
