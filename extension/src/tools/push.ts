/** When a call of a tool reaches a device. */

export interface ToolInput {
  model?: string;
  package?: string;
  name?: string;
  target?: string;
  apply?: boolean;
}

const HERE = new Set(["simulator", "local"]);

/** The device that a call would copy a package to; undefined where it runs on this machine. */
export function pushedTo({ target }: ToolInput): string | undefined {
  return target && !HERE.has(target.split(":")[0] ?? "") ? target : undefined;
}

/** The engine's name of a contributed tool: ``aipc_check`` is ``check``. */
export function toolName(contributed: string): string {
  return contributed.replace(/^aipc_/, "");
}
