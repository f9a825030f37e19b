/** Which roles what is restored needs, and what becomes of those that the target lacks. */
import type { Finding } from '../findings.ts';
import type { RoleUse } from '../role-use.ts';
import type { TargetFacts } from '../target.ts';
import type { TocEntry } from '../toc.ts';
import { listWords } from '../words.ts';

export interface RoleInput {
  target: Pick<TargetFacts, 'roles' | 'role'>;
  choices: { owner: 'keep' | 'drop'; privileges: 'keep' | 'drop'; createRoles: boolean };
  creatableRoles: readonly string[];
  roleUse: RoleUse;
}

export interface RolePlan {
  missingRoles: string[];
  rolesToCreate: string[];
  findings: Finding[];
}

const RIGHTS = ['ACL', 'DEFAULT ACL'];

/**
 * Owners stand in the list of the archive; roles of rights, policies and user mappings come from their own SQL.
 * Rights that are dropped need nobody, policies and mappings always do.
 */
export function planRoles(
  restored: readonly TocEntry[],
  { target, choices, creatableRoles, roleUse }: RoleInput,
): RolePlan {
  const needed = new Set<string>();
  for (const entry of restored) {
    const isRight = RIGHTS.includes(entry.type);
    if (choices.privileges === 'drop' && isRight) continue;
    if (choices.owner === 'keep' && !isRight && entry.owner !== '') needed.add(entry.owner);
    for (const role of roleUse.get(entry.dumpId) ?? []) needed.add(role);
  }
  const missingRoles = [...needed]
    .filter((role) => !target.roles.includes(role) && role !== target.role.name)
    .toSorted();
  const rolesToCreate = choices.createRoles ? missingRoles.filter((role) => creatableRoles.includes(role)) : [];
  const lacking = missingRoles.filter((role) => !rolesToCreate.includes(role));
  return {
    missingRoles,
    rolesToCreate,
    findings: lacking.length === 0 ? [] : [lackingRoles(lacking, choices, target)],
  };
}

function lackingRoles(
  roles: readonly string[],
  { createRoles }: RoleInput['choices'],
  { role }: RoleInput['target'],
): Finding {
  const creates = role.superuser || role.createRole;
  const how = createRoles
    ? "The backup's globals do not hold them: create them on the target by hand"
    : `Create them on the target${creates ? ', or set `create-roles: true` to have them created from the backup' : ''}`;
  return {
    code: 'roles-missing',
    severity: 'error',
    seen: `The target lacks ${roles.length === 1 ? 'a role' : `${roles.length} roles`} that owners, rights or policies of the backup name: ${listWords(roles)}`,
    action: `${how}; or do without with \`owner: drop\` and \`privileges: drop\` (policies keep their roles).`,
  };
}
