/** What became of the data when a restore or drill goes wrong, at every stage of it, and what to type then. */
import type { DrillResult, RecoveryResult, RestoreResult, RunNews, WayBack } from '../command.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { type RecoveryStage, recoveryVerdict } from '../domain/recovery.ts';
import { quoteIdentifier } from '../domain/relations.ts';
import { describeDoubts, type FailureWords, isOnlyCritical, titled } from './failure-words.ts';

const STAGES: readonly string[] = ['looking', 'restoring', 'replacing', 'replaced'] satisfies RecoveryStage[];

/** A run that has told nothing yet has only looked. */
export function recoveryStage({ stage, strategy }: Partial<RunNews>): RecoveryStage {
  // There is no new database that could be filled: what is filled is the one that is there.
  if (stage === 'restoring' && strategy === 'in-place') return 'replacing';
  return STAGES.includes(stage ?? '') ? (stage as RecoveryStage) : 'looking';
}

/** What is safe; of a restore first of all whether the database that is there is. */
export function recoverySafety(code: ErrorCode, news: Partial<RunNews>): string {
  if (code === 'ERR_INPUT' && news.stage === undefined) {
    return 'Nothing was read and nothing was touched. All backups are untouched.';
  }
  const words = news.command === 'drill' ? drillSafety(news) : [...restoreSafety(news), ...accessSafety(news)];
  return [...words, backupsSafety(code, news)].join(' ');
}

function drillSafety(news: Partial<RunNews>): string[] {
  if (recoveryStage(news) === 'looking') {
    return ['Nothing was touched, neither the database that is backed up nor the target of the drill.'];
  }
  const left = leftOver(news);
  return [
    'The database that is backed up was not touched: a drill works in a throwaway one.',
    ...(left === undefined ? [] : [`That is \`${left}\`.`]),
  ];
}

function restoreSafety(news: Partial<RunNews>): string[] {
  const there = thereOf(news);
  const { strategy, newDatabase, formerDatabase } = news;
  switch (recoveryStage(news)) {
    case 'looking':
      return [keptOut(news) ? `No row of ${there} was changed.` : `Nothing was touched: ${there} holds what it held.`];
    case 'restoring': {
      const into = newDatabase === undefined ? 'a new database' : `the new database \`${newDatabase}\``;
      const untouched = `No row of ${there} was changed: the backup was being restored into ${into}, which nobody uses.`;
      if (news.leftOverDatabase === '') return [untouched, 'That one was removed again.'];
      const proven = recoveryVerdict(news.checks ?? []) === 'passed';
      return [
        untouched,
        proven ? 'That one was proven; what failed came after that.' : 'Take nothing from there: it is not proven.',
      ];
    }
    case 'replacing':
      if (strategy === 'swap') {
        const former = formerDatabase === undefined ? 'its other name' : `\`${formerDatabase}\``;
        return [
          `Nothing is lost: both renames are one transaction, so ${there} is still the old database, or it is the restored one and the old one is whole under ${former}. Look which (below) before you do anything else.`,
        ];
      }
      return inPlaceHalfWay(news, there);
    case 'replaced':
      return replaced(news, there);
  }
}

function inPlaceHalfWay(news: Partial<RunNews>, there: string): string[] {
  if (news.undone === true) {
    return [`${there} holds what it held before: it was replaced in one transaction, which Postgres has undone.`];
  }
  return [
    `${there} was being replaced in one transaction, which Postgres undoes as a whole unless it was committed: it holds either what it held before or all of the backup, and nothing between.`,
    formerContent(news),
  ];
}

function replaced(news: Partial<RunNews>, there: string): string[] {
  const { strategy, newDatabase, formerDatabase } = news;
  const after = 'What failed came after that.';
  if (strategy === 'swap') {
    const kept = formerDatabase === undefined ? '' : `, and the former one is kept whole as \`${formerDatabase}\``;
    return [`${there} is the restored database now${kept}. ${after}`];
  }
  if (strategy === 'in-place') return [`${there} holds the restored backup now. ${after}`, formerContent(news)];
  const into = newDatabase === undefined ? 'a new database' : `the new database \`${newDatabase}\``;
  return [`${there} was not touched. The backup was restored into ${into}. ${after}`];
}

function formerContent({ safetyBackup }: Partial<RunNews>): string {
  return safetyBackup === undefined
    ? 'There is no safety backup of what it held before: it was empty, or `safety-backup` is off.'
    : `What it held before is in the safety backup \`${safetyBackup.id}\`, proven and complete: \`${safetyBackup.uri}\`.`;
}

function accessSafety(news: Partial<RunNews>): string[] {
  return keptOut(news) ? [`OTHERS ARE STILL KEPT OUT of ${thereOf(news)}: give access back (below).`] : [];
}

function backupsSafety(code: ErrorCode, { backupId, backupUri }: Partial<RunNews>): string {
  if (code === 'ERR_BACKUP_DAMAGED') return 'This run changed no backup: what is damaged was damaged before.';
  if (backupId === undefined) return 'All backups are untouched.';
  const where = backupUri === undefined ? '' : ` in \`${backupUri}\``;
  return `All backups are untouched, also \`${backupId}\`${where}, which was to be restored.`;
}

/** The most urgent first: people who cannot get in, then which state it is in, then the way back, then tidying up. */
export function recoverySteps(news: Partial<RunNews>): WayBack[] {
  const stage = recoveryStage(news);
  const touched = (stage === 'replacing' && news.undone !== true) || stage === 'replaced';
  const { wayBack = [] } = news;
  return [
    ...accessSteps(news),
    ...(stage === 'replacing' && news.strategy === 'swap' ? lookSteps(news) : []),
    ...(touched ? wayBack : []),
    ...(touched && news.strategy === 'in-place' && wayBack.length === 0 ? safetySteps(news) : []),
    ...(touched ? [] : leftOverSteps(news)),
  ];
}

