const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a file is where a folder should be',
  EISDIR: 'it is a folder',
  EEXIST: 'it is there already',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
}

/** One line about what the operating system refused a program, with the place and the code; undefined for any other error, which is a bug. */
export function describeSystemError(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  const code = String(error.code)
  const place = 'path' in error ? String(error.path) : 'address' in error ? String(error.address) : String(error.syscall)
  return `${place}: ${reasons[code] ?? String(error.syscall)} (${code})`
}
