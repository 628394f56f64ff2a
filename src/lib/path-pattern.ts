// Paths with parameters, such as `/status/:code`.

/** A path for display: `/status/<code>`. */
export function displayPath(path: string): string {
  return path.replaceAll(/:(\w+)/g, "<$1>");
}

/**
 * Returns the parameter segments of a path, undecoded.
 * @returns undefined when the path does not match
 */
export function matchPath(
  pattern: string,
  path: string,
): readonly (readonly [name: string, value: string])[] | undefined {
  const [wanted, found] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== found.length) {
    return undefined;
  }
  const values: (readonly [string, string])[] = [];
  for (const [i, segment] of wanted.entries()) {
    const value = found[i] ?? "";
    if (segment.startsWith(":")) {
      values.push([segment.slice(1), value]);
    } else if (segment !== value) {
      return undefined;
    }
  }
  return values;
}
