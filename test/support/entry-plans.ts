/** An archive's table of contents that is made up, and plans of what of it is restored. */
import { type EntryPlanInput, planEntries } from '../../src/domain/entry-plan.ts';
import { parseToc, type Toc } from '../../src/domain/toc.ts';
import { SUPERUSER } from './target-facts.ts';

/** What `pg_restore --list` prints of these entries; what one depends on stands behind its `>`. */
export function tocOf(...lines: string[]): Toc {
  const listed = lines.map((line) => {
    const [entry = '', depends] = line.split(' > ');
    return depends === undefined ? line : `${entry}\n;\tdepends on: ${depends}`;
  });
  return parseToc(`;     Dumped from database version: 17.10\n${listed.join('\n')}\n`);
}

export const ROLE = { ...SUPERUSER, name: 'admin' };

/** A shop with one of everything that a plan decides about. */
const TOC = tocOf(
  '1; 0 0 ENCODING - ENCODING ',
  '2; 1262 1 DATABASE - shop shop_owner',
  '3; 0 0 ACL - DATABASE shop shop_owner',
  '10; 2615 1 SCHEMA - auth supabase_admin',
  '11; 2615 2 SCHEMA - Sales shop_owner',
  '12; 3079 3 EXTENSION - postgis ',
  '13; 3079 4 EXTENSION - pg_graphql ',
  '14; 3079 5 EXTENSION - pg_cron ',
  '20; 1255 6 FUNCTION public note() shop_owner',
  '21; 1247 7 TYPE public status shop_owner',
  '30; 1259 8 TABLE public customers shop_owner',
  '31; 1259 9 TABLE public orders shop_owner > 21',
  '32; 1259 10 SEQUENCE public orders_id_seq shop_owner > 31',
  '33; 1259 11 VIEW public totals shop_owner > 31 30',
  '34; 1259 12 TABLE public places shop_owner > 12',
  '35; 1259 13 TABLE auth users supabase_admin',
  '36; 1259 14 TABLE public graphs shop_owner > 13',
  '37; 1259 15 TABLE Sales Leads shop_owner > 11',
  '38; 1259 16 VIEW public keyed shop_owner',
  '40; 2604 17 DEFAULT public orders id shop_owner > 31 32',
  '50; 0 8 TABLE DATA public customers shop_owner > 30',
  '51; 0 9 TABLE DATA public orders shop_owner > 31',
  '52; 0 0 SEQUENCE SET public orders_id_seq shop_owner > 32',
  '53; 0 13 TABLE DATA auth users supabase_admin > 35',
  '54; 0 99 TABLE DATA public spatial_ref_sys shop_owner > 12',
  '60; 2606 20 CONSTRAINT public customers customers_pkey shop_owner > 30',
  '61; 2606 21 CONSTRAINT public orders orders_pkey shop_owner > 31',
  '62; 1259 22 INDEX public orders_placed shop_owner > 31',
  '63; 2606 23 FK CONSTRAINT public orders orders_customer_fkey shop_owner > 31 30 60',
  '64; 2606 24 FK CONSTRAINT public orders orders_user_fkey shop_owner > 31 35',
  '65; 2620 25 TRIGGER public orders note shop_owner > 31 20',
  '66; 3256 26 POLICY public orders own shop_owner > 31',
  '67; 0 0 ROW SECURITY public orders shop_owner > 31',
  '68; 2618 27 RULE public keyed _RETURN shop_owner > 36 38',
  '70; 0 0 ACL public TABLE orders shop_owner > 31',
  '71; 0 0 COMMENT public TABLE orders shop_owner > 31',
  '72; 0 0 COMMENT public TABLE customers shop_owner > 30',
  '80; 3466 28 EVENT TRIGGER - watch shop_owner > 20',
  '81; 0 0 COMMENT - EVENT TRIGGER watch shop_owner > 80',
  '82; 6104 29 PUBLICATION - supabase_realtime shop_owner',
  '83; 6106 30 PUBLICATION TABLE public supabase_realtime orders shop_owner > 82 31',
  '84; 6100 31 SUBSCRIPTION - feed shop_owner',
  '90; 0 0 SECURITY LABEL public TABLE orders shop_owner > 31',
);

/** Of everything into an empty database of production, unless something else is said. */
export function plan(part: Partial<EntryPlanInput> = {}, choices: Partial<EntryPlanInput['choices']> = {}) {
  const input: EntryPlanInput = {
    toc: TOC,
    target: {
      roles: ['shop_owner', 'supabase_admin', 'admin', 'reader'],
      role: ROLE,
      availableExtensions: ['postgis', 'pg_graphql', 'pg_cron'],
      server: { version: '17.10', major: 17, isStandby: false },
    },
    existing: { schemas: [], extensions: ['pg_cron'] },
    choices: { schemas: [], tables: [], owner: 'keep', privileges: 'keep', createRoles: false, ...choices },
    creatableRoles: [],
    roleUse: new Map(),
    becomesProduction: true,
    madeNew: false,
    ...part,
  };
  const made = planEntries(input);
  const ids = made.restored.map(({ dumpId }) => dumpId);
  return { ...made, ids, why: Object.fromEntries(made.leftOut.map(({ what, why }) => [what, why])) };
}

/** A target of a superuser that lacks nothing, but for `part`. */
export const target = (part: Partial<EntryPlanInput['target']>) => ({
  target: {
    roles: ['shop_owner', 'supabase_admin'],
    role: ROLE,
    availableExtensions: ['postgis', 'pg_graphql', 'pg_cron'],
    server: { version: '17.10', major: 17, isStandby: false },
    ...part,
  },
});
