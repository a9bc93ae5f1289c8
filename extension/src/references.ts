/** How a model is written: ``file.py:Name``. */

/** The file and the name in it; undefined for a text that names no file of a model. */
export function splitReference(text: string): { file: string; name: string } | undefined {
  const match = /^(?<file>.+\.(?:py|onnx|pt2))(?::(?<name>[\p{L}_][\p{L}\p{N}_.]*)?)?$/u.exec(text.trim());
  return match?.groups ? { file: match.groups.file ?? "", name: match.groups.name ?? "" } : undefined;
}

/** ``make_tiny_net`` for ``TinyNet``. */
export function factoryName(model: string): string {
  const parts = model.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2");
  return `make_${parts.toLowerCase()}`;
}
