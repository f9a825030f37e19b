/** Connections and how each ends, by libpq's rules; the same for our own session and for psql. */
import { at, type ConnectionBench } from './connection-bench.ts';

/** The name that the server's certificate is for, without asking the resolver. */
export const localhost = 'host=localhost hostaddr=127.0.0.1';

/** `expected` is `tls`, `plain` or the code of the error. */
export function connectionCases({
  tlsServer,
  plainServer,
  ca,
  otherCa,
}: ConnectionBench): [name: string, text: string, expected: string][] {
  return [
    ['disable where TLS is offered', at(tlsServer, 'sslmode=disable'), 'plain'],
    ['allow where plain is admitted', at(tlsServer, 'sslmode=allow'), 'plain'],
    ['allow where only TLS is admitted', at(tlsServer, 'sslmode=allow', 'tls_only'), 'tls'],
    ['disable where only TLS is admitted', at(tlsServer, 'sslmode=disable', 'tls_only'), 'ERR_AUTH'],
    ['prefer where TLS is offered', at(tlsServer, ''), 'tls'],
    ['require with an unknown certificate', at(tlsServer, 'sslmode=require'), 'tls'],
    ['require with a root certificate that signed it', at(tlsServer, `sslmode=require sslrootcert=${ca}`), 'tls'],
    ['require with another root certificate', at(tlsServer, `sslmode=require sslrootcert=${otherCa}`), 'ERR_TLS'],
    ['prefer with another root certificate', at(tlsServer, `sslmode=prefer sslrootcert=${otherCa}`), 'plain'],
    ['verify-ca', at(tlsServer, `sslmode=verify-ca sslrootcert=${ca}`), 'tls'],
    ['verify-ca with another authority', at(tlsServer, `sslmode=verify-ca sslrootcert=${otherCa}`), 'ERR_TLS'],
    ['verify-full', at(tlsServer, `${localhost} sslmode=verify-full sslrootcert=${ca}`), 'tls'],
    ['verify-full by another name', at(tlsServer, `sslmode=verify-full sslrootcert=${ca}`), 'ERR_TLS'],
    ['verify-full without a root certificate', at(tlsServer, `${localhost} sslmode=verify-full`), 'ERR_TLS'],
    ['require where TLS is not offered', at(plainServer, 'sslmode=require'), 'ERR_TLS'],
    ['prefer where TLS is not offered', at(plainServer, 'sslmode=prefer'), 'plain'],
    ['TLS 1.3 demanded', at(tlsServer, 'sslmode=require ssl_min_protocol_version=TLSv1.3'), 'tls'],
    ['TLS 1.2 at most', at(tlsServer, 'sslmode=require ssl_max_protocol_version=TLSv1.2'), 'tls'],
    ['channel binding over TLS', at(tlsServer, 'sslmode=require channel_binding=require'), 'tls'],
    ['channel binding without TLS', at(plainServer, 'channel_binding=require'), 'ERR_AUTH'],
    ['channel binding with a trusting server', at(tlsServer, 'channel_binding=require', 'trusted'), 'ERR_AUTH'],
    [
      'channel binding with a server that asks for the clear password',
      at(tlsServer, 'channel_binding=require', 'clear'),
      'ERR_AUTH',
    ],
    ['a clear password', at(tlsServer, '', 'clear'), 'tls'],
    ['options', at(tlsServer, "options='-c geqo=off -c application_name=\\'x\\''"), 'tls'],
    ['a wrong password', at(tlsServer, "password='wrong horse'"), 'ERR_AUTH'],
    ['no password', at(tlsServer, "password=''"), 'ERR_AUTH'],
    ['an unknown user', at(tlsServer, '', 'nobody'), 'ERR_AUTH'],
    ['an unknown database', at(tlsServer, 'dbname=shopp'), 'ERR_DATABASE_MISSING'],
    [
      'a Unix socket with sslmode=require',
      `host=${tlsServer.socketDir} port=${tlsServer.port} user=postgres sslmode=require`,
      'plain',
    ],
  ];
}
