/** The names of a drill's report on disk. */

export interface ReportPaths {
  markdown: string;
  junit: string;
}

/** `drill.md` (or `drill.xml`, or `drill`) stands for `drill.md` and `drill.xml`; another ending stays in both names. */
export function reportPaths(given: string): ReportPaths {
  const base = given.replace(/\.(md|markdown|xml)$/i, '');
  const markdown = /\.markdown$/i.test(given) ? given : `${base}.md`;
  return { markdown, junit: `${base}.xml` };
}
