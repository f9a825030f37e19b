import { describe, expect, test } from 'vitest';
import { plan, ROLE, target } from '../support/entry-plans.ts';

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

  test('are missing in a new database on that provider, and so is what refers to them', () => {
    const provider = { id: 'supabase' as const, name: 'Supabase', evidence: 'its host name' };
    const made = plan({ ...target({ provider }), madeNew: true });
    expect(made.ids).toContain(31);
    for (const missing of [10, 35, 53, 64, 82]) expect(made.ids).not.toContain(missing);
    expect(Object.values(made.why).join()).toContain("Supabase's own");
    expect(made.gaps).toContain('schema auth');
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
