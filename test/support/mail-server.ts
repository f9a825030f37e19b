/**
 * A mail server of the test's own: enough of SMTP (RFC 5321) with STARTTLS, TLS from the first byte and AUTH PLAIN to
 * take a mail, or to misbehave.
 */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { createServer as createSecureServer, TLSSocket } from 'node:tls';
import type { Certificate } from './watching-service.ts';

export interface ReceivedMail {
  from: string;
  to: string[];
  /** Headers and body as they came, lines ended by LF. */
  text: string;
}

export interface MailServer {
  readonly port: number;
  readonly mails: ReceivedMail[];
  /** Every command, the password in it as it was sent. */
  readonly heard: string[];
  /** Asked before each command is served; what it gives is answered instead, `hang` never answers. */
  fault: (command: string) => string | undefined;
  close(): Promise<void>;
}

export interface MailSettings {
  certificate: Certificate;
  tls: 'immediate' | 'starttls' | 'none';
  user: string;
  password: string;
}

export async function startMailServer(settings: MailSettings): Promise<MailServer> {
  const { certificate, tls } = settings;
  const secure = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) };
  const sockets = new Set<Socket>();
  const mails: ReceivedMail[] = [];
  const heard: string[] = [];
  const listener = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    converse(socket, tls === 'immediate');
  };
  const server = tls === 'immediate' ? createSecureServer(secure, listener) : createServer(listener);
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const mailServer: MailServer = {
    port: (server.address() as AddressInfo).port,
    mails,
    heard,
    fault: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };

  function converse(socket: Socket, encrypted: boolean, greets = true): void {
    let mail: ReceivedMail = { from: '', to: [], text: '' };
    let isData = false;
    let isKnown = false;
    let buffer = '';
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    socket.on('data', (chunk: Buffer) => {
      buffer += chunk.toString('utf8');
      for (let at = buffer.indexOf('\r\n'); at >= 0; at = buffer.indexOf('\r\n')) {
        const line = buffer.slice(0, at);
        buffer = buffer.slice(at + 2);
        if (isData) takeLine(line);
        else serve(line);
      }
    });
    const greeting = greets ? mailServer.fault('connect') : undefined;
    if (greets && greeting !== 'hang') say(greeting ?? '220 mail.test ESMTP');

    function takeLine(line: string): void {
      if (line !== '.') {
        mail.text += `${line.replace(/^\.\./, '.')}\n`;
        return;
      }
      isData = false;
      mails.push(mail);
      mail = { from: '', to: [], text: '' };
      say('250 taken');
    }

    function serve(line: string): unknown {
      heard.push(line);
      const fault = mailServer.fault(line);
      if (fault === 'hang') return;
      if (fault !== undefined) return say(fault);
      const word = line.toUpperCase().split(/[ :]/)[0] ?? '';
      switch (word) {
        case 'EHLO':
          say('250-mail.test');
          if (tls === 'starttls' && !encrypted) say('250-STARTTLS');
          return say(encrypted ? '250 AUTH PLAIN' : '250 HELP');
        case 'STARTTLS': {
          if (tls !== 'starttls') return say('502 not here');
          say('220 go');
          socket.removeAllListeners('data');
          const wrapped = new TLSSocket(socket, { isServer: true, ...secure });
          wrapped.on('error', () => undefined);
          return converse(wrapped, true, false);
        }
        case 'AUTH': {
          const [, user, password] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
            .toString('utf8')
            .split('\0');
          isKnown = user === settings.user && password === settings.password;
          return say(isKnown ? '235 welcome' : `535 5.7.8 ${user} is not who they say`);
        }
        case 'MAIL':
          if (!isKnown) return say('530 log in');
          mail.from = addressIn(line);
          return say('250 ok');
        case 'RCPT':
          mail.to.push(addressIn(line));
          return say('250 ok');
        case 'DATA':
          isData = true;
          return say('354 go on');
        case 'QUIT':
          say('221 bye');
          return socket.end();
        default:
          return say(word === 'RSET' || word === 'NOOP' ? '250 ok' : '502 what?');
      }
    }
  }
  return mailServer;
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? '';
}
