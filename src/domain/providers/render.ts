/** Render. */
import { LISTED_EXTENSIONS, OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const RENDER: Provider = {
  id: 'render',
  name: 'Render',
  host: /-postgres\.render\.com$/,
  // render.com/docs/postgresql-creating-connecting: the internal URL has a bare name.
  inside: {
    host: /^dpg-[a-z0-9]+(?:-[a-z])?$/,
    useInstead:
      'This is Render\'s internal host. Use the "External Database URL" of the dashboard (dpg-….REGION-postgres.render.com).',
  },
  signs: {},
  ownRoles: false,
  // render.com/docs/free
  advice: {
    seen: 'Render: a database of the free plan expires 30 days after it was made',
    action: '',
  },
  admission: 'On Render the inbound IP rules of the database must admit this runner, and it must not be suspended.',
  words: {
    direct: '`dpg-….REGION-postgres.render.com:5432`, the External Database URL',
    pooled: 'none of its own',
    tls: 'demanded from outside; a public authority',
    extensions: LISTED_EXTENSIONS,
    restore: 'no superuser: `owner: drop`, `privileges: drop` from elsewhere',
    pointInTime: {
      offer:
        'any moment of the last 3 or 7 days, by the plan of the workspace, but of the last ten minutes; none in the free plan',
      how: 'the database, Recovery, Restore Database: it becomes a new instance',
    },
    adds: OFF_SITE,
    source: 'https://render.com/docs/postgresql-backups',
  },
};
