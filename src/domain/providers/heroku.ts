/** Heroku Postgres. */
import { OFF_SITE } from './common.ts';
import type { Provider } from './provider.ts';

export const HEROKU: Provider = {
  id: 'heroku',
  name: 'Heroku Postgres',
  // Newer plans stand on Aurora, whose host names they have: the schema tells them apart.
  host: /^ec2-[0-9-]+\.(?:compute-1|[a-z0-9-]+\.compute)\.amazonaws\.com$/,
  signs: { schemas: ['_heroku', 'heroku_ext'] },
  ownRoles: false,
  // devcenter.heroku.com/articles/connecting-to-heroku-postgres-databases-from-outside-of-heroku
  advice: {
    seen: 'Heroku changes the URL of a database by itself: at failovers, at some maintenance, and when credentials rotate',
    action: 'Fetch it at the start of the job (`heroku config:get DATABASE_URL --app APP`) instead of keeping a copy.',
  },
  managed: {
    // devcenter.heroku.com/changelog-items/2446
    schemas: ['_heroku', 'heroku_ext'],
  },
  words: {
    direct: '`heroku config:get DATABASE_URL`, at the start of each job: Heroku changes it',
    pooled: '`DATABASE_CONNECTION_POOL_URL`, where pooling is on',
    tls: 'demanded; certificates cannot be verified: `sslmode=require`',
    extensions: 'only those of `SHOW extwlist.extensions`',
    restore:
      'no roles can be made: `owner: drop`, `privileges: drop`; older databases have their extensions in `heroku_ext`',
    pointInTime: {
      offer: 'any moment of the last days, by the plan (`heroku pg:info` says from when); none in the Essential tier',
      how: '`heroku addons:create heroku-postgresql:PLAN --rollback DATABASE_URL --to "2026-11-21 02:00 UTC"`',
    },
    adds: OFF_SITE,
    source: 'https://devcenter.heroku.com/articles/heroku-postgres-rollback',
  },
};
