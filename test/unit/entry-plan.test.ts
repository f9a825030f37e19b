import { describe, expect, test } from 'vitest';
import { type EntryPlanInput, planEntries } from '../../src/domain/entry-plan.ts';
import { assessOlderTarget, restoreClientMajor } from '../../src/domain/restore-client.ts';
import { criticalEntries } from '../../src/domain/restore-order.ts';
import { parseToc, type Toc } from '../../src/domain/toc.ts';
import { restorePasses } from '../../src/postgres/restore-args.ts';

const ROLE = {
  name: 'admin',
  superuser: true,
  createDatabase: true,
  createRole: true,
  bypassRls: true,
  ownsDatabase: true,
  signalsOthers: true,
};

/** A shop with one of everything that a plan decides about. */
const TOC = toc(
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

/** Dependencies stand behind `>`. */
function toc(...lines: string[]): Toc {
  const listed = lines.map((line) => {
    const [entry = '', depends] = line.split(' > ');
    return depends === undefined ? line : `${entry}\n;\tdepends on: ${depends}`;
  });
  return parseToc(`;     Dumped from database version: 17.10\n${listed.join('\n')}\n`);
}

function plan(part: Partial<EntryPlanInput> = {}, choices: Partial<EntryPlanInput['choices']> = {}) {
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
    ...part,
  };
  const made = planEntries(input);
  const ids = made.restored.map(({ dumpId }) => dumpId);
  return { ...made, ids, why: Object.fromEntries(made.leftOut.map(({ what, why }) => [what, why])) };
}

const target = (part: Partial<EntryPlanInput['target']>) => ({
  target: {
    roles: ['shop_owner', 'supabase_admin'],
    role: ROLE,
    availableExtensions: ['postgis', 'pg_graphql', 'pg_cron'],
    server: { version: '17.10', major: 17, isStandby: false },
    ...part,
  },
});

describe('what would act by itself', () => {
  test('a subscription never comes back', () => {
    expect(plan().why['subscription feed']).toContain('must not begin to replicate');
    expect(plan({ becomesProduction: false }).ids).not.toContain(84);
  });

  test('event triggers come back only into production', () => {
    expect(plan().ids).toEqual(expect.arrayContaining([80, 81]));
    const copy = plan({ becomesProduction: false });
    expect(copy.why['event trigger watch']).toContain('not production');
    expect(copy.ids).not.toContain(81);
    expect(copy.why['comment on EVENT TRIGGER watch']).toBeUndefined();
    const bound = plan(target({ role: { ...ROLE, superuser: false } }));
    expect(bound.why['event trigger watch']).toContain('only a superuser');
  });

  test('publications come back: they send nothing to anyone without a slot', () => {
    expect(plan({ becomesProduction: false }).ids).toEqual(expect.arrayContaining([82, 83]));
  });

  test('pg_cron stays away unless the target has it', () => {
    expect(plan().ids).toContain(14);
    expect(plan({ existing: { schemas: [], extensions: [] } }).why['extension pg_cron']).toContain('one database');
  });
});

