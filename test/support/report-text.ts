/** What a reader sees, its spaces made plain. */
export function textOf(report: string): string {
  return report
    .replace(/<(style|svg)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/[\s\u00a0]+/g, ' ');
}
