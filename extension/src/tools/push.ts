/** When a call of a tool reaches a device. */

export interface ToolInput {
  model?: string;
  package?: string;
  name?: string;
  target?: string;
  apply?: boolean;
  setup?: boolean;
}

const HERE = new Set(["simulator", "local"]);

/** The device that a call would copy a package to; undefined where it runs on this machine. */
export function pushedTo({ target }: ToolInput): string | undefined {
  return target && !HERE.has(target.split(":")[0] ?? "") ? target : undefined;
}

/** What the user is asked before a tool uses a device. */
export function question(tool: string, input: ToolInput, target: string): string {
  if (tool === "targets") return `Connect to the device \`${target}\` and look at what it is?`;
  const what = input.model ?? input.package ?? "a package";
  const setup = input.setup ? ", installing what it lacks in a directory of its own there" : "";
  return `Copy \`${what}\` to the device \`${target}\` and run it there${setup}?`;
}

/** The engine's name of a contributed tool: ``aipc_check`` is ``check``. */
export function toolName(contributed: string): string {
  return contributed.replace(/^aipc_/, "");
}
