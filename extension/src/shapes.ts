/** How example inputs are written. */

const SHAPE =
  /^(float32|float16|int64|int32|int8|uint8|bool)\[\s*\d+(\s*,\s*\d+)*\s*\]$|^(float32|int64|int32|bool)\[\]$/;

/** What is wrong with a text as a dtype and shape; undefined when nothing is. */
export function shapeProblem(text: string): string | undefined {
  return SHAPE.test(text.trim()) ? undefined : "Write it as float32[1,3,224,224]";
}

/** What the author is asked to correct: what the code suggests of each argument, else a picture. */
export function startingShapes(names: readonly string[], proposals: Record<string, string>): Record<string, string> {
  const asked = names.length > 0 ? names : Object.keys(proposals);
  const shapes = (asked.length > 0 ? asked : ["x"]).map((name) => [name, proposals[name] ?? "float32[1,3,224,224]"]);
  return Object.fromEntries(shapes) as Record<string, string>;
}
