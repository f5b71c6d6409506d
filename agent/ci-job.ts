/** Whether this is a job of continuous integration: its clone is thrown away, and nobody looks at a terminal. */
export function isCiJob(): boolean {
  return !/^(|0|false)$/i.test(process.env.CI ?? '');
}