describe('extensions', () => {
  test('that can be installed are an error that says how', () => {
    const made = plan(target({ availableExtensions: ['pg_graphql'] }));
    expect(made.findings).toContainEqual(
      expect.objectContaining({
        code: 'extension-missing',
        severity: 'error',
        seen: expect.stringContaining('postgis'),
        action: expect.stringContaining('postgresql-17-postgis-3'),
      }),
    );
  });

  test("of a provider's own are left out with what needs them, a view's query and its view too", () => {
    const made = plan(target({ availableExtensions: ['postgis'] }));
    expect(made.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(made.why['extension pg_graphql']).toBe('only servers of Supabase have the extension pg_graphql');
    expect(made.why['table public.graphs']).toContain('it needs the extension pg_graphql');
    expect(made.why['view public.keyed']).toContain('it needs the table public.graphs');
    expect(made.ids).not.toEqual(expect.arrayContaining([38]));
    expect(made.whole).toBe(false);
  });

  test('that are there keep the rows of their own tables', () => {
    const made = plan({ existing: { schemas: [], extensions: ['postgis'] } });
    expect(made.ids).not.toContain(54);
    expect(made.ids).toContain(34);
    expect(made.why['table data public.spatial_ref_sys']).toContain('rows of its own');
  });
});

describe("a provider's own schemas", () => {
  test('stay as they are on that provider, and what refers to them is restored', () => {
    const provider = { id: 'supabase' as const, name: 'Supabase', evidence: 'its host name' };
    const made = plan(target({ provider }));
    expect(made.ids).not.toEqual(expect.arrayContaining([35]));
    expect(made.ids).not.toEqual(expect.arrayContaining([53]));
    expect(made.ids).toContain(64);
    expect(made.ids).not.toContain(82);
    expect(made.ids).not.toContain(83);
    expect(made.why['schema auth with all its rows']).toContain('Supabase');
    expect(made.why['publication supabase_realtime']).toContain('Supabase');
  });

  test('are there for a part as well', () => {
    const provider = { id: 'supabase' as const, name: 'Supabase', evidence: 'its host name' };
    expect(plan(target({ provider }), { tables: ['orders'] }).ids).toContain(64);
    expect(plan({}, { tables: ['orders'] }).ids).not.toContain(64);
  });

  test('are restored like any other elsewhere', () => {
    expect(plan().ids).toEqual(expect.arrayContaining([10, 35, 53, 64]));
  });
});

describe('roles', () => {
  const roleUse = new Map([
    [70, ['reader', 'buyer']],
    [66, ['tenant']],
  ]);
  const lacking = target({ roles: ['supabase_admin'] });

  test('of owners, rights and policies must be there', () => {
    const made = plan({ ...lacking, roleUse });
    expect(made.missingRoles).toEqual(['buyer', 'reader', 'shop_owner', 'tenant']);
    expect(made.rolesToCreate).toEqual([]);
    expect(made.findings).toContainEqual(
      expect.objectContaining({
        code: 'roles-missing',
        severity: 'error',
        seen: expect.stringContaining('buyer, reader, shop_owner, tenant'),
        action: expect.stringContaining('create-roles: true'),
      }),
    );
  });

  test('are created from the globals where that is asked for, as far as those hold them', () => {
    const creatableRoles = ['buyer', 'reader', 'shop_owner', 'unneeded'];
    const made = plan({ ...lacking, roleUse, creatableRoles }, { createRoles: true });
    expect(made.rolesToCreate).toEqual(['buyer', 'reader', 'shop_owner']);
    expect(made.findings).toContainEqual(
      expect.objectContaining({ code: 'roles-missing', seen: expect.stringMatching(/: tenant$/) }),
    );
  });

  test('are not needed for what is dropped; policies keep theirs', () => {
    const made = plan({ ...lacking, roleUse }, { owner: 'drop', privileges: 'drop' });
    expect(made.missingRoles).toEqual(['tenant']);
    const ownersOnly = plan({ ...lacking, roleUse }, { owner: 'drop' });
    expect(ownersOnly.missingRoles).toEqual(['buyer', 'reader', 'tenant']);
  });

  test('of what is not restored are nobody’s business', () => {
    const made = plan({ ...lacking, roleUse }, { tables: ['customers'], owner: 'drop' });
    expect(made.missingRoles).toEqual([]);
  });
});

describe('parts', () => {
  test('a table brings all that is its own, and what that needs', () => {
    const made = plan({}, { tables: ['public.orders'] });
    expect(made.ids).toEqual([20, 21, 31, 32, 40, 51, 52, 61, 62, 65, 66, 67, 70, 71, 90]);
    expect(made.why).toEqual({
      'fk constraint public.orders orders_customer_fkey': 'it needs the table public.customers, which is not chosen',
      'fk constraint public.orders orders_user_fkey': 'it needs the table auth.users, which is not chosen',
      [Object.keys(made.why).find((what) => what.endsWith('other entries of the backup')) ?? '']:
        'they are outside of `schemas` and `tables`',
    });
  });

  test('a view whose tables are not chosen is left out with the reason', () => {
    const made = plan({}, { tables: ['totals', 'orders'] });
    expect(made.why['view public.totals']).toContain('public.customers, which is not chosen');
    expect(plan({}, { tables: ['totals', 'orders', 'customers'] }).ids).toEqual(expect.arrayContaining([33, 63]));
  });

  test('schemas are folded like everywhere, and quoted names are not', () => {
    expect(plan({}, { schemas: ['"Sales"'] }).ids).toEqual([11, 37]);
    expect(plan({}, { tables: ['"Sales".*'] }).ids).toEqual([11, 37]);
    const missed = plan({}, { schemas: ['Sales'] });
    expect(missed.findings[0]).toMatchObject({ severity: 'error', action: 'Did you mean `"Sales"`?' });
  });

  test.each([
    ['odrers', '`public.orders`'],
    ['leads', '`"Sales"."Leads"`'],
    ['auth.user', '`auth.users`'],
    ['public.users', '`auth.users`'],
  ])('a pattern that matches nothing, %s, names what is close', (pattern, close) => {
    const [finding] = plan({}, { tables: [pattern] }).findings;
    expect(finding).toMatchObject({ code: 'pattern-without-match', severity: 'error' });
    expect(finding?.action).toContain(close);
  });

  test('what is not a pattern is refused', () => {
    expect(() => plan({}, { tables: ['"open'] })).toThrow('never closed');
    expect(() => plan({}, { tables: ['public.(a'] })).toThrow('no valid regular expression');
  });

  test('a schema that is there is not created again', () => {
    const made = plan({ existing: { schemas: ['Sales'], extensions: [] } }, { schemas: ['"Sales"'] });
    expect(made.ids).toEqual([37]);
    expect(made.why['definition of schema Sales']).toContain('already');
  });

  test('a plan that restores nothing is an error', () => {
    const one = toc('84; 6100 31 SUBSCRIPTION - feed shop_owner');
    expect(plan({ toc: one }).findings).toContainEqual(expect.objectContaining({ code: 'nothing-to-restore' }));
  });
});

describe('the order', () => {
  test('takes rows, keys and sequences of critical tables first, and nothing twice', () => {
    const { restored } = plan();
    const first = criticalEntries(restored, [{ schema: 'public', name: 'orders' }]);
    expect(first.map(({ dumpId }) => dumpId)).toEqual([51, 52, 61]);
    const passes = restorePasses({ restored, whole: false }, [{ schema: 'public', name: 'orders' }], true);
    expect(passes.map(({ sections, endsCritical }) => [sections.join(), endsCritical])).toEqual([
      ['pre-data', false],
      ['', true],
      ['data,post-data', false],
    ]);
    const rest = passes[2]?.entries?.map(({ dumpId }) => dumpId) ?? [];
    expect(rest.filter((id) => [51, 52, 61].includes(id))).toEqual([]);
    expect(rest.length).toBe(restored.length - 3);
    expect(restorePasses({ restored, whole: true }, [], true)).toEqual([{ sections: [], endsCritical: false }]);
    expect(restorePasses({ restored, whole: false }, [{ schema: 'public', name: 'orders' }], false)).toHaveLength(1);
  });

  test('takes a partitioned table for all its leaves', () => {
    const { entries } = toc(
      '1; 1259 1 TABLE public parent o',
      '2; 1259 2 TABLE public middle o > 1',
      '3; 1259 3 TABLE public leaf o > 2',
      '4; 0 0 TABLE ATTACH public middle o > 2 1',
      '5; 0 0 TABLE ATTACH public leaf o > 3 2',
      '6; 0 3 TABLE DATA public leaf o > 3',
    );
    const first = criticalEntries(entries, [{ schema: 'public', name: 'parent' }]);
    expect(first.map(({ dumpId }) => dumpId)).toEqual([6]);
  });
});

describe('the client', () => {
  test('is of the larger major', () => {
    expect([restoreClientMajor(15, 17), restoreClientMajor(17, 15), restoreClientMajor(18, 18)]).toEqual([17, 17, 18]);
  });

  test('restores into an older server only with a word', () => {
    expect(assessOlderTarget(15, 17, false)).toBeUndefined();
    expect(assessOlderTarget(17, 15, false)).toMatchObject({
      severity: 'error',
      action: expect.stringContaining('allow-older-major'),
    });
    expect(assessOlderTarget(17, 15, true)).toMatchObject({ severity: 'warning' });
  });
});
