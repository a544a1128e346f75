/** A kill as Markdown for a ticket: the same facts as the page, with every name made harmless. */
import { plural, sanitize } from '../base/text.ts'
import type { CasePage } from './case-page.ts'
import { bytesCell } from './compact.ts'

/** No name may become a link, a table cell or markup. */
const md = (text: string): string => sanitize(text).replace(/[\\`*_{}[\]<>|#!~&]/g, '\\$&')

const row = (cells: readonly string[]): string => `| ${cells.map(md).join(' | ')} |`
const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string[] => (rows.length === 0 ? [] : [row(titles), `|${titles.map(() => ' --- ').join('|')}|`, ...rows.map(row), ''])

/** `title` is the headline of the page; `evidence` one fact a line. */
export function caseMarkdown(page: CasePage, what: { readonly title: string; readonly evidence: readonly { readonly fact: string; readonly source: string }[] }): string {
  return [
    `# ${md(what.title)}`, '',
    ...page.verdict.flatMap(({ text, tone }) => [tone === 'strong' ? `**${md(text)}**` : md(text), '']),
    `${md(page.verdictTitle)}`, '',
    '## Chain of limits', '',
    ...table(['level', 'used', 'high', 'max', 'used %', ''], page.limits.map((line) => [line.label, line.used, line.high, line.max, line.share, line.isHolder ? 'this limit could not be met' : ''])),
    ...(page.parts.length === 0 ? [] : [`## ${md(page.partsTitle.replace(/^w/, 'W'))}`, '', ...table(['part', 'size'], page.parts.map(({ label, bytes }) => [label, bytesCell(bytes)]))]),
    ...(page.contributors.length === 0 ? [] : ['## Who filled it', '', ...table(['who', 'size'], page.contributors.map(({ label, bytes }) => [label, bytesCell(bytes)]))]),
    `## ${md(page.candidatesTitle.replace(/^w/, 'W'))}`, '',
    ...table(['pid', 'command', 'in', 'rss', 'swap', 'page tables', 'oom_score_adj', 'points', ''], page.candidates.map((line) => [String(line.pid), line.command, line.place, line.rss, line.swap, line.pgtables, line.adj, line.points, line.fate])),
    ...(page.omitted > 0 ? [`and ${plural(page.omitted, 'more candidate')}`, ''] : []),
    '## Evidence', '', ...what.evidence.map(({ fact, source }) => `- ${md(fact)} (${md(source)})`), '',
  ].join('\n')
}