function accessSteps(news: Partial<RunNews>): WayBack[] {
  if (!keptOut(news)) return [];
  const words = `Others are kept out of ${thereOf(news)}. Give access back, with psql as the same role:`;
  return [{ words, commands: news.giveAccessBack ?? [] }];
}

function lookSteps({ database, newDatabase, formerDatabase }: Partial<RunNews>): WayBack[] {
  const names = [database, newDatabase, formerDatabase].filter((name) => name !== undefined);
  if (names.length === 0) return [];
  return [
    {
      words:
        formerDatabase === undefined
          ? 'Look which databases there are:'
          : `Look which databases there are: with \`${formerDatabase}\` among them the swap was done, without it nothing was renamed.`,
      commands: [`SELECT datname FROM pg_database WHERE datname IN (${names.map(quoteLiteral).join(', ')});`],
    },
  ];
}

function safetySteps({ safetyBackup }: Partial<RunNews>): WayBack[] {
  if (safetyBackup === undefined) return [];
  return [
    {
      words: `To bring back what was there before, run this workflow again with \`backup: ${safetyBackup.id}\`; or by hand, into a new database:`,
      commands: ['NEW_DATABASE=before_the_restore', safetyBackup.restoreCommand],
    },
  ];
}

function leftOverSteps(news: Partial<RunNews>): WayBack[] {
  const name = leftOver(news);
  if (name === undefined) return [];
  return [
    {
      words: `\`${name}\` is left over; look at it if that helps, then drop it:`,
      commands: [`DROP DATABASE IF EXISTS ${quoteIdentifier(name)};`],
    },
  ];
}

function keptOut({ giveAccessBack }: Partial<RunNews>): boolean {
  return giveAccessBack !== undefined && giveAccessBack.length > 0;
}

function leftOver({ leftOverDatabase }: Partial<RunNews>): string | undefined {
  return leftOverDatabase === '' ? undefined : leftOverDatabase;
}

function thereOf({ targetFingerprint, database }: Partial<RunNews>): string {
  const name = targetFingerprint ?? database;
  return name === undefined ? 'the target' : `\`${name}\``;
}

/** Two quotes for one; a backslash means itself as long as `standard_conforming_strings` is on, as it is by default. */
function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Why a restore or drill that came to its end fails all the same; `undefined` when it does not. */
export function describeUnprovenRecovery(result: RecoveryResult): FailureWords | undefined {
  const { recovery, acceptPartial, command } = result;
  const { verdict, checks, source } = recovery;
  if (verdict === 'passed' || (verdict === 'partial' && acceptPartial)) return undefined;
  const doubts = { ...describeDoubts(checks), causes: [] };
  const title = (outcome: string) => titled({ command, code: 'ERR_NOT_PROVEN', outcome }, source.series);
  if (result.command === 'drill') {
    return {
      ...title(verdict === 'failed' ? 'failed' : 'is partial, so not passed'),
      ...doubts,
      ...ofDrill(result),
    };
  }
  return { ...title(restoreOutcome(recovery)), ...doubts, ...ofRestore(result) };
}

function restoreOutcome({ verdict, checks }: RestoreResult['recovery']): string {
  if (verdict !== 'failed') return 'is done, but partial, so not passed';
  return isOnlyCritical(checks.filter(({ status }) => status === 'failed'))
    ? 'is done, but failed: a critical table is missing or empty'
    : 'is done, but failed: what came back is wrong';
}

type Consequences = Pick<FailureWords, 'safety' | 'action' | 'toType'>;

function ofDrill({ recovery }: DrillResult): Consequences {
  const { source, verdict } = recovery;
  return {
    safety: `The database that is backed up was not touched: a drill works in a throwaway one. All backups are untouched, also \`${source.id}\` in \`${source.uri}\`.`,
    action:
      verdict === 'failed'
        ? `Do not count on \`${source.id}\` until you know why: read which checks did not pass, take a new backup, and drill that one.`
        : 'Read what could not be checked, give the drill what it lacks (extensions, roles, a target of the same kind), and run it again; `accept-partial: true` says that this much is enough.',
    toType: [],
  };
}

function ofRestore(result: RestoreResult): Consequences {
  const { recovery, strategy, safetyBackup, wayBack } = result;
  const { source, target, verdict } = recovery;
  const holds = `\`${target.database}\` holds what was restored`;
  const state = {
    'new-database': `${holds}, and nobody uses it yet. \`${target.fingerprint}\` was not touched.`,
    swap:
      target.formerDatabase === undefined
        ? `${holds}, and it was not swapped in: \`${target.fingerprint}\` was not touched.`
        : `${holds}. The former database is kept whole as \`${target.formerDatabase}\`.`,
    'in-place': `${holds}. ${formerContent(safetyBackup === undefined ? {} : { safetyBackup })}`,
  }[strategy];
  return {
    safety: `${state} All backups are untouched, also \`${source.id}\` in \`${source.uri}\`.`,
    action:
      verdict === 'failed'
        ? 'Let nobody work on what was restored before you know what differs: read the checks that failed, and restore another backup if it matters.'
        : 'Read what could not be checked and decide whether it matters to you; `accept-partial: true` says beforehand that it does not.',
    toType: [
      ...wayBack,
      ...(strategy === 'in-place' && safetyBackup !== undefined ? safetySteps({ safetyBackup }) : []),
    ],
  };
}
