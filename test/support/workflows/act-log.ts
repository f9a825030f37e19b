/** What act tells in its log of JSON lines. */

export interface ActLog {
  /** `success` or `failure` by job id; one that was skipped is not there. */
  jobs: Record<string, string>;
  /** Outputs by `job.step`: the step's id, or its number from 0 where it has none. */
  outputs: Record<string, Record<string, string>>;
  /** What the steps wrote, and what the runner said around it. */
  text: string;
}

interface Line {
  msg?: string;
  jobID?: string;
  stepID?: string[];
  jobResult?: string;
  command?: string;
  name?: string;
  arg?: string;
}

/** A line that is no JSON is one of act itself, before it knows how it is to write. */
export function parseActLog(output: string): ActLog {
  const log: ActLog = { jobs: {}, outputs: {}, text: '' };
  for (const written of output.split('\n')) {
    const line = parseLine(written);
    if (line.msg !== undefined && line.command !== 'add-mask')
      log.text += line.msg.endsWith('\n') ? line.msg : `${line.msg}\n`;
    const { jobID: job, stepID } = line;
    if (job === undefined) continue;
    if (line.jobResult !== undefined) log.jobs[job] = line.jobResult;
    if (line.command === 'set-output') {
      const step = `${job}.${stepID?.at(-1) ?? ''}`;
      log.outputs[step] = { ...log.outputs[step], [line.name ?? '']: line.arg ?? '' };
    }
  }
  return log;
}

function parseLine(written: string): Line {
  if (written === '') return {};
  try {
    return JSON.parse(written) as Line;
  } catch {
    return { msg: written };
  }
}
