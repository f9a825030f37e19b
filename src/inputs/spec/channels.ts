/** Inputs that say who is told of runs besides GitHub. */
import { OCCASIONS, REMIND_AFTER_HOURS } from '../../domain/notify.ts';
import { mailAddress, mailAddresses, secretUrl, smtpServer, webhookSecret } from '../channel-values.ts';
import { input } from '../input.ts';
import { oneOf, optional, orElse, wholeNumber, words } from '../values.ts';

/** A year. */
const MAX_REMIND_HOURS = 8_760;

export const CHANNELS = {
  'slack-webhook-url': input({
    description:
      'A secret: an incoming webhook of Slack, or of what understands the same messages, for the alarm: docs/alarms.md.',
    whenEmpty: 'nobody is told there',
    parse: optional(secretUrl),
  }),
  'webhook-url': input({
    description:
      'A secret: where the alarm is posted as JSON. Discord, Teams and PagerDuty get it in their own form: docs/alarms.md.',
    whenEmpty: 'nobody is told there',
    parse: optional(secretUrl),
  }),
  'webhook-secret': input({
    description:
      'A secret of at least 16 characters that signs what is posted to `webhook-url`, in the header `X-Signature-256`.',
    whenEmpty: 'nothing is signed',
    parse: optional(webhookSecret),
  }),
  'smtp-url': input({
    description:
      'A secret: the mail server for the alarm, `smtps://user:password@mail.example.com:465`, or `smtp://…:587` for STARTTLS; nothing is sent without TLS. Characters such as `@` or `/` in the password are percent-encoded.',
    whenEmpty: 'no mail is sent',
    parse: optional(smtpServer),
  }),
  'email-to': input({
    description: 'Who gets that mail: up to 20 addresses, one a line or with commas between them.',
    whenEmpty: 'an error with `smtp-url`',
    parse: mailAddresses,
  }),
  'email-from': input({
    description: 'The address that it comes from.',
    whenEmpty: 'the user in `smtp-url`, where that is an address',
    parse: optional(mailAddress),
  }),
  'notify-on': input({
    description: `What Slack, webhook and mail are told, a list of ${OCCASIONS.map((word) => `\`${word}\``).join(', ')}.`,
    whenEmpty: '`failure`, `recovery` and `warning`; of a restore all of them, and how far it is',
    parse: words(oneOf(...OCCASIONS)),
  }),
  'remind-after-hours': input({
    description:
      'The same failure or warning is told again after this time, sooner only if it becomes worse; `0` tells of every one. The issue gets a comment each time.',
    whenEmpty: `\`${REMIND_AFTER_HOURS}\`: a nightly failure is told every night, one of every half hour about once a day`,
    parse: orElse(wholeNumber(0, MAX_REMIND_HOURS), REMIND_AFTER_HOURS),
  }),
} as const;
